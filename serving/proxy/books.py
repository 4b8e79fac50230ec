"""The state as the proxy's event loop uses it: threads for what is waited for, a writer for what is not."""

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import tzinfo
from typing import TypeVar

from serving.errors import StateError, StateUnavailableError
from serving.observability.observers import Observers
from serving.proxy.reservations import Reservations
from serving.spending.budget_terms import Claim, Refused, Reserved, Unit, day_of
from serving.spending.ledger_row import LedgerRow
from serving.state import RowWriter, State

__all__ = ["StateBooks"]

_log = logging.getLogger("serving")

_BEAT_SECONDS = 5.0
_DEAD_SECONDS = 60.0  # without a heartbeat; more than clocks differ by
_PAUSE_SECONDS = 1.0  # after a failure, in which nobody else waits to see the same
_KEPT_DAYS = 40
_MOST_UNCHARGED = 100_000
_A_DAY = 86_400.0

T = TypeVar("T")


class StateBooks:
    """Reservations, rows and heartbeats of one process.

    Attributes:
        state: the database behind it.
        instance: this process, to the others.
        observers: told of every row.
    """

    def __init__(self, state: State, writer: RowWriter, now: Callable[[], float] = time.time) -> None:
        """Begin; `beat` must have succeeded once before the first reservation.

        Args:
            state: opened.
            writer: on the same state.
            now: seconds since the epoch.
        """
        self.state = state
        self.instance = uuid.uuid4().hex
        self.observers = Observers()
        self._writer = writer
        self._now = now
        self._threads = ThreadPoolExecutor(8, thread_name_prefix="tierwise-state")
        self._reservations = Reservations(self._reserved, self._threads, self._give_back)
        self._uncharged: deque[tuple[str, tuple[Claim, ...]]] = deque()
        self._silent = False
        self._down_until = 0.0

    async def run(self, work: Callable[[], T]) -> T:
        """Run what waits for the database in a thread of its own pool.

        For a moment after the database did not answer nobody else waits for it.

        Raises:
            StateError: as the work raises it.
        """
        return await self._in_thread(lambda: self._guarded(work))

    async def run_aside(self, work: Callable[[], T]) -> T:
        """Run what requests can do without: when it fails, that keeps nobody else from the database.

        Raises:
            StateError: as the work raises it.
        """
        return await self._in_thread(lambda: self._unless_down(work))

    async def reserve(self, reservation_id: str, claims: Sequence[Claim]) -> Reserved | Refused:
        """Reserve every claim or none, in one transaction with all who wait for theirs at that time.

        Raises:
            StateUnavailableError: the database does not answer.
        """
        return await self._reservations.reserve(reservation_id, claims)

    def settle(self, reservation_id: str, actual: Mapping[tuple[str, Unit], int]) -> None:
        """Settle a reservation, some hundredths of a second later."""
        self._writer.settle(reservation_id, actual)

    def charge_later(self, reservation_id: str, claims: Sequence[Claim]) -> None:
        """Charge what was spent without a reservation once the database answers; a kill before loses it."""
        if len(self._uncharged) >= _MOST_UNCHARGED:
            _log.error("too much was spent without reservations: a charge is dropped")
            return
        self._uncharged.append((reservation_id, tuple(claims)))

    def begin(self, row: LedgerRow) -> None:
        """Note what is to be the row of an attempt if this process is killed in it."""
        self._writer.begin(row)
        self.observers.attempting(row)

    def put(self, row: LedgerRow) -> None:
        """Write a row, some hundredths of a second later."""
        self._writer.put(row)
        self.observers.attempted(row)

    @property
    def waiting_bytes(self) -> int:
        """Bytes of rows and settlements that are not in the database yet."""
        return self._writer.waiting_bytes

    @property
    def dropped(self) -> int:
        """How many rows and settlements were lost."""
        return self._writer.dropped

    @property
    def behind(self) -> bool:
        """Whether the database did not take what was to be written last."""
        return self._writer.behind

    async def flushed(self, timeout: float) -> bool:
        """Wait until all that was put before stands in the database; return whether it does."""
        return await self._in_thread(lambda: self._writer.flush(timeout))

    def beat(self) -> None:
        """Tell the others that this process is alive.

        Raises:
            StateUnavailableError: the database does not answer.
        """
        self.state.instances.beat(self.instance, self._now())

    def look_after(self) -> None:
        """Beat, charge what dead processes hold, and what was spent while the database was down.

        Raises:
            StateUnavailableError: the database does not answer.
        """
        self.beat()
        dead_before = self._now() - _DEAD_SECONDS
        for orphan in self.state.budgets.charge_orphans(dead_before):
            _log.warning("a process died in a call: reservation %s is charged in full", orphan.reservation_id)
        self.state.instances.forget(dead_before - _DEAD_SECONDS)
        while self._uncharged:
            self.state.budgets.charge(*self._uncharged[0])
            self._uncharged.popleft()

    async def beat_forever(self, zone: tzinfo) -> None:
        """Look after the state every few seconds; a database that is down is told once."""
        pruned = ""
        while True:
            try:
                await self._in_thread(self.look_after)
                today = day_of(self._now() - _KEPT_DAYS * _A_DAY, zone)
                if today != pruned:
                    await self._in_thread(lambda day=today: self.state.budgets.prune(day))  # type: ignore[misc]
                    pruned = today
            except StateError as error:
                if not self._silent:
                    _log.warning("the state database does not answer: %s", error)
                self._silent = True
            else:
                if self._silent:
                    _log.warning("the state database answers again")
                self._silent = False
            await asyncio.sleep(_BEAT_SECONDS)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _reserved(self, asked: Mapping[str, Sequence[Claim]]) -> Mapping[str, Reserved | Refused]:
        return self._guarded(lambda: self.state.budgets.reserve_many(asked, self.instance))

    def _give_back(self, unwanted: Reserved) -> None:
        self.settle(unwanted.reservation_id, {(each.scope, each.unit): 0 for each in unwanted.claims})

    def _guarded(self, work: Callable[[], T]) -> T:
        self._check_it_is_up()
        try:
            return work()
        except StateUnavailableError:
            self._down_until = self._now() + _PAUSE_SECONDS
            raise

    def _unless_down(self, work: Callable[[], T]) -> T:
        self._check_it_is_up()
        return work()

    def _check_it_is_up(self) -> None:
        if self._now() < self._down_until:
            raise StateUnavailableError("the database did not answer a moment ago")

    def close(self, timeout: float) -> bool:
        """Write what waits, leave, and close the database; return whether all is written.

        Args:
            timeout: seconds to wait for that at most.
        """
        try:
            self.look_after()
        except StateError as error:
            _log.warning("the state database does not answer at the end: %s", error)
        written = self._writer.close(timeout)
        try:
            self.state.instances.leave(self.instance)
        except StateError as error:
            _log.warning("the state database does not answer at the end: %s", error)
        self._threads.shutdown(wait=True)
        self.state.close()
        return written
