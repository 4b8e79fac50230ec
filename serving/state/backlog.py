"""The lines that wait for the database: in the journal, or in memory where that has no room for them."""

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from serving.state.entries import Entry, from_line
from serving.state.journal import Journal

__all__ = ["Backlog"]

_log = logging.getLogger("serving")

_BATCH = 500  # entries a transaction: long enough to be cheap, short enough for others to get their turn


class Backlog:
    """What waits, bounded on disk and in memory; any thread may put, one thread drains."""

    def __init__(self, journal: Journal | None, most_bytes: int) -> None:
        """Begin with what the journal holds.

        Args:
            journal: or None, where nothing may be written to disk.
            most_bytes: of lines in memory.
        """
        self._journal = journal
        self._most_bytes = most_bytes
        self._turn = threading.Lock()
        self._memory: deque[bytes] = deque()
        self._memory_bytes = 0
        self._disk_failed = False
        self._dropped = 0

    @property
    def dropped(self) -> int:
        """How many lines found no room."""
        return self._dropped

    @property
    def size(self) -> int:
        """Bytes that wait."""
        with self._turn:
            return self._memory_bytes + (0 if self._journal is None else self._journal.size)

    def begin(self, identity: str, line: bytes) -> None:
        """Note on disk, where there is a journal, a line that stands for one to come. Never waits."""
        if self._journal is None:
            return
        with self._turn:
            try:
                self._journal.begin(identity, line)
            except OSError as error:
                self._told(error)

    def end(self, identity: str) -> None:
        """Forget what was begun, once what it stood for was put."""
        if self._journal is not None:
            with self._turn:
                self._journal.end(identity)

    def put(self, line: bytes) -> None:
        """Take in a line; where there is no room for it, it is dropped, counted and logged. Never waits."""
        with self._turn:
            if self._journalled(line):
                return
            if self._memory_bytes + len(line) <= self._most_bytes:
                self._memory.append(line)
                self._memory_bytes += len(line)
                return
            self._dropped += 1
            if self._dropped & (self._dropped - 1) == 0:  # the 1st, 2nd, 4th, 8th...
                _log.error("journal and memory are full: %d rows were lost so far", self._dropped)

    def drain(self, write: Callable[[Sequence[Entry]], None]) -> None:
        """Write all that waited when this began, oldest segment first; what was written is not offered again.

        A segment of which only a part was written is offered whole again: writing is idempotent. A new one is
        begun only when the earlier ones are written, so that an outage leaves few and not many.

        Raises:
            OSError: a segment cannot be read.
            Exception: whatever `write` raises.
        """
        self._drain_journal(write)
        while batch := self._first_in_memory():
            write([entry for entry in map(_entry, map(_loaded, batch)) if entry is not None])
            self._forget(batch)

    def adopt(self) -> None:
        """Take over what processes that died have left on disk.

        Raises:
            OSError: the folder cannot be read or written.
        """
        if self._journal is not None:
            with self._turn:
                self._journal.adopt()

    def sync(self) -> None:
        """Force what waits on disk to it, while others go on putting.

        Raises:
            OSError: the disk did not take it.
        """
        if self._journal is not None:
            with self._turn:
                segments = self._journal.unsynced()
            for segment in segments:
                segment.sync()

    def close(self) -> None:
        """Let go of the journal; what waits in memory alone is lost, and logged.

        Raises:
            OSError: the disk did not take what waits.
        """
        self.sync()
        with self._turn:
            if self._memory:
                self._dropped += len(self._memory)
                _log.error(
                    "%d rows were lost: the database is down and there is no journal", len(self._memory)
                )
            if self._journal is not None:
                self._journal.close()

    def _journalled(self, line: bytes) -> bool:
        if self._journal is None:
            return False
        try:
            taken = self._journal.append(line)
        except OSError as error:
            self._told(error)
            return False
        self._disk_failed = False
        return taken

    def _told(self, error: OSError) -> None:
        if not self._disk_failed:
            _log.error("the journal cannot be written, rows wait in memory: %s", error)
        self._disk_failed = True

    def _drain_journal(self, write: Callable[[Sequence[Entry]], None]) -> None:
        if self._journal is None:
            return
        self._drain_sealed(self._journal, write)
        with self._turn:
            self._journal.seal()
        self._drain_sealed(self._journal, write)

    def _drain_sealed(self, journal: Journal, write: Callable[[Sequence[Entry]], None]) -> None:
        while (segment := journal.oldest()) is not None:
            entries = (entry for entry in map(_entry, segment.entries()) if entry is not None)
            for batch in _batches(entries):
                write(batch)
            with self._turn:
                journal.done()

    def _first_in_memory(self) -> list[bytes]:
        with self._turn:
            return list(islice(self._memory, _BATCH))

    def _forget(self, batch: Sequence[bytes]) -> None:
        with self._turn:
            for line in batch:
                self._memory.popleft()
                self._memory_bytes -= len(line)


def _loaded(line: bytes) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(line)
    return values


def _entry(values: dict[str, Any]) -> Entry | None:
    try:
        return from_line(values)
    except (TypeError, ValueError, KeyError) as error:
        _log.error("an entry of the journal is of no use, and left out: %s", error)
        return None


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    rest = iter(entries)
    while batch := list(islice(rest, _BATCH)):
        yield batch
