"""Events of a stream that were passed on unread, kept in case their text must be counted after all."""

from serving.proxy.chunks import Dialect, parsed
from serving.upstream import BrokenAnswerError

__all__ = ["Unread"]

_MOST_BYTES = 2**17  # of events, which are read when there are more: their text alone is smaller


class Unread:
    """The text of events, worked out when somebody asks: of most streams the usage comes at the end."""

    def __init__(self, dialect: Dialect) -> None:
        """Begin with none.

        Args:
            dialect: of the events.
        """
        self._dialect = dialect
        self._events: list[bytes] = []
        self._bytes = 0
        self._texts: list[str] = []

    def keep(self, events: bytes) -> None:
        """Take in whole events, for which the dialect says `is_plain`."""
        self._events.append(events)
        self._bytes += len(events)
        if self._bytes > _MOST_BYTES:
            self._read()

    def text(self) -> str:
        """Return what all of them say; what is no JSON after all says nothing."""
        self._read()
        return "".join(self._texts)

    def _read(self) -> None:
        for event in b"".join(self._events).split(b"\n\n"):
            try:
                chunk = parsed(event.removeprefix(b"data: ")) if event else None
            except BrokenAnswerError:
                continue
            self._texts.append(self._dialect.piece(chunk, begun=True).said)
        self._events.clear()
        self._bytes = 0
