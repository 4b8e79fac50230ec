"""How the day's budgets stand, read in the background for whoever shows them."""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import tzinfo

from serving.errors import StateError
from serving.proxy.books import StateBooks
from serving.spending.budget_terms import Standing, day_of

__all__ = ["BudgetBoard"]

_REFRESH_SECONDS = 5.0


class BudgetBoard:
    """The budgets as they were last read: no scrape waits for the database.

    Attributes:
        standing: of the day, of all budgets that were used.
        read_at: when they were read, seconds since the epoch; None before the first time.
    """

    def __init__(self, books: StateBooks, now: Callable[[], float]) -> None:
        """Begin before the first look.

        Args:
            books: give the database and its threads.
            now: seconds since the epoch.
        """
        self.standing: tuple[Standing, ...] = ()
        self.read_at: float | None = None
        self._books = books
        self._now = now

    async def read(self, zone: tzinfo) -> None:
        """Look.

        Args:
            zone: whose midnight begins the day.

        Raises:
            StateError: the database does not answer; what was read before stands.
        """
        day = day_of(self._now(), zone)
        self.standing = tuple(await self._books.run_aside(lambda: self._books.state.budgets.standing(day)))
        self.read_at = self._now()

    async def read_forever(
        self, zone: Callable[[], tzinfo | None], seconds: float = _REFRESH_SECONDS
    ) -> None:
        """Look every few seconds.

        Args:
            zone: of the day, as it is configured now; None while nobody may ask.
            seconds: between looks.
        """
        while True:
            own = zone()
            if own is not None:
                with contextlib.suppress(StateError):  # the time of the last look tells
                    await self.read(own)
            await asyncio.sleep(seconds)
