"""One connection to the upstream, and one request on it after another."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import httptools

__all__ = ["BrokenConnectionError", "NeverSentError", "Reply", "Wire", "WireError"]

_MOST_WAITING = 2**18  # bytes of a body that nobody has read yet, above which no more are taken in
_MOST_HEAD = 2**18


class WireError(Exception):
    """The upstream could not be asked, or did not answer as HTTP has it."""


class NeverSentError(WireError):
    """There was no connection: nothing of the request has left."""


class BrokenConnectionError(WireError):
    """The connection broke, or brought no HTTP: the upstream may have read the request."""


class Wire(asyncio.Protocol):
    """A connection; between two requests it is idle.

    Attributes:
        idle_since: by the loop's clock.
        closed: whether it is of no use any more.
        status: of the answer; 0 until its head is there.
        fields: the headers of the answer, names in lower case.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, gone: "Callable[[Wire], None]") -> None:
        """Begin before the connection is made.

        Args:
            loop: that runs it.
            gone: told when it ends while it is idle.
        """
        self.idle_since = 0.0
        self.closed = False
        self._loop = loop
        self._gone = gone
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._parser: Any = None
        self._waiter: asyncio.Future[None] | None = None
        self._paused = False
        self._clear()

    def _clear(self) -> None:
        self.status = 0
        self.fields: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._head_bytes = 0
        self._interim = False
        self._bounded = False
        self._whole = False
        self._reusable = False
        self._broken: WireError | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Take in bytes; of an idle connection nobody asked for them."""
        if self._parser is None:
            self.close()
            return
        if not self.status:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._break("the upstream wants another protocol than HTTP/1.1")
        except httptools.HttpParserError as error:
            self._break(f"the upstream's answer is not HTTP: {error}")
        else:
            if not self.status and self._head_bytes > _MOST_HEAD:
                self._break(f"the head of the answer is larger than {_MOST_HEAD // 1024} KiB")

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end; where the head gave no length, it is the end of the body."""
        self.closed = True
        if self._parser is None:
            self._gone(self)
        elif not self._whole:
            if self.status and not self._bounded and exc is None:
                self._whole = True
            else:
                words = f"{exc}" if exc is not None else "the upstream closed the connection"
                self._broken = self._broken or BrokenConnectionError(words)
        self._wake()

    def on_message_begin(self) -> None:
        """Begin an answer; another one behind it was not asked for."""
        if self._whole:
            self._reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take in a header; trailers, behind the body, say nothing to us."""
        if not self.status and not self._whole:
            self.fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        """End a head, unless it was an interim one."""
        status = self._parser.get_status_code()
        if self._whole:
            return
        if status < 200:
            self._interim, self.fields = True, []
            return
        self.status = status
        self._bounded = any(name in (b"content-length", b"transfer-encoding") for name, _ in self.fields)
        self._wake()

    def on_body(self, body: bytes) -> None:
        """Take in a part of the body."""
        if self._whole:
            return
        self._pieces.append(body)
        self._waiting += len(body)
        if self._waiting > _MOST_WAITING and not self._paused and not self.closed:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def on_message_complete(self) -> None:
        """End an answer."""
        if self._interim:
            self._interim = False
        elif not self._whole:
            self._whole = True
            self._reusable = bool(self._parser.should_keep_alive())
            self._wake()

    @property
    def transport(self) -> asyncio.Transport:
        """What is written to."""
        return self._transport

    def secure(self, transport: asyncio.Transport) -> None:
        """Go on with another transport, which encrypts what this one carries."""
        self._transport = transport
        self._parser = None

    async def ask(self, request: bytes) -> None:
        """Send a request, and wait for the head of its answer.

        Raises:
            BrokenConnectionError: there is no answer.
        """
        self._clear()
        self._parser = httptools.HttpResponseParser(self)
        self._transport.write(request)
        try:
            while not self.status:
                if self._broken is not None:
                    raise self._broken
                await self._wait()
        except BaseException:
            self.close()
            raise

    async def piece(self) -> bytes:
        """Return what has come of the body since the last time, nothing at its end.

        Raises:
            BrokenConnectionError: it broke off.
        """
        while not self._pieces:
            if self._whole:
                return b""
            if self._broken is not None:
                raise self._broken
            await self._wait()
        found = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._waiting = 0
        if self._paused:
            self._paused = False
            if not self.closed:
                self._transport.resume_reading()
        return found

    def free(self) -> bool:
        """Become idle; return whether that can be: after a whole answer that leaves the connection open."""
        usable = self._whole and self._reusable and not self.closed and not self._paused
        if usable:
            self._parser = None
        return usable

    def close(self) -> None:
        """End the connection at once."""
        self.closed = True
        self._transport.abort()

    def _break(self, words: str) -> None:
        self._broken = self._broken or BrokenConnectionError(words)
        self.close()
        self._wake()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def _wait(self) -> None:
        waiter = self._waiter = self._loop.create_future()
        try:
            await waiter
        finally:
            self._waiter = None


class Reply:
    """An answer, its body still to be read; whoever has it closes it.

    Attributes:
        status: of the answer.
        headers: of the answer, names in lower case.
    """

    __slots__ = ("_done", "_wire", "headers", "status")

    def __init__(self, wire: Wire, done: Callable[[Wire], None]) -> None:
        """Take an answer whose head has come.

        Args:
            wire: that it comes on.
            done: takes the connection back.
        """
        self.status = wire.status
        self.headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in wire.fields)
        self._wire: Wire | None = wire
        self._done = done

    async def piece(self) -> bytes:
        """Return what has come of the body since the last time, nothing at its end.

        Raises:
            BrokenConnectionError: it broke off.
        """
        return b"" if self._wire is None else await self._wire.piece()

    def close(self) -> None:
        """Give the connection back, or end it where the body has not come whole; more than once is fine."""
        wire, self._wire = self._wire, None
        if wire is not None:
            self._done(wire)
