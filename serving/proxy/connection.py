"""One request's connection: headers, body within bounds, answer, and word of a client that left."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from types import TracebackType
from typing import Protocol, Self

from starlette.types import Message, Receive, Scope, Send

from serving.proxy.errors import ProxyError

__all__ = ["ClientLeftError", "Connection"]

_LINGER_SECONDS = 2.0
_LINGER_BYTES = 64 * 2**20
_JSON = ("content-type", "application/json")
_CLOSE = ("connection", "close")


class ClientLeftError(Exception):
    """The client closed its connection before it had sent its request, or got its answer."""


class _Closable(Protocol):
    def __aiter__(self) -> AsyncIterator[bytes]: ...

    async def aclose(self) -> None: ...


class Connection:
    """A request and the way back.

    Attributes:
        headers: of the request, names in lower case; of a repeated one the last.
        started: whether the answer has begun.
        status: of the answer, once it has begun; None before.
        ended: whether all of the answer was sent.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take it from the server, nothing of the body read."""
        self.headers: Mapping[str, str] = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        self._raw_headers: list[tuple[bytes, bytes]] = scope["headers"]
        self.started = False
        self.status: int | None = None
        self.ended = False
        self.client_left = False
        self._receive = receive
        self._send = send
        self._whole = False

    def listed(self, name: str) -> str:
        """Return a header that is a list, all lines of it joined by commas; empty where there is none."""
        wanted = name.encode()
        return ", ".join(value.decode("latin-1") for each, value in self._raw_headers if each == wanted)

    async def read(self, most: int, seconds: float) -> bytes:
        """Read the body.

        Args:
            most: bytes.
            seconds: for all of it to arrive.

        Raises:
            ProxyError: it is larger, or slower.
            ClientLeftError: the client left meanwhile.
        """
        told = self.headers.get("content-length", "")
        if told.isascii() and told.isdigit() and int(told[:20]) > most:
            raise _too_large(most)
        try:
            async with asyncio.timeout(seconds):
                return await self._read(most)
        except TimeoutError as error:
            raise ProxyError(
                408, "request_timeout", f"the body did not arrive within {seconds:g} s", headers=[_CLOSE]
            ) from error

    async def respond(self, status: int, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Send a whole answer."""
        await self._start(status, [*headers, ("content-length", str(len(body)))])
        await self._send({"type": "http.response.body", "body": body})
        self.ended = True

    async def respond_json(self, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        """Send a whole answer of JSON, with status 200."""
        await self.respond(200, [_JSON, *headers], body)

    async def stream(
        self, status: int, headers: Iterable[tuple[str, str]], body: _Closable, seconds: float
    ) -> None:
        """Send a stream to its end, and close it, however it ends.

        Args:
            status: of the response.
            headers: of the response.
            body: pieces as they come.
            seconds: until a client that does not read is cut off.

        Raises:
            ClientLeftError: it was cut off.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._start(status, headers)
                async for piece in body:
                    await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        except TimeoutError as error:
            raise ClientLeftError from error
        finally:
            await body.aclose()
        await self._send({"type": "http.response.body", "body": b""})
        self.ended = True

    async def refuse(self, error: ProxyError, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Send an error; where the body has not been read, close the connection behind it."""
        body = error.body
        sent = dict([_JSON, *headers, *error.headers, ("content-length", str(len(body)))])
        if not self._whole:
            sent.update([_CLOSE])
        await self._start(error.status, sent.items())
        await self._send({"type": "http.response.body", "body": body, "more_body": True})
        if not self._whole:
            await self._linger()
        await self._send({"type": "http.response.body", "body": b""})

    async def __aenter__(self) -> Self:
        """Watch for the client to leave, and cancel what runs inside when it does."""
        self._task = asyncio.current_task()
        self._watcher = asyncio.ensure_future(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watcher.cancel()
        uncancelled = self.client_left and self._task is not None and self._task.uncancel() == 0
        if uncancelled and isinstance(error, asyncio.CancelledError):
            raise ClientLeftError from error

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if self._task is not None and not self.ended:  # the server says the same once all was sent
            self.client_left = True
            self._task.cancel()

    async def _start(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        self.started, self.status = True, status
        await self._send({"type": "http.response.start", "status": status, "headers": encoded})

    async def _read(self, most: int) -> bytes:
        message = await self._next()
        if not message.get("more_body", False):
            self._whole = True
            first: bytes = message.get("body", b"")
            if len(first) > most:
                raise _too_large(most)
            return first
        pieces, size = [message.get("body", b"")], len(message.get("body", b""))
        while message.get("more_body", False):
            message = await self._next()
            pieces.append(message.get("body", b""))
            size += len(pieces[-1])
            if size > most:
                raise _too_large(most)
        self._whole = True
        return b"".join(pieces)

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientLeftError
        return message

    async def _linger(self) -> None:
        """Take in some of the rest, so that the client, still sending, gets to read the answer."""
        left = _LINGER_BYTES
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                while left > 0:
                    message = await self._next()
                    left -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except (TimeoutError, ClientLeftError):
            return


def _too_large(most: int) -> ProxyError:
    return ProxyError(413, "body_too_large", f"the body is larger than {most} bytes", headers=[_CLOSE])
