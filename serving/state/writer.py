"""A thread that writes ledger rows and settlements, so that no request waits for the database."""

import logging
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from serving.errors import StateError, StateUnavailableError
from serving.spending.ledger_row import LedgerRow
from serving.state.backlog import Backlog
from serving.state.budgets import Budgets
from serving.state.entries import Entry, Settlement, to_line
from serving.state.journal import Journal
from serving.state.ledger import Ledger
from serving.state.shifts import Amounts

__all__ = ["RowWriter"]

_log = logging.getLogger("serving")

_MEBIBYTE = 1 << 20
_IDLE_SECONDS = 30.0  # after which a thread with nothing to do looks for what dead processes left


class RowWriter:
    """Writes, in the background and each entry once, what it is given.

    An entry goes to the journal before `put` returns (some 20 microseconds), so that from then on neither a
    kill nor a database that is down loses it. The thread gathers entries for a moment, writes them in batches
    and deletes them from the journal. While the database is down they wait, forced to the disk each time it
    was tried; when the journal is full, in memory; and when that is full too, they are dropped, counted and
    logged. What a process left in its journal the next one on this machine writes. Writing is idempotent, so
    that nothing is doubled.
    """

    def __init__(
        self,
        ledger: Ledger,
        budgets: Budgets,
        journal: Journal | None,
        *,
        linger_seconds: float = 0.02,
        retry_seconds: float = 1.0,
        most_bytes_in_memory: int = 16 * _MEBIBYTE,
    ) -> None:
        """Start the thread.

        Args:
            ledger: takes the rows.
            budgets: take the settlements.
            journal: closed with the writer; None where nothing may be written to disk.
            linger_seconds: for which entries are gathered.
            retry_seconds: between attempts while the database is down.
            most_bytes_in_memory: that wait where the journal has no room.
        """
        self._ledger = ledger
        self._budgets = budgets
        self._backlog = Backlog(journal, most_bytes_in_memory)
        self._linger_seconds = linger_seconds
        self._retry_seconds = retry_seconds
        self._wake = threading.Event()
        self._urgent = threading.Event()
        self._stopping = threading.Event()
        self._flushed = threading.Condition()
        self._asked = self._answered = 0
        self._refused = 0
        self._behind = False
        self._thread = threading.Thread(target=self._run, name="tierwise-writer", daemon=True)
        self._wake.set()  # for what the journal holds
        self._thread.start()

    @property
    def dropped(self) -> int:
        """How many entries were lost because there was no room, or because the database refused them."""
        return self._backlog.dropped + self._refused

    @property
    def waiting_bytes(self) -> int:
        """Bytes of entries that are not in the database yet."""
        return self._backlog.size

    @property
    def behind(self) -> bool:
        """Whether the last attempt to write failed."""
        return self._behind

    def begin(self, row: LedgerRow) -> None:
        """Note an attempt that is about to be made, as the row that it leaves should this process die in it.

        Never waits for the database; the row is written by whoever adopts the journal of the dead.

        Args:
            row: with the `attempt_id` of the row that `put` will take in.
        """
        self._backlog.begin(row.attempt_id, to_line(row))

    def put(self, row: LedgerRow) -> None:
        """Take in the row of an attempt, which has ended; never waits for the database."""
        self._accept(row)
        self._backlog.end(row.attempt_id)

    def settle(self, reservation_id: str, actual: Amounts) -> None:
        """Take in a settlement, as `Budgets.settle` takes it; never waits for the database.

        Until it is written, some hundredths of a second later, the reservation is held in full.
        """
        self._accept(Settlement(reservation_id, dict(actual)))

    def flush(self, timeout: float) -> bool:
        """Wait until all that was put before is in the database; return whether it is.

        Args:
            timeout: seconds to wait at most.
        """
        with self._flushed:
            self._asked += 1
            ticket = self._asked
            self._urgent.set()
            self._wake.set()
            return self._flushed.wait_for(lambda: self._answered >= ticket, timeout)

    def close(self, timeout: float = 10.0) -> bool:
        """Flush, stop, and return whether all is in the database; what is not stays in the journal."""
        written = self.flush(timeout)
        self._stopping.set()
        self._urgent.set()
        self._wake.set()
        self._thread.join()
        self._backlog.close()
        return written

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _accept(self, entry: Entry) -> None:
        self._backlog.put(to_line(entry))
        if not self._wake.is_set():
            self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            woken = self._wake.wait(_IDLE_SECONDS)
            self._wake.clear()
            self._urgent.wait(self._retry_seconds if self._behind else self._linger_seconds)
            self._urgent.clear()
            self._drain(adopt=not woken)
            if self._behind:
                self._wake.set()

    def _drain(self, *, adopt: bool) -> None:
        with self._flushed:
            asked = self._asked
        try:
            if adopt:
                self._backlog.adopt()
            self._backlog.drain(self._write)
        except (StateUnavailableError, OSError) as error:
            self._fell_behind(error)
            return
        if self._behind:
            _log.warning("the ledger is written again")
        self._behind = False
        with self._flushed:
            self._answered = asked
            self._flushed.notify_all()

    def _fell_behind(self, error: Exception) -> None:
        if not self._behind:
            _log.warning("the ledger cannot be written, rows wait: %s", error)
        self._behind = True
        try:
            self._backlog.sync()
        except OSError as failure:
            _log.error("the journal cannot be forced to the disk: %s", failure)

    def _write(self, entries: Sequence[Entry]) -> None:
        try:
            self._write_together(entries)
        except StateUnavailableError:
            raise
        except StateError:
            for entry in entries:
                self._write_alone(entry)

    def _write_together(self, entries: Sequence[Entry]) -> None:
        self._ledger.append([entry for entry in entries if isinstance(entry, LedgerRow)])
        settlements = {each.reservation_id: each.actual for each in entries if isinstance(each, Settlement)}
        if settlements:
            self._budgets.settle_many(settlements)

    def _write_alone(self, entry: Entry) -> None:
        try:
            self._write_together([entry])
        except StateUnavailableError:
            raise
        except StateError as error:
            self._refused += 1
            _log.error("the database refuses an entry, which is lost: %s", error)
