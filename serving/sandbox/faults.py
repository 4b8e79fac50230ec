"""The ways in which an upstream fails, each a frozen value that knows how to play itself on a connection."""

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

from serving.sandbox.exchange import JSON, Exchange
from serving.sandbox.refusals import Refusal
from serving.sandbox.replies import Events, event

_PATIENCE = 60.0
_TIME_TO_READ = 0.02  # so that what was sent reaches the client before the failure does
_HTML = b"<!doctype html><title>502</title><h1>Bad gateway</h1><p>A proxy in between answered.</p>"
_FILLER = b"x" * 65_536


class Fault(Protocol):
    """Anything that can answer a request in its own way."""

    async def play(self, exchange: Exchange) -> None:
        """Answer, or fail to."""


@dataclass(frozen=True, slots=True)
class Normal:
    """No fault: the simulated answer, at the sandbox's latency."""

    async def play(self, exchange: Exchange) -> None:
        """Send the whole answer."""
        answer, pace = exchange.answer, exchange.answer.latency
        if answer.events is None:
            await exchange.hold(pace.first_token + pace.per_token * answer.tokens)
            await exchange.whole(answer.body)
            return
        await exchange.hold(pace.first_token)
        await exchange.start(answer.content_type)
        await _stream(exchange, answer.events, pace.per_token)


async def _stream(exchange: Exchange, events: Events, per_token: float) -> None:
    if per_token <= 0:
        await exchange.finish(b"".join(events.head + events.tokens + events.tail))
        return
    await exchange.write(b"".join(events.head))
    for one in events.tokens:
        await exchange.write(one)
        await exchange.hold(per_token)
    await exchange.finish(b"".join(events.tail))


_NORMAL = Normal()


@dataclass(frozen=True, slots=True)
class Status:
    """An error status.

    Attributes:
        code: 400-599.
        retry_after: what the header of that name says (seconds, or an HTTP date), or None for no header.
        body: what is sent instead of the usual JSON error object.
    """

    code: int
    retry_after: float | str | None = None
    body: bytes | None = None

    async def play(self, exchange: Exchange) -> None:
        """Send the error response."""
        headers = () if self.retry_after is None else (("retry-after", f"{self.retry_after}"),)
        refusal = Refusal(self.code, f"simulated failure with status {self.code}", "simulated", headers)
        await exchange.refuse(refusal, self.body)


@dataclass(frozen=True, slots=True)
class Silence:
    """The request is taken and never answered; the connection is closed after `seconds`."""

    seconds: float = _PATIENCE

    async def play(self, exchange: Exchange) -> None:
        """Hold the connection open without a byte."""
        await exchange.hold(self.seconds)
        await exchange.hang_up()


@dataclass(frozen=True, slots=True)
class Delay:
    """`seconds` before the first byte, then what `then` does (by default a normal answer)."""

    seconds: float
    then: Fault = _NORMAL

    async def play(self, exchange: Exchange) -> None:
        """Wait, then go on."""
        await exchange.hold(self.seconds)
        await self.then.play(exchange)


@dataclass(frozen=True, slots=True)
class Reset:
    """A TCP reset before any byte of an answer."""

    async def play(self, exchange: Exchange) -> None:
        """Cut the connection."""
        await exchange.reset()


@dataclass(frozen=True, slots=True)
class ResetAfter:
    """A TCP reset after so many tokens of a stream, or in the middle of a plain body."""

    tokens: int

    async def play(self, exchange: Exchange) -> None:
        """Begin the answer and cut the connection."""
        await exchange.begin(self.tokens)
        await asyncio.sleep(_TIME_TO_READ)
        await exchange.reset()


@dataclass(frozen=True, slots=True)
class StallAfter:
    """Silence after so many tokens (0: only the chunk with the role), or in the middle of a plain body."""

    tokens: int
    seconds: float = _PATIENCE

    async def play(self, exchange: Exchange) -> None:
        """Begin the answer and leave it at that."""
        await exchange.begin(self.tokens)
        await exchange.hold(self.seconds)
        await exchange.hang_up()


