"""Connections to the upstream on asyncio itself: fewer layers and system calls below the same HTTP client.

The client's own backend asks the system about every idle connection before each request, and sends the
head and the body as two packets. Here asyncio has heard of a closed connection already, and both go out
together. Reads and writes are not bounded in time: whoever uses this bounds its calls (`deadline.within`).
"""

import asyncio
import contextlib
import ssl
from collections.abc import Iterable, Iterator
from typing import Any

import httpcore2
import httpx2

__all__ = ["AsyncioBackend", "use_asyncio"]

_BUFFER = 2**18
_MOST_JOINED = 2**16


def use_asyncio(client: httpx2.AsyncClient) -> None:
    """Make a client open its connections by this backend; those through another proxy stay as they are."""
    pool = getattr(client._transport, "_pool", None)  # httpx2 has no public way to hand it a backend
    if type(pool) is httpcore2.AsyncConnectionPool:
        pool._network_backend = AsyncioBackend()


class AsyncioBackend(httpcore2.AsyncNetworkBackend):
    """Opens connections."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Open a connection.

        Raises:
            ConnectError: nobody listens there, or the name is not known.
            ConnectTimeout: not in time.
        """
        with _told(httpcore2.ConnectError, httpcore2.ConnectTimeout):
            async with asyncio.timeout(timeout):
                address = None if local_address is None else (local_address, 0)
                reader, writer = await asyncio.open_connection(
                    host, port, limit=_BUFFER, local_addr=address, happy_eyeballs_delay=0.25
                )
        for option in socket_options or ():
            writer.get_extra_info("socket").setsockopt(*option)
        return _Stream(reader, writer)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


class _Stream(httpcore2.AsyncNetworkStream):
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._head = b""

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        with _told(httpcore2.ReadError, httpcore2.ReadTimeout):
            await self._flush()
            return await self._reader.read(max_bytes)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Send; the head of a request is kept until its body comes, or until an answer is waited for."""
        if not buffer:
            return
        with _told(httpcore2.WriteError, httpcore2.WriteTimeout):
            if not self._head and len(buffer) < _MOST_JOINED and buffer.endswith(b"\r\n\r\n"):
                self._head = buffer
                return
            await self._send(self._head + buffer)

    async def aclose(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        with _told(httpcore2.ConnectError, httpcore2.ConnectTimeout):
            try:
                async with asyncio.timeout(timeout):
                    await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
            except BaseException:
                self._writer.close()
                raise
        return self

    def get_extra_info(self, info: str) -> Any:
        match info:
            case "is_readable":  # of an idle connection: something came that nobody asked for, or its end
                return self._reader.at_eof() or self._has_bytes() or self._writer.is_closing()
            case "ssl_object" | "socket":
                return self._writer.get_extra_info(info)
            case "client_addr":
                return self._writer.get_extra_info("sockname")
            case "server_addr":
                return self._writer.get_extra_info("peername")
        return None

    def _has_bytes(self) -> bool:
        return bool(self._reader._buffer) or self._reader._eof  # type: ignore[attr-defined]

    async def _flush(self) -> None:
        if self._head:
            await self._send(b"")

    async def _send(self, data: bytes) -> None:
        joined, self._head = data or self._head, b""
        self._writer.write(joined)
        await self._writer.drain()


@contextlib.contextmanager
def _told(broken: type[Exception], late: type[Exception]) -> Iterator[None]:
    """Raise what the system raises as the HTTP client knows it."""
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except (OSError, RuntimeError) as error:
        raise broken(str(error)) from error
