"""The ledger: every attempt a row, written once, read by time."""

from collections.abc import Iterator, Sequence

from sqlalchemy import delete, select

from serving.spending.ledger_row import LedgerRow, Outcome
from serving.state.database import Database
from serving.state.ledger_values import from_values, to_values
from serving.state.paging import paged
from serving.state.schema import ledger

__all__ = ["Ledger"]

_PRUNED_AT_ONCE = 5000  # rows; writers get their turn between


class Ledger:
    """The ledger of a database; any number of threads and processes may share it.

    Every method raises `StateUnavailableError` when the database does not answer in time.
    """

    def __init__(self, database: Database) -> None:
        """Keep it in a database."""
        self._database = database
        self._add = database.insert(ledger).on_conflict_do_nothing(index_elements=["attempt_id"])

    def append(self, rows: Sequence[LedgerRow]) -> None:
        """Write rows in one transaction; a row whose `attempt_id` stands already is left as it stands.

        Texts are cut to 1000 characters (prompts are not) and rid of what databases cannot hold, numbers
        bounded.

        Raises:
            StateUnavailableError: none was written, or all were and the answer was lost: give them again.
        """
        if rows:
            with self._database.writing() as connection:
                connection.execute(self._add, [to_values(row) for row in rows])

    def rows(self, since: float, until: float, key_id: str | None = None) -> Iterator[LedgerRow]:
        """Yield the rows of a span of time in order, page by page.

        Args:
            since: seconds since the epoch, inclusive.
            until: seconds since the epoch, exclusive.
            key_id: of the API key whose rows are wanted; None for all.
        """
        span = [ledger.c.at >= since, ledger.c.at < until]
        of_key = [] if key_id is None else [ledger.c.key_id == key_id]
        return map(from_values, paged(self._database, ledger, ledger.c.attempt_id, *span, *of_key))

    def attempts_of(self, request_id: str) -> tuple[LedgerRow, ...]:
        """Return the attempts of a request in their order; none where the request is not known."""
        wanted = (
            select(ledger).where(ledger.c.request_id == request_id).order_by(ledger.c.attempt, ledger.c.at)
        )
        with self._database.reading() as connection:
            return tuple(from_values(row) for row in connection.execute(wanted).mappings())

    def last_answered(self, sessions: Sequence[str], key_id: str | None, since: float) -> LedgerRow | None:
        """Return the latest attempt of a conversation that answered; None where there is none.

        Args:
            sessions: the names under which the conversation may be known.
            key_id: of the API key whose conversation it is; None for callers without a key.
            since: seconds since the epoch, inclusive.
        """
        wanted = (
            select(ledger)
            .where(ledger.c.session.in_(sessions), ledger.c.at >= since)
            .where(ledger.c.key_id.is_(None) if key_id is None else ledger.c.key_id == key_id)
            .where(ledger.c.outcome == Outcome.ANSWERED.value)
            .order_by(ledger.c.at.desc())
            .limit(1)
        )
        with self._database.reading() as connection:
            row = connection.execute(wanted).mappings().first()
        return None if row is None else from_values(row)

    def prune(self, before: float) -> int:
        """Delete the rows from before a moment, some thousand at a time; return how many there were.

        Args:
            before: seconds since the epoch, exclusive.
        """
        oldest = (
            select(ledger.c.attempt_id)
            .where(ledger.c.at < before)
            .order_by(ledger.c.at)
            .limit(_PRUNED_AT_ONCE)
        )
        some = delete(ledger).where(ledger.c.attempt_id.in_(oldest.scalar_subquery()))
        total, deleted = 0, _PRUNED_AT_ONCE
        while deleted == _PRUNED_AT_ONCE:
            with self._database.writing() as connection:
                deleted = connection.execute(some).rowcount
            total += deleted
        return total
