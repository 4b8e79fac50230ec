"""Streams that stay the SDK's own, and keep the record of their call while they run."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Self

from httpx2 import AsyncByteStream, SyncByteStream

from serving.cost import Tokens
from serving.routing import Routing, attach
from serving.trial import Trial
from serving.upstream import (
    FAILURES,
    APITimeoutError,
    AsyncStream,
    BrokenAnswerError,
    ChatCompletionChunk,
    ChunkChoice,
    Stream,
    choices_of,
    has_token,
    said,
)

__all__ = ["AsyncRoutedStream", "RoutedStream"]


class _Watch:
    """What a stream has shown so far, and what that means for the record; shared by both kinds of stream."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.ahead: deque[ChatCompletionChunk] = deque()
        self.begun = False
        self.priming = False
        self._reading = False
        self._tokens: Tokens | None = None
        self._said: list[str] = []
        self._finished = False

    @property
    def routing(self) -> Routing:
        return self.trial.call.routing()

    def reading(self) -> None:
        self._reading = True

    def saw(self, chunk: ChatCompletionChunk) -> bool:
        """Take in a chunk; return whether the caller is to see it: not the usage that only we asked for."""
        self._reading = False
        choices = choices_of(chunk)
        for choice in choices:
            self._take(choice)
        usage = chunk.usage if isinstance(chunk, ChatCompletionChunk) else None
        if usage is None:
            return True
        self._tokens = Tokens.from_usage(usage) or self._tokens
        return bool(choices) or self.trial.call.order.wants_usage

    def _take(self, choice: ChunkChoice) -> None:
        self._said.append(said(choice.delta))
        self._finished = self._finished or choice.finish_reason is not None
        if not self.begun and has_token(choice):
            self.begun = True
            self.trial.deadline.begun()
            self.trial.call.answering(self.trial)

    def ended(self) -> None:
        self._reading = False
        if self.priming:
            raise BrokenAnswerError("the stream ended before its first token")
        failure = "" if self._finished else "the stream ended without a finish reason"
        self._conclude(failure, failure)

    def broke(self, error: Exception) -> None:
        self._reading = False
        if not self.priming:
            cause = self.trial.failure_of(error).cause
            self._conclude(cause, cause)
            attach(error, self.routing)

    def left(self) -> None:
        """Note that the caller went away while a read was under way, as when a client of theirs hangs up."""
        self._reading = False
        self.closed()

    def closed(self) -> None:
        """Note that the response was closed: by the caller, unless a read of ours is under way."""
        if not self._reading and not self.priming:
            self._conclude("", "the stream was closed before its usage came")

    def _conclude(self, failure: str, why_no_usage: str) -> None:
        if self.trial.call.complete:
            return
        if self._tokens is not None:
            self.trial.answered(self._tokens, failure)
        else:
            self.trial.answered_text("".join(self._said), failure, why_no_usage)


class RoutedStream(Stream[ChatCompletionChunk]):
    """The SDK's stream, with the record of its call as `routing`; complete once it has ended."""

    _watch: _Watch

    @property
    def routing(self) -> Routing:
        """The record as it stands."""
        return self._watch.routing

    def follow(self, trial: Trial) -> None:
        """Keep the record of an attempt from here on."""
        self._watch = _Watch(trial)
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
                watch.ahead.append(chunk)
        watch.priming = False

    def __iter__(self) -> Iterator[ChatCompletionChunk]:
        return self

    def __next__(self) -> ChatCompletionChunk:
        if self._watch.ahead:
            return self._watch.ahead.popleft()
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
        return chunk, watch.saw(chunk)


class AsyncRoutedStream(AsyncStream[ChatCompletionChunk]):
    """The SDK's async stream, with the record of its call as `routing`; complete once it has ended."""

    _watch: _Watch

    @property
    def routing(self) -> Routing:
        """The record as it stands."""
        return self._watch.routing

    def follow(self, trial: Trial) -> None:
        """Keep the record of an attempt from here on."""
        self._watch = _Watch(trial)
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
                watch.ahead.append(chunk)
        watch.priming = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> ChatCompletionChunk:
        if self._watch.ahead:
            return self._watch.ahead.popleft()
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
        return chunk, watch.saw(chunk)

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
