"""Requests from the ledger's rows: each row is one attempt."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from serving.spending.ledger_row import LedgerRow, Outcome

__all__ = ["LoggedRequest", "requests_of"]


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """A request, as the ledger tells it.

    Attributes:
        attempts: at least one, in the order in which they were made.
    """

    attempts: tuple[LedgerRow, ...]

    @property
    def first(self) -> LedgerRow:
        """The first attempt, for what all of a request's attempts have in common."""
        return self.attempts[0]

    @property
    def answer(self) -> LedgerRow | None:
        """The attempt that answered, or None."""
        return next((row for row in reversed(self.attempts) if row.outcome is Outcome.ANSWERED), None)

    @property
    def outcome(self) -> Outcome:
        """What became of it: answered if any attempt was, else what became of the last."""
        return self.attempts[-1].outcome if self.answer is None else Outcome.ANSWERED


def requests_of(rows: Iterable[LedgerRow]) -> Iterator[LoggedRequest]:
    """Put the attempts of each request together; holds no more rows than bear the same time.

    Args:
        rows: in order of `at`, which the attempts of a request share, as `Ledger.rows` yields them.
    """
    for _, together in groupby(rows, key=lambda row: row.at):
        by_request: dict[str, list[LedgerRow]] = {}
        for row in together:
            by_request.setdefault(row.request_id, []).append(row)
        for attempts in by_request.values():
            yield LoggedRequest(tuple(sorted(attempts, key=lambda row: row.attempt)))
