"""What is under way, on disk: what a kill would otherwise leave no trace of."""

import os
from collections.abc import Iterable
from pathlib import Path

__all__ = ["InFlight"]

_COMPACT = 1 << 20  # bytes of a file, above which it is written anew with what is still under way


class InFlight:
    """Lines that were begun and have not ended. Not thread-safe: its owner takes turns.

    A file to which lines are appended when they begin; that one ends is known in memory alone. Who finds the
    file of a dead process therefore also finds lines that ended: they must be written such that what stands
    already is left as it stands.
    """

    def __init__(self, folder: Path, name: str) -> None:
        """Begin with none; the file is made with the first line.

        Args:
            folder: of the journal.
            name: of the process in it.
        """
        self._folder = folder
        self._name = name
        self._number = 0
        self._lines: dict[str, bytes] = {}
        self._path: Path | None = None
        self._descriptor = -1
        self._size = 0

    @classmethod
    def left_by(cls, folder: Path, name: str) -> list[Path]:
        """Return the files that a process left."""
        return sorted(folder.glob(f"{name}.*.begun"))

    def begin(self, identity: str, line: bytes) -> None:
        """Note what begins.

        Raises:
            OSError: the disk did not take it.
        """
        self._lines[identity] = line
        if self._path is None or (
            self._size > _COMPACT and self._size > 2 * sum(map(len, self._lines.values()))
        ):
            self._compact()
        else:
            self._size = _appended(self._descriptor, self._size, [line])

    def end(self, identity: str) -> None:
        """Forget what has ended; what is not known changes nothing."""
        self._lines.pop(identity, None)

    def close(self) -> None:
        """Let go; the file stays where something is still under way."""
        if self._path is not None:
            os.close(self._descriptor)
            if not self._lines:
                self._path.unlink(missing_ok=True)
            self._path = None

    def _compact(self) -> None:
        self._number += 1
        path = self._folder / f"{self._name}.{self._number:010d}.begun"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        try:
            size = _appended(descriptor, 0, self._lines.values())
        except OSError:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        old, old_descriptor = self._path, self._descriptor
        self._path, self._descriptor, self._size = path, descriptor, size
        if old is not None:
            os.close(old_descriptor)
            old.unlink(missing_ok=True)


def _appended(descriptor: int, size: int, lines: Iterable[bytes]) -> int:
    """Append lines to a file of a size, all or none; return the new size."""
    data = b"".join(line + b"\n" for line in lines)
    try:
        if os.write(descriptor, data) < len(data):
            raise OSError("the disk is full")
    except OSError:
        os.ftruncate(descriptor, size)
        raise
    return size + len(data)
