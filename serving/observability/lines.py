"""Lines for standard error that never hold anybody up: a bounded queue, and a thread that writes."""

import contextlib
import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator
from typing import TextIO

__all__ = ["LineHandler", "LineWriter", "logging_to"]

_MOST_LINES = 4096
_LONGEST = 16 * 1024  # characters of one line
_DUE_SECONDS = 2.0  # for what waits at the end
_CUT = " (cut)"


class LineWriter:
    """Takes lines without ever waiting: at most 4,096 of 16 KiB wait for a reader that has stopped reading.

    What finds no room is dropped and counted, and the number is told when lines are taken again. The thread
    writes to the descriptor itself, so that no lock of a stream is held when it hangs.
    """

    def __init__(
        self, write: Callable[[bytes], None], told: Callable[[int], str], most_lines: int = _MOST_LINES
    ) -> None:
        """Start the thread.

        Args:
            write: writes; may block, may raise OSError or ValueError.
            told: words the number of lines that were dropped.
            most_lines: that wait.
        """
        self._write = write
        self._told = told
        self._queue: queue.Queue[str | None] = queue.Queue(most_lines)
        self._dropped = 0
        self._untold = 0
        self._thread = threading.Thread(target=self._run, name="tierwise-log", daemon=True)
        self._thread.start()

    @classmethod
    def to(cls, stream: TextIO, told: Callable[[int], str]) -> "LineWriter":
        """Return a writer to a stream: to its descriptor, where it has one."""
        try:
            descriptor = stream.fileno()
        except (OSError, ValueError):
            return cls(lambda line: _to_stream(stream, line), told)
        return cls(lambda line: _to_descriptor(descriptor, line), told)

    @property
    def dropped(self) -> int:
        """How many lines found no room."""
        return self._dropped

    def put(self, line: str) -> None:
        """Take in one line, without its end; never waits."""
        if len(line) > _LONGEST:
            line = line[: _LONGEST - len(_CUT)] + _CUT
        try:
            self._queue.put_nowait(line)
        except queue.Full:
            self._dropped += 1
            self._untold += 1

    def close(self, seconds: float = _DUE_SECONDS) -> bool:
        """Write what waits; return whether all was written within so many seconds."""
        with contextlib.suppress(queue.Full):
            self._queue.put(None, timeout=seconds)
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while (line := self._queue.get()) is not None:
            with contextlib.suppress(OSError, ValueError):  # nobody is left who could be told
                self._write(f"{line}\n".encode(errors="backslashreplace"))
                if self._untold:
                    untold, self._untold = self._untold, 0
                    self._write(f"{self._told(untold)}\n".encode())


class LineHandler(logging.Handler):
    """Hands the records of the standard library's logging to a writer of lines."""

    def __init__(self, writer: LineWriter, formatter: logging.Formatter) -> None:
        """Begin.

        Args:
            writer: of the lines.
            formatter: gives one line for each record.
        """
        super().__init__()
        self._writer = writer
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Hand one record on."""
        self._writer.put(self.format(record))


@contextlib.contextmanager
def logging_to(handler: logging.Handler, logger: logging.Logger) -> Iterator[None]:
    """Let a logger have one handler alone, and its own back at the end.

    Args:
        handler: that takes all.
        logger: usually the root.
    """
    before = list(logger.handlers)
    for each in before:
        logger.removeHandler(each)
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        for each in before:
            logger.addHandler(each)


def _to_descriptor(descriptor: int, line: bytes) -> None:
    while line:
        line = line[os.write(descriptor, line) :]


def _to_stream(stream: TextIO, line: bytes) -> None:
    stream.write(line.decode())
    stream.flush()
