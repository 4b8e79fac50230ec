"""Server-sent events, cut out of a body as it arrives and passed on as they are."""

import re

from serving.upstream import BrokenAnswerError

__all__ = ["DONE", "EventCutter", "data_of"]

DONE = b"[DONE]"
_END = re.compile(rb"\r?\n\r?\n")
_LARGEST = 32 * 2**20


class EventCutter:
    """Collects bytes, and gives out the events that are whole."""

    def __init__(self) -> None:
        """Begin before the first byte."""
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the events that have become whole, each with the blank line that ends it.

        Raises:
            BrokenAnswerError: an event does not end within 32 MiB.
        """
        rest = self._rest
        seen = max(0, len(rest) - 3)  # where an end may lie that the last bytes began
        rest += data
        events, start = [], 0
        for end in _END.finditer(rest, seen):
            events.append(bytes(rest[start : end.end()]))
            start = end.end()
        del rest[:start]
        if len(rest) > _LARGEST:
            raise BrokenAnswerError(f"an event of the stream is larger than {_LARGEST // 2**20} MiB")
        return events

    def rest(self) -> bytes:
        """Return what came after the last whole event."""
        return bytes(self._rest)


def data_of(event: bytes) -> bytes | None:
    r"""Return what an event carries; None for a comment.

    >>> data_of(b"data: {}\n\n"), data_of(b": ping\n\n")
    (b'{}', None)
    """
    if event.startswith(b"data: ") and event.count(b"\n") == 2:  # nearly all of them
        return event[6:].rstrip(b"\r\n")
    lines = [line[5:].removeprefix(b" ") for line in event.splitlines() if line.startswith(b"data:")]
    return b"\n".join(lines) if lines else None