@dataclass(frozen=True, slots=True)
class EndAfter:
    """A stream that ends in good order after so many tokens, without finish reason, usage or `[DONE]`."""

    tokens: int

    async def play(self, exchange: Exchange) -> None:
        """Begin the answer and end it early; a plain answer becomes half a JSON body."""
        if exchange.answer.events is None:
            body = exchange.answer.body
            await exchange.whole(body[: len(body) // 2])
            return
        await exchange.begin(self.tokens)
        await exchange.finish()


@dataclass(frozen=True, slots=True)
class Comments:
    """`count` SSE comments, one every `pause` seconds, before the stream, as a waiting gateway sends."""

    pause: float
    count: int

    async def play(self, exchange: Exchange) -> None:
        """Send the comments, then the answer; a plain answer gets white space before its JSON."""
        events = exchange.answer.events
        await exchange.start(exchange.answer.content_type)
        for _ in range(self.count):
            await exchange.hold(self.pause)
            await exchange.write(b" " if events is None else b": still working\n\n")
        await (exchange.finish(exchange.answer.body) if events is None else _stream(exchange, events, 0.0))


@dataclass(frozen=True, slots=True)
class Drip:
    """The normal answer, `size` bytes at a time with `pause` seconds between."""

    pause: float
    size: int = 1

    async def play(self, exchange: Exchange) -> None:
        """Send the answer in small pieces, cut anywhere."""
        events = exchange.answer.events
        whole = (
            exchange.answer.body if events is None else b"".join(events.head + events.tokens + events.tail)
        )
        await exchange.start(exchange.answer.content_type)
        for at in range(0, len(whole), self.size):
            await exchange.write(whole[at : at + self.size])
            await exchange.hold(self.pause)
        await exchange.finish()


@dataclass(frozen=True, slots=True)
class BrokenJson:
    """Status 200 and a body, or the data of a stream's first event, that is not JSON."""

    async def play(self, exchange: Exchange) -> None:
        """Send what cannot be parsed."""
        if exchange.answer.events is None:
            await exchange.whole(b'{"id": "chatcmpl-broken", "choices": [{"index": 0, "mess')
            return
        await exchange.start(exchange.answer.content_type)
        await exchange.finish(b'data: {"id": "chatcmpl-broken", "choices": [{"ind\n\ndata: [DONE]\n\n')


@dataclass(frozen=True, slots=True)
class HtmlPage:
    """An HTML page instead of an answer, with status 200 or another."""

    status: int = 200

    async def play(self, exchange: Exchange) -> None:
        """Send the page."""
        await exchange.start("text/html; charset=utf-8", status=self.status, length=len(_HTML))
        await exchange.finish(_HTML)


@dataclass(frozen=True, slots=True)
class StreamError:
    """An error object inside a stream after so many tokens, as upstreams send when they fail late.

    Attributes:
        tokens: how many tokens come before it.
        message: what the error says.
    """

    tokens: int = 0
    message: str = "simulated failure inside the stream"

    async def play(self, exchange: Exchange) -> None:
        """Begin the stream and send the error; a plain answer becomes an error object with status 200."""
        error = {"error": {"message": self.message, "type": "server_error", "param": None, "code": None}}
        if exchange.answer.events is None:
            await exchange.whole(event(error).removeprefix(b"data: ").strip())
            return
        await exchange.begin(self.tokens)
        await asyncio.sleep(_TIME_TO_READ)
        await exchange.finish(event(error))


@dataclass(frozen=True, slots=True)
class NoUsage:
    """The normal answer without any usage, even where the request asked for it."""

    async def play(self, exchange: Exchange) -> None:
        """Leave out the usage (of a stream, the chunk that carries it)."""
        events = exchange.answer.events
        if events is None:
            await exchange.whole(exchange.answer.encode(False))
            return
        tail = tuple(one for one in events.tail if b'"choices":[],' not in one)
        await exchange.start(exchange.answer.content_type)
        await _stream(exchange, Events(events.head, events.tokens, tail), 0.0)


@dataclass(frozen=True, slots=True)
class Gigantic:
    """A body of at least `size` bytes: white space that never becomes JSON, or one endless event."""

    size: int = 64 * 1024 * 1024
    opening: bytes = field(default=b'{"id": "', repr=False)

    async def play(self, exchange: Exchange) -> None:
        """Send filler until the size is reached."""
        streamed = exchange.answer.events is not None
        await exchange.start(exchange.answer.content_type if streamed else JSON)
        await exchange.write((b"data: " if streamed else b"") + self.opening)
        for _ in range(self.size // len(_FILLER) + 1):
            await exchange.write(_FILLER)
            await asyncio.sleep(0)
        await exchange.finish()
