"""What callers thought of answers: thumbs, one to a request."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from serving.state.database import Database
from serving.state.ledger_values import storable_text
from serving.state.paging import paged
from serving.state.schema import feedback

__all__ = ["Feedback", "FeedbackLog", "Thumb"]


class Thumb(enum.StrEnum):
    """Whether an answer was good enough."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Feedback:
    """One thumb.

    Attributes:
        request_id: of the request whose answer is judged.
        thumb: up or down.
        at: when it was given, seconds since the epoch.
        key_id: of the API key that gave it, or None.
        comment: the caller's words, at most 1000 characters, or None.
    """

    request_id: str
    thumb: Thumb
    at: float
    key_id: str | None = None
    comment: str | None = None


class FeedbackLog:
    """The feedback of a database; every method raises `StateUnavailableError` when that does not answer."""

    def __init__(self, database: Database) -> None:
        """Keep it in a database."""
        self._database = database
        add = database.insert(feedback)
        latest = {name: add.excluded[name] for name in ("thumb", "at", "key_id", "comment")}
        self._add = add.on_conflict_do_update(index_elements=["request_id"], set_=latest)

    def add(
        self, request_id: str, thumb: Thumb, at: float, key_id: str | None = None, comment: str | None = None
    ) -> None:
        """Take in a thumb, whether the request is known or not; a later one for it replaces this one."""
        values = {
            "request_id": storable_text(request_id),
            "thumb": thumb.value,
            "at": at,
            "key_id": key_id,
            "comment": None if comment is None else storable_text(comment),
        }
        with self._database.writing() as connection:
            connection.execute(self._add, values)

    def rows(self, since: float, until: float) -> Iterator[Feedback]:
        """Yield the feedback of a span of time in order, page by page.

        Args:
            since: seconds since the epoch, inclusive.
            until: seconds since the epoch, exclusive.
        """
        span = feedback.c.at >= since, feedback.c.at < until
        for row in paged(self._database, feedback, feedback.c.request_id, *span):
            yield Feedback(**{**row, "thumb": Thumb(row["thumb"])})
