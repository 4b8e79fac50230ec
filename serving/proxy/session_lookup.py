"""What the ledger knows of a conversation, asked so that no request waits for it long."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from serving.errors import StateError
from serving.proxy.books import StateBooks
from serving.spending.ledger_row import LedgerRow

__all__ = ["SessionLookup"]

_log = logging.getLogger("serving")

_MOST = 4  # at once: budgets need threads as well
_SILENT_SECONDS = 5.0  # after the database took too long


class SessionLookup:
    """Asks the ledger how a conversation was last answered, by whichever replica."""

    def __init__(self, books: StateBooks, clock: Callable[[], float] = time.monotonic) -> None:
        """Ask through the books.

        Args:
            books: the state.
            clock: seconds, from any start, never going back.
        """
        self._books = books
        self._clock = clock
        self._asking = 0
        self._silent_until = float("-inf")

    async def last(
        self, names: Sequence[str], key_id: str | None, since: float, seconds: float
    ) -> LedgerRow | None:
        """Return the row of the last answer; None where there is none, or the database does not tell in time.

        Args:
            names: under which the conversation may be known.
            key_id: of the caller's API key, or None.
            since: seconds since the epoch.
            seconds: to wait at most; for a while after waiting so long in vain, nobody asks.
        """
        if not names or seconds <= 0 or self._asking >= _MOST or self._clock() < self._silent_until:
            return None
        self._asking += 1
        looking = asyncio.ensure_future(self._look(names, key_id, since))
        looking.add_done_callback(self._done)
        done, _ = await asyncio.wait((looking,), timeout=seconds)
        if not done:
            self._silent_until = self._clock() + _SILENT_SECONDS
            _log.debug("the ledger did not tell of a session within %g s", seconds)
            return None
        return looking.result()

    async def _look(self, names: Sequence[str], key_id: str | None, since: float) -> LedgerRow | None:
        state = self._books.state
        try:
            return await self._books.run_aside(lambda: state.ledger.last_answered(names, key_id, since))
        except StateError as error:
            _log.debug("the ledger did not tell of a session: %s", error)
            return None

    def _done(self, _: "asyncio.Future[LedgerRow | None]") -> None:
        self._asking -= 1
