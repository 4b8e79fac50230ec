"""One request being answered: what a fault can do with the connection."""

import asyncio
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from starlette.types import Receive, Scope, Send

from serving.sandbox.refusals import Refusal
from serving.sandbox.replies import Events

JSON = "application/json"
EVENT_STREAM = "text/event-stream; charset=utf-8"

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class ClientLeftError(Exception):
    """Raised inside the sandbox when the client closes its connection while the answer is held back."""


@dataclass(frozen=True, slots=True)
class Latency:
    """How long a simulated model takes; its profile's pace multiplies both.

    Attributes:
        first_token: seconds before the first token.
        per_token: seconds for each token.
    """

    first_token: float = 0.0
    per_token: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A normal answer, ready to be sent.

    Attributes:
        encode: returns the JSON body of the plain answer, with its usage (True) or without (False).
        events: the events when a stream was asked for, else None.
        latency: how slowly it is to be sent.
        tokens: how many tokens it has.
    """

    encode: Callable[[bool], bytes]
    events: Events | None = None
    latency: Latency = Latency()
    tokens: int = 0

    @property
    def body(self) -> bytes:
        """The whole JSON body of a plain answer."""
        return self.encode(True)

    @property
    def content_type(self) -> str:
        """The media type of the answer."""
        return JSON if self.events is None else EVENT_STREAM


class Exchange:
    """A connection on which one request, its body read, waits for its answer."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, answer: Answer) -> None:
        """Take the connection from the server, and what would be the normal answer."""
        self._transport = cast(asyncio.Transport, scope["state"]["transport"])
        self._receive = receive
        self._send = send
        self.answer = answer

    async def start(self, content_type: str, *, status: int = 200, length: int | None = None) -> None:
        """Send the response's head; without a length the body is chunked."""
        headers = [(b"content-type", content_type.encode("ascii"))]
        if length is not None:
            headers.append((b"content-length", str(length).encode("ascii")))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})

    async def write(self, data: bytes) -> None:
        """Send a part of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self, data: bytes = b"") -> None:
        """Send the last part of the body."""
        await self._send({"type": "http.response.body", "body": data, "more_body": False})

    async def whole(self, body: bytes, content_type: str = JSON) -> None:
        """Send a complete response with status 200."""
        await self.start(content_type, length=len(body))
        await self.finish(body)

    async def refuse(self, refusal: Refusal, body: bytes | None = None) -> None:
        """Send an error response; `body` replaces the usual error object."""
        content = refusal.body if body is None else body
        headers = [
            (b"content-type", JSON.encode("ascii")),
            (b"content-length", str(len(content)).encode("ascii")),
        ]
        headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in refusal.headers]
        await self._send({"type": "http.response.start", "status": refusal.status, "headers": headers})
        await self.finish(content)

    async def hold(self, seconds: float) -> None:
        """Wait.

        Raises:
            ClientLeftError: the client closed the connection meanwhile.
        """
        if seconds <= 0:
            return
        try:
            async with asyncio.timeout(seconds):
                await self._client_leaving()
        except TimeoutError:
            return
        raise ClientLeftError

    async def reset(self) -> None:
        """Cut the connection with a TCP reset instead of an orderly close."""
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        await self.hang_up()

    async def hang_up(self) -> None:
        """Close the connection without another byte, and wait until that is done."""
        self._transport.abort()
        await self._client_leaving()

    async def begin(self, tokens: int) -> None:
        """Send the answer as far as its first tokens: of a plain answer, half of the body.

        Args:
            tokens: how many tokens of a stream are sent; with 0, only its opening events.
        """
        events = self.answer.events
        if events is None:
            body = self.answer.body
            await self.start(JSON, length=len(body))
            await self.write(body[: len(body) // 2])
            return
        await self.start(EVENT_STREAM)
        await self.write(b"".join(events.head + events.tokens[:tokens]))

    async def _client_leaving(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
