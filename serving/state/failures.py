"""What the driver raises, told in this package's words: without parameters, without passwords."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import exc

from serving.errors import StateError, StateUnavailableError

__all__ = ["Naming", "told"]


class Naming:
    """How a database is called in messages, and what never stands in them."""

    def __init__(self, name: str, secrets: tuple[str, ...]) -> None:
        """Take the name for people and what must be masked."""
        self.name = name
        self._secrets = tuple(secret for secret in secrets if secret)

    def word(self, error: BaseException) -> str:
        """Return what an error says, on one line, masked."""
        cause = getattr(error, "orig", None) or error
        text = " ".join(str(cause).split()) or type(cause).__name__
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return f"{self.name}: {text[:500]}"


@contextmanager
def told(naming: Naming) -> Iterator[None]:
    """Raise what SQLAlchemy raises as a StateError.

    Raises:
        StateUnavailableError: the database cannot be reached, read or written now, or not in time.
        StateError: it refused what it was given: trying again would not help.
    """
    try:
        yield
    except exc.SQLAlchemyError as error:
        raise _kind(error)(naming.word(error)) from error


def _kind(error: exc.SQLAlchemyError) -> type[StateError]:
    refused = isinstance(error, exc.IntegrityError | exc.DataError | exc.ProgrammingError)
    unavailable = isinstance(error, exc.DBAPIError | exc.TimeoutError) and not refused
    return StateUnavailableError if unavailable else StateError
