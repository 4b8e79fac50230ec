"""Entries on disk, on their way to the database: what a kill, or a database that is down, must not lose.

A folder of small files (segments) of JSON lines. A process appends to segments of its own, beside a lock file
that the system lets go of when the process dies; whoever finds the segments of a dead process takes them
over. A segment is deleted once the database has its entries. An append is in the system's hands at once, so
that a kill loses nothing; syncing a segment forces it to the disk, against a power failure. Beside the
segments stands what was begun and has not ended; whoever takes over takes it for ended by the death.
"""

import json
import logging
import os
import uuid
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import filelock

from serving.errors import StateError
from serving.state.in_flight import InFlight

__all__ = ["Journal"]

_log = logging.getLogger("serving")

_MEBIBYTE = 1 << 20
_SEGMENT = 4 * _MEBIBYTE  # bytes, after which the next one is begun


class Journal:
    """The journal of one process, bounded in bytes. Not thread-safe: its owner takes turns."""

    def __init__(self, folder: Path, most_bytes: int, lock: filelock.BaseFileLock) -> None:
        """Wrap a folder and the lock of our own segments; use `open`."""
        self._folder = folder
        self._most_bytes = most_bytes
        self._lock = lock
        self._name = Path(lock.lock_file).stem
        self._number = 0
        self._active: _Segment | None = None
        self._sealed: deque[_Segment] = deque()
        self._in_flight = InFlight(folder, self._name)

    @classmethod
    def open(cls, folder: Path, *, most_bytes: int = 64 * _MEBIBYTE) -> "Journal":
        """Open a journal in a folder that several processes may share, and adopt what is left there.

        Args:
            folder: made where it is missing, for its owner alone: entries may hold prompts.
            most_bytes: more than that this process does not take in.

        Raises:
            StateError: the folder cannot be written.
        """
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = _lock_of(folder, uuid.uuid4().hex[:12])
            lock.acquire()
            journal = cls(folder, most_bytes, lock)
            journal.adopt()
        except OSError as error:
            raise StateError(f"{folder}: no journal can be kept there: {error.strerror}") from error
        return journal

    @property
    def size(self) -> int:
        """Bytes that wait."""
        return sum(segment.size for segment in self._segments())

    def append(self, entry: bytes) -> bool:
        """Take in an entry, one line of JSON without its end; return False where there is no room for it.

        Raises:
            OSError: the disk did not take it; the journal is as it was.
        """
        line = entry + b"\n"
        if self.size + len(line) > self._most_bytes:
            return False
        if self._active is None:
            self._active = _Segment.begin(self._next_path())
        self._active.append(line)
        if self._active.size >= _SEGMENT:
            self.seal()
        return True

    def begin(self, identity: str, entry: bytes) -> None:
        """Note an entry that stands for another to come, should this process die before `end`.

        Who adopts it offers it after all entries that this process appended.

        Raises:
            OSError: the disk did not take it.
        """
        self._in_flight.begin(identity, entry)

    def end(self, identity: str) -> None:
        """Forget what was begun: the entry that it stood for has been appended."""
        self._in_flight.end(identity)

    def seal(self) -> None:
        """Let what was appended so far wait as a segment; the next entry begins another one."""
        if self._active is not None:
            self._active.close()
            self._sealed.append(self._active)
            self._active = None

    def oldest(self) -> "_Segment | None":
        """Return the segment that waits for longest, or None when none does."""
        return self._sealed[0] if self._sealed else None

    def done(self) -> None:
        """Delete the oldest segment."""
        self._sealed.popleft().delete()

    def unsynced(self) -> "list[_Segment]":
        """Return the segments of which not all was forced to the disk; `sync` does that to each."""
        return [segment for segment in self._segments() if segment.synced < segment.size]

    def adopt(self) -> None:
        """Take over the segments of processes that died.

        Raises:
            OSError: the folder cannot be read or written.
        """
        files = [path for kind in ("lock", "jsonl", "begun") for path in self._folder.glob(f"*.{kind}")]
        names = {path.name.partition(".")[0] for path in files} - {self._name}
        for name in sorted(names):
            lock = _lock_of(self._folder, name)
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                continue  # it lives
            try:
                self._take_over(name)
            finally:
                lock.release()
                Path(lock.lock_file).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go; the next process adopts what still waits."""
        self.seal()
        self._in_flight.close()
        self._lock.release()
        if not self._sealed:
            Path(self._lock.lock_file).unlink(missing_ok=True)

    def _segments(self) -> "list[_Segment]":
        return [*self._sealed, *([] if self._active is None else [self._active])]

    def _take_over(self, name: str) -> None:
        for path in [*sorted(self._folder.glob(f"{name}.*.jsonl")), *InFlight.left_by(self._folder, name)]:
            ours = path.rename(self._next_path())
            self._sealed.append(_Segment(ours, None, ours.stat().st_size))

    def _next_path(self) -> Path:
        self._number += 1
        return self._folder / f"{self._name}.{self._number:010d}.jsonl"


class _Segment:
    """One file of the journal."""

    def __init__(self, path: Path, descriptor: int | None, size: int) -> None:
        """Wrap a file, open for appending or (adopted) not."""
        self.path = path
        self.size = size
        self.synced = 0
        self._descriptor = descriptor

    @classmethod
    def begin(cls, path: Path) -> "_Segment":
        return cls(path, os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600), 0)

    def append(self, line: bytes) -> None:
        if self._descriptor is None:
            raise ValueError(f"{self.path} was adopted, not begun")
        try:
            written = os.write(self._descriptor, line)
            if written < len(line):
                raise OSError(f"{self.path}: only {written} of {len(line)} bytes were written")
        except OSError:
            os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(line)

    def entries(self) -> Iterator[dict[str, Any]]:
        """Yield what can be read; lines that a crash tore are left out, and logged."""
        torn = 0
        with self.path.open("rb") as file:
            for line in file:
                entry = _parsed(line)
                torn += entry is None
                if entry is not None:
                    yield entry
        if torn:
            _log.warning("journal %s: %d damaged lines were left out", self.path, torn)

    def sync(self) -> None:
        size = self.size
        descriptor = os.open(self.path, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        self.synced = size

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def delete(self) -> None:
        self.path.unlink(missing_ok=True)


def _lock_of(folder: Path, name: str) -> filelock.BaseFileLock:
    return filelock.FileLock(folder / f"{name}.lock", thread_local=False)


def _parsed(line: bytes) -> dict[str, Any] | None:
    if not line.endswith(b"\n"):
        return None
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None
