"""Streams that stay the SDK's own, and keep the record of their call while they run."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Self

from httpx2 import AsyncByteStream, SyncByteStream

from serving.cost import Tokens
from serving.routing import Routing
from serving.stream_watch import Piece, StreamWatch
from serving.trial import Trial
from serving.upstream import (
    FAILURES,
    APITimeoutError,
    AsyncStream,
    ChatCompletionChunk,
    Stream,
    choices_of,
    has_token,
    said,
)

__all__ = ["AsyncRoutedStream", "RoutedStream"]


def piece_of(chunk: object, *, begun: bool) -> Piece:
    """Return what a chunk comes to, whatever the upstream has sent as one.

    Args:
        chunk: as the SDK parsed it.
        begun: whether the first token has come, so that nothing need be looked for any more.
    """
    choices = choices_of(chunk)
    usage = chunk.usage if isinstance(chunk, ChatCompletionChunk) else None
    return Piece(
        said="".join([said(choice.delta) for choice in choices]),
        has_token=begun or any(has_token(choice) for choice in choices),
        has_choices=bool(choices),
        finished=any(choice.finish_reason is not None for choice in choices),
        has_usage=usage is not None,
        tokens=None if usage is None else Tokens.from_usage(usage),
    )


class RoutedStream(Stream[ChatCompletionChunk]):
    """The SDK's stream, with the record of its call as `routing`; complete once it has ended."""

    _watch: StreamWatch
    _ahead: deque[ChatCompletionChunk]

    @property
    def routing(self) -> Routing:
        """The record as it stands."""
        return self._watch.routing

    def follow(self, trial: Trial) -> None:
        """Keep the record of an attempt from here on."""
        self._watch, self._ahead = StreamWatch(trial), deque()
        self.response.stream = _Closing(self.response.stream, self._watch.closed)  # type: ignore[arg-type]

    def prime(self) -> None:
        """Read ahead to the first token, so that another model can still answer if none comes.

        Raises:
            BrokenAnswerError: the stream ended before.
            APIError: it broke, or took too long.
        """
        watch = self._watch
        watch.priming = True
        while not watch.begun:
            chunk, shown = self._step()
            if shown:
                self._ahead.append(chunk)
        watch.priming = False

    def __iter__(self) -> Iterator[ChatCompletionChunk]:
        return self

    def __next__(self) -> ChatCompletionChunk:
        if self._ahead:
            return self._ahead.popleft()
        while True:
            chunk, shown = self._step()
            if shown:
                return chunk

    def _step(self) -> tuple[ChatCompletionChunk, bool]:
        watch = self._watch
        watch.reading()
        try:
            chunk = super().__next__()
        except StopIteration:
            watch.ended()
            raise
        except FAILURES as error:
            watch.broke(error)
            raise
        return chunk, watch.saw(piece_of(chunk, begun=watch.begun))


class AsyncRoutedStream(AsyncStream[ChatCompletionChunk]):
    """The SDK's async stream, with the record of its call as `routing`; complete once it has ended."""

    _watch: StreamWatch
    _ahead: deque[ChatCompletionChunk]

    @property
    def routing(self) -> Routing:
        """The record as it stands."""
        return self._watch.routing

    def follow(self, trial: Trial) -> None:
        """Keep the record of an attempt from here on."""
        self._watch, self._ahead = StreamWatch(trial), deque()
        self.response.stream = _AsyncClosing(self.response.stream, self._watch.closed)  # type: ignore[arg-type]

    async def prime(self) -> None:
        """Read ahead to the first token, so that another model can still answer if none comes.

        Raises:
            BrokenAnswerError: the stream ended before.
            APIError: it broke, or took too long.
        """
        watch = self._watch
        watch.priming = True
        while not watch.begun:
            chunk, shown = await self._step()
            if shown:
                self._ahead.append(chunk)
        watch.priming = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatCompletionChunk:
        if self._ahead:
            return self._ahead.popleft()
        while True:
            chunk, shown = await self._step()
            if shown:
                return chunk

    async def _step(self) -> tuple[ChatCompletionChunk, bool]:
        watch = self._watch
        watch.reading()
        try:
            chunk = await self._next_in_time()
        except StopAsyncIteration:
            watch.ended()
            raise
        except FAILURES as error:
            watch.broke(error)
            raise
        except asyncio.CancelledError:
            watch.left()
            raise
        return chunk, watch.saw(piece_of(chunk, begun=watch.begun))

    async def _next_in_time(self) -> ChatCompletionChunk:
        try:
            async with asyncio.timeout(self._watch.trial.deadline.left()):
                return await super().__anext__()
        except TimeoutError as error:
            raise APITimeoutError(self.response.request) from error


class _Closing(SyncByteStream):
    """The body of a response, that tells when it is closed."""

    def __init__(self, inner: SyncByteStream, closed: Callable[[], None]) -> None:
        self._inner = inner
        self._closed = closed

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._inner)

    def close(self) -> None:
        self._inner.close()
        self._closed()


class _AsyncClosing(AsyncByteStream):
    """The body of an async response, that tells when it is closed."""

    def __init__(self, inner: AsyncByteStream, closed: Callable[[], None]) -> None:
        self._inner = inner
        self._closed = closed

    def __aiter__(self) -> AsyncIterator[bytes]:
        return aiter(self._inner)

    async def aclose(self) -> None:
        await self._inner.aclose()
        self._closed()
