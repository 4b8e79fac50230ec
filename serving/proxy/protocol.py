"""HTTP as uvicorn and httptools speak it, with bounds that they lack: on a head, in bytes and time."""

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.proxy.errors import ProxyError

__all__ = ["BoundedProtocol", "JoinedTransport", "bounded"]


class JoinedTransport:
    """A transport that sends the head of a response together with what is written right behind it.

    uvicorn writes them one by one, and each write is a packet, and a client that wakes up for it.
    """

    def __init__(self, inner: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        """Wrap a transport."""
        self._inner = inner
        self._loop = loop
        self._head = b""

    def write(self, data: bytes) -> None:
        """Send, or keep what begins a response until the loop's next turn at the latest."""
        if self._head:
            head, self._head = self._head, b""
            self._inner.write(head + data)
        elif data.startswith(b"HTTP/1.1 "):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._inner.write(data)

    def close(self) -> None:
        """Send what is kept, and close."""
        self._flush()
        self._inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _flush(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._inner.write(head)


class BoundedProtocol(HttpToolsProtocol):
    """Refuses heads of requests that are too large or too slow, and says so in JSON."""

    most_bytes: int
    most_seconds: float

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False
        self._in_head = False
        self._head_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for a head, not forever."""
        super().connection_made(cast(asyncio.Transport, JoinedTransport(transport, self.loop)))
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take in bytes; those of a head that does not end are counted."""
        if self._refused:
            return
        was_in_head = self._in_head
        super().data_received(data)
        if was_in_head and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self.most_bytes:
                self._refuse_head()

    def on_message_begin(self) -> None:
        """Begin a head."""
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        if self._timer is None:
            self._wait()

    def on_headers_complete(self) -> None:
        """End a head."""
        self._in_head = False
        self._stop_waiting()
        if len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers) > self.most_bytes:
            self._refuse_head()
            return
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take in a part of a body, unless its head was refused."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request, unless its head was refused."""
        if not self._refused:
            super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP."""
        if not self._refused:
            self._refuse(ProxyError(400, "invalid_http", msg))

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.most_seconds, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _too_slow(self) -> None:
        self._timer = None
        if self._in_head:
            words = f"the headers did not arrive within {self.most_seconds:g} s"
            self._refuse(ProxyError(408, "request_timeout", words))
        elif not self.transport.is_closing():
            self.transport.close()

    def _refuse_head(self) -> None:
        words = f"the headers are larger than {self.most_bytes} bytes"
        self._refuse(ProxyError(431, "headers_too_large", words))

    def _refuse(self, error: ProxyError) -> None:
        self._refused = True
        self._stop_waiting()
        body = error.body
        head = f"content-type: application/json\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        self.transport.write(STATUS_LINE[error.status] + head.encode() + body)
        self.transport.close()


def bounded(most_bytes: int, most_seconds: float) -> type[BoundedProtocol]:
    """Return the protocol with its bounds: uvicorn makes one for each connection by itself."""
    return type("Bounded", (BoundedProtocol,), {"most_bytes": most_bytes, "most_seconds": most_seconds})
