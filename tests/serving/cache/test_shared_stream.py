import asyncio
from typing import Self

import pytest

from serving.cache.shared_stream import Reader, SharedStream


class Source:
    """A stream whose pieces come when they are put."""

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[bytes | BaseException | None] = asyncio.Queue()
        self.closed = 0

    def put(self, *pieces: bytes | BaseException | None) -> None:
        for piece in pieces:
            self._pieces.put_nowait(piece)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        piece = await self._pieces.get()
        if piece is None:
            raise StopAsyncIteration
        if isinstance(piece, BaseException):
            raise piece
        return piece

    async def aclose(self) -> None:
        self.closed += 1


class Shared:
    def __init__(self, most_bytes: int = 100) -> None:
        self.source = Source()
        self.told: list[bytes | None] = []
        self.stream = SharedStream(self.source, most_bytes, self.told.append)


async def read(reader: Reader) -> bytes:
    return b"".join([piece async for piece in reader])


async def test_every_reader_gets_all_of_it() -> None:
    shared = Shared()
    readers = [shared.stream.reader() for _ in range(3)]
    waiting = [asyncio.ensure_future(read(reader)) for reader in readers]
    shared.source.put(b"a", b"b", None)
    assert await asyncio.gather(*waiting) == [b"ab"] * 3
    assert await read(shared.stream.reader()) == b"ab"  # who comes late too
    assert all(reader.ended for reader in readers)
    assert shared.told == [b"ab"]
    assert shared.source.closed == 1


async def test_a_reader_that_is_cancelled_takes_nothing_from_the_others() -> None:
    shared = Shared()
    first, second = shared.stream.reader(), shared.stream.reader()
    waiting = asyncio.ensure_future(anext(first))
    await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.sleep(0)
    await first.aclose()
    shared.source.put(b"a", None)
    assert await read(second) == b"a"
    assert not first.ended


async def test_closing_ends_a_read_that_is_under_way_and_nothing_is_kept() -> None:
    shared = Shared()
    shared.source.put(b"a")
    reader = shared.stream.reader()
    assert await anext(reader) == b"a"
    waiting = asyncio.ensure_future(anext(reader))
    await asyncio.sleep(0.01)
    waiting.cancel()
    await reader.aclose()
    await shared.stream.aclose()
    await shared.stream.aclose()
    assert shared.told == [None]
    assert shared.source.closed == 1


async def test_a_failure_is_every_reader_s() -> None:
    shared = Shared()
    shared.source.put(b"a", ValueError("broken"))
    for reader in (shared.stream.reader(), shared.stream.reader()):
        assert await anext(reader) == b"a"
        with pytest.raises(ValueError, match="broken"):
            await anext(reader)
    await shared.stream.aclose()
    assert shared.told == [None]


async def test_what_is_too_large_passes_without_being_kept() -> None:
    shared = Shared(most_bytes=3)
    fast, slow = shared.stream.reader(), shared.stream.reader()
    shared.source.put(b"aa", b"bb", b"cc", None)
    assert await read(fast) == b"aabbcc"
    assert shared.stream.whole
    assert await read(slow) == b"aabbcc"
    assert not shared.stream.whole
    assert shared.told == [None]


async def test_what_all_have_read_of_a_large_stream_is_dropped() -> None:
    shared = Shared(most_bytes=10)
    reader = shared.stream.reader()
    for _ in range(1000):
        shared.source.put(b"x" * 10)
        await anext(reader)
    assert shared.stream.kept_bytes <= 20
    await reader.aclose()
    await shared.stream.aclose()
