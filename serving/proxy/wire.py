"""HTTP to the upstream, on aiohttp: bodies as they come, no redirects, no cookies, no decompression.

What went wrong is told in two kinds, which the budgets rest on: nothing of the request can have left, or the
upstream may have read it. aiohttp takes a fifth of the time that httpx2 takes for a request; the routers,
which are subclasses of the SDK's client, stay with that.
"""

import asyncio
import ssl
from collections.abc import Callable, Iterable
from functools import cache
from os import strerror
from typing import NamedTuple
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

__all__ = ["BrokenConnectionError", "NeverSentError", "Reply", "WireClient", "WireError"]

_IDLE_SECONDS = 60.0  # less than what upstreams usually close idle connections after
_MOST_HEADER = 64 * 1024  # bytes of one line of the answer's head
_MOST_WAYS = 100  # remembered: an operator has a few, and a reload may bring others

_NOT_CONNECTED = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientHttpProxyError,
    aiohttp.ConnectionTimeoutError,
    ValueError,  # what is no URL, or no host's name
)


class WireError(Exception):
    """The upstream could not be asked, or did not answer as HTTP has it."""


class NeverSentError(WireError):
    """There was no connection: nothing of the request has left."""


class BrokenConnectionError(WireError):
    """The connection broke, or brought no HTTP: the upstream may have read the request."""


class _Way(NamedTuple):
    """How a URL is reached: through a proxy, or straight where that is None."""

    url: URL
    proxy: URL | None


class Reply:
    """An answer, its body still to be read; whoever has it closes it.

    Attributes:
        status: of the answer.
        headers: of the answer, names in lower case.
    """

    __slots__ = ("_closed", "_lost", "_response", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        """Take an answer whose head has come."""
        self.status = response.status
        self.headers = tuple((name.lower(), value) for name, value in response.headers.items())
        self._response = response
        self._closed = False
        connection = response.connection
        protocol = None if connection is None else connection.protocol
        self._lost = None if protocol is None else protocol.closed
        if self._lost is not None:
            self._lost.remove_done_callback(_look_at)
            self._lost.add_done_callback(_look_at)
            self._lost.add_done_callback(self._is_lost)

    async def piece(self) -> bytes:
        """Return what has come of the body since the last time, nothing at its end.

        Raises:
            BrokenConnectionError: it broke off.
        """
        if self._closed:
            return b""
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise _broken(error) from error

    async def read(self, most: int) -> bytes | None:
        """Return the whole body and close; None where it is larger than so many bytes.

        Raises:
            BrokenConnectionError: it broke off.
        """
        pieces, size = [], 0
        try:
            while piece := await self.piece():
                pieces.append(piece)
                size += len(piece)
                if size > most:
                    return None
        finally:
            self.close()
        return b"".join(pieces)

    def close(self) -> None:
        """Give the connection back, or end it where the body has not come whole; more than once is fine."""
        self._closed = True
        if self._lost is not None:
            self._lost.remove_done_callback(self._is_lost)
            self._lost = None
        self._response.close()

    def _is_lost(self, _lost: "asyncio.Future[None]") -> None:
        """End the wait for a body that stopped being HTTP, of which aiohttp tells nobody who reads it."""
        content = self._response.content
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError("the body is no HTTP any more"))


class WireClient:
    """Asks the upstream for all requests of the proxy, through the proxies that the environment names.

    It belongs to one event loop. Each request has a connection to itself; idle ones stay open for a while.
    """

    def __init__(self, tls: Callable[[], ssl.SSLContext], *, idle_seconds: float = _IDLE_SECONDS) -> None:
        """Begin without connections.

        Args:
            tls: makes what certificates are checked by; called when they are needed first.
            idle_seconds: after which a connection that nobody needed is closed.
        """
        self._tls = cache(tls)
        self._ways: dict[str, _Way] = {}
        self._idle_seconds = idle_seconds
        self._session: aiohttp.ClientSession | None = None

    async def send(
        self,
        method: str,
        url: str,
        headers: Iterable[tuple[str, str]],
        body: bytes = b"",
        *,
        connect_seconds: float | None = None,
    ) -> Reply:
        """Send a request, and return the answer once its head is there.

        Nothing but the connecting is bounded in time; whoever is cancelled leaves no connection behind.

        Args:
            method: of the request.
            url: absolute.
            headers: of the request, beside host and length.
            body: of the request.
            connect_seconds: for opening a connection, at most.

        Raises:
            NeverSentError: there was no connection.
            BrokenConnectionError: it broke.
        """
        session = self._session or self._opened()
        timeout = aiohttp.ClientTimeout(total=None, connect=connect_seconds, sock_connect=connect_seconds)
        try:
            way = self._ways.get(url) or self._way(url)
            response = await session.request(
                method,
                way.url,
                proxy=way.proxy,
                headers=headers,
                data=body or None,
                timeout=timeout,
                allow_redirects=False,
                ssl=self._tls() if url.startswith("https:") else True,
            )
        except _NOT_CONNECTED as error:
            raise NeverSentError(_why_not_connected(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise _broken(error) from error
        return Reply(response)

    async def aclose(self) -> None:
        """Close all connections."""
        if self._session is not None:
            await self._session.close()
            await asyncio.sleep(0)  # for the transports to close their sockets

    def _way(self, url: str) -> _Way:
        if len(self._ways) > _MOST_WAYS:
            self._ways.clear()
        way = self._ways[url] = _way_to(url)
        return way

    def _opened(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=self._idle_seconds)
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            trust_env=False,  # it would look into ~/.netrc for each request, and send what it finds there
            max_line_size=_MOST_HEADER,
            max_field_size=_MOST_HEADER,
        )
        return self._session


def _way_to(url: str) -> _Way:
    """Return the way that the environment names: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY."""
    to, proxies = URL(url), getproxies()
    told = proxies.get(to.scheme) or proxies.get("all")
    if not told or proxy_bypass(to.authority):
        return _Way(to, None)
    return _Way(to, URL(told if "://" in told else f"http://{told}"))


def _look_at(lost: "asyncio.Future[None]") -> None:
    """How a connection ended is told by what was read of it, if at all."""
    if not lost.cancelled():
        lost.exception()


def _why_not_connected(error: Exception) -> str:
    """Say why there is no connection, without the address: callers of the proxy read it."""
    match error:
        case aiohttp.ClientConnectorCertificateError():
            return f"{error.certificate_error}"
        case aiohttp.ClientConnectorDNSError():
            return "the host's name is not known"
        case aiohttp.ClientConnectorError() if error.errno is not None and error.errno > 0:
            return strerror(error.errno)
        case aiohttp.ClientConnectorError():
            return f"{error.os_error}"
    return f"{error}" or type(error).__name__


def _broken(error: Exception) -> BrokenConnectionError:
    return BrokenConnectionError(f"{error}" or type(error).__name__)
