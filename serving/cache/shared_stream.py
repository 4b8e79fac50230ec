"""A stream that several read, each at its own pace, and that nobody ends but the last of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Protocol, Self

__all__ = ["Reader", "SharedStream"]


class _Closable(Protocol):
    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class SharedStream:
    """The pieces of a stream, drawn by whichever reader needs the next one first.

    What has come is kept for those who come later, as long as it is not larger than a bound; beyond that only
    what a present reader still has to read. Within one event loop.
    """

    def __init__(self, stream: _Closable, most_bytes: int, ended: Callable[[bytes | None], None]) -> None:
        """Begin with nothing drawn.

        Args:
            stream: closed when it has ended, or by `aclose`.
            most_bytes: that are kept.
            ended: told once, when the stream is closed: all of it, or None where it is larger, or was not
                read to its end.
        """
        self._stream = stream
        self._pieces_to_come = aiter(stream)
        self._most_bytes = most_bytes
        self._told = ended
        self._pieces: list[bytes] = []
        self._dropped = 0  # pieces that stood before those
        self._bytes = 0
        self._readers: set[Reader] = set()
        self._pull: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        self._closed = False
        self.ended = False

    @property
    def whole(self) -> bool:
        """Whether a new reader would get all of it from its beginning."""
        return self._dropped == 0

    @property
    def kept_bytes(self) -> int:
        """Bytes that are held for readers of now and of later."""
        return sum(map(len, self._pieces))

    def reader(self) -> "Reader":
        """Return a reader from the beginning, which must be closed in the end."""
        reader = Reader(self)
        self._readers.add(reader)
        return reader

    def forget(self, reader: "Reader") -> None:
        """Keep nothing for a reader any more."""
        self._readers.discard(reader)

    async def piece(self, number: int) -> bytes:
        """Return a piece, waiting for it to come; being cancelled meanwhile leaves the stream alone.

        Raises:
            StopAsyncIteration: the stream has ended before.
        """
        while number >= self._dropped + len(self._pieces):
            if self._error is not None:
                raise self._error
            if self.ended:
                raise StopAsyncIteration
            if self._pull is None:
                self._pull = asyncio.ensure_future(self._draw())
                self._pull.add_done_callback(_look_at)
            await asyncio.wait([self._pull])
        return self._pieces[number - self._dropped]

    def trim(self) -> None:
        """Drop what all readers have read, once it is too large to be kept."""
        if self._bytes > self._most_bytes and self._readers:
            read = min(reader.at for reader in self._readers) - self._dropped
            del self._pieces[:read]
            self._dropped += read

    async def aclose(self) -> None:
        """Close the stream; more than once is fine."""
        pull = self._pull
        if pull is not None and not pull.done():
            pull.cancel()
            await asyncio.wait([pull])
        await self._finish()

    async def _draw(self) -> None:
        try:
            piece = await anext(self._pieces_to_come)
        except StopAsyncIteration:
            self.ended = True
            await self._finish()
        except BaseException as error:
            self._error = error  # every reader's
            raise
        else:
            self._pieces.append(piece)
            self._bytes += len(piece)
        finally:
            self._pull = None

    async def _finish(self) -> None:
        if not self._closed:
            self._closed = True
            await self._stream.aclose()
            kept = self.ended and self.whole and self._bytes <= self._most_bytes
            self._told(b"".join(self._pieces) if kept else None)


def _look_at(pull: "asyncio.Task[None]") -> None:
    """Its failure is told to the readers, of whom there may be none."""
    if not pull.cancelled():
        pull.exception()


class Reader:
    """One reader of a shared stream: an async iterator over its pieces.

    Attributes:
        at: how many pieces were read.
        ended: whether the last one was.
    """

    def __init__(self, stream: SharedStream) -> None:
        """Begin at the beginning."""
        self._stream = stream
        self.at = 0
        self.ended = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        try:
            piece = await self._stream.piece(self.at)
        except StopAsyncIteration:
            self.ended = True
            raise
        self.at += 1
        self._stream.trim()
        return piece

    async def aclose(self) -> None:
        """Read no more."""
        self._stream.forget(self)
