"""The ledger added up by the database, in bounded pieces, for those who look while traffic runs."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Select, and_, func, select

from serving.spending.day_totals import AnswerTimes, TierTotals
from serving.spending.ledger_row import Outcome
from serving.state.database import Database
from serving.state.schema import ledger
from serving.summary import NAMED

__all__ = ["Totals"]


class Totals:
    """Sums over the ledger of a database; any number of threads may share it.

    Every method raises `StateUnavailableError` when the database does not answer in time.
    """

    def __init__(self, database: Database) -> None:
        """Read a database."""
        self._database = database

    def by_tier(self, since: float, until: float) -> dict[str, TierTotals]:
        """Return what the rows of a span come to by tier; those without one under `NAMED`.

        Args:
            since: seconds since the epoch, inclusive.
            until: seconds since the epoch, exclusive.
        """
        wanted = _sums().where(ledger.c.at >= since, ledger.c.at < until)
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        return {row[0] or NAMED: _totals(*row[1:]) for row in rows}

    def latest_times(self, since: float, most: int) -> list[AnswerTimes]:
        """Return how long the answers among the latest attempts took; answers of caches are left out.

        Args:
            since: seconds since the epoch, inclusive.
            most: attempts to look at.
        """
        row = ledger.c
        latest = (
            select(
                row.tier,
                row.outcome,
                row.cache,
                row.routing_seconds,
                row.first_token_seconds,
                row.total_seconds,
            )
            .where(row.at >= since)
            .order_by(row.at.desc())
            .limit(most)
            .subquery()
        )
        wanted = select(
            latest.c.tier, latest.c.routing_seconds, latest.c.first_token_seconds, latest.c.total_seconds
        ).where(latest.c.outcome == Outcome.ANSWERED.value, latest.c.cache.is_(None))
        with self._database.reading() as connection:
            return [AnswerTimes(row[0] or NAMED, *row[1:]) for row in connection.execute(wanted)]


def _sums() -> Select[Any]:
    """Return the question; its columns are the tier and, in their order, `_COLUMNS`."""
    row = ledger.c
    asked, stored = row.cache.is_(None), row.cache.is_not(None)
    hit = and_(stored, row.outcome == Outcome.ANSWERED.value)
    known = and_(asked, row.usd.is_not(None), row.input_tokens.is_not(None), row.output_tokens.is_not(None))
    return select(
        row.tier,
        func.count().filter(row.attempt == 0),
        func.count(),
        func.count().filter(row.outcome == Outcome.ANSWERED.value),
        func.count().filter(asked, row.usd.is_(None)),
        func.count().filter(hit),
        func.count().filter(hit, row.cache == "semantic"),
        func.sum(row.usd).filter(asked),
        func.sum(row.saved_usd).filter(stored),
        func.sum(row.input_tokens).filter(known),
        func.sum(row.output_tokens).filter(known),
        func.sum(row.usd).filter(known),
    ).group_by(row.tier)


def _totals(*sums: Any) -> TierTotals:
    known = {name: each for name, each in zip(_COLUMNS, sums, strict=True) if each is not None}
    return TierTotals(**{name: _COLUMNS[name](each) for name, each in known.items()})


_COLUMNS: Mapping[str, Callable[[Any], Any]] = {  # databases give sums of whole numbers as decimals
    "requests": int,
    "attempts": int,
    "answered": int,
    "unknown": int,
    "hits": int,
    "semantic_hits": int,
    "usd": float,
    "cache_saved_usd": float,
    "input_tokens": int,
    "output_tokens": int,
    "known_usd": float,
}
