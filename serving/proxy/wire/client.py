"""A client of HTTP/1.1 with a pool of connections that stay open."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from serving.errors import ConfigError
from serving.proxy.wire.exchange import NeverSentError, Reply, Wire, WireError
from serving.proxy.wire.routes import Place, Route, Routes

__all__ = ["WireClient"]

_IDLE_CONNECTIONS = 256
_IDLE_SECONDS = 60.0  # less than what upstreams usually close idle connections after

_Kind = tuple[Place, Place | None]


class WireClient:
    """Asks the upstream for all requests of the proxy; belongs to one event loop.

    Each request has a connection to itself, so that there are never more than requests at work and, for a
    while, some idle ones.
    """

    def __init__(
        self, routes: Routes, tls: Callable[[], ssl.SSLContext], *, idle_seconds: float = _IDLE_SECONDS
    ) -> None:
        """Begin without connections.

        Args:
            routes: where URLs lead.
            tls: makes what certificates are checked by; called when it is needed first.
            idle_seconds: after which a connection that nobody needed is closed.
        """
        self._routes = routes
        self._tls = tls
        self._idle_seconds = idle_seconds
        self._context: ssl.SSLContext | None = None
        self._idle: dict[_Kind, deque[Wire]] = {}
        self._idle_count = 0
        self._sweep: asyncio.TimerHandle | None = None
        self._closed = False

    async def send(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]],
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
        try:
            route = self._routes.to(url)
        except ConfigError as error:
            raise NeverSentError(f"{error}") from error
        wire = self._taken(route.kind)
        if wire is None:
            wire = await self._opened(route, connect_seconds)
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers])
        head = b"%b %b%bcontent-length: %d\r\n\r\n" % (
            method.encode("ascii"),
            route.request,
            lines.encode("ascii"),
            len(body),
        )
        await wire.ask(head + body)
        return Reply(wire, partial(self._given_back, route.kind))

    async def aclose(self) -> None:
        """Close the idle connections, and each other one when its answer is closed."""
        self._closed = True
        if self._sweep is not None:
            self._sweep.cancel()
        for wires in self._idle.values():
            for wire in wires:
                wire.close()
        self._idle.clear()
        await asyncio.sleep(0)  # for the transports to close their sockets

    def _taken(self, kind: _Kind) -> Wire | None:
        wires = self._idle.get(kind)
        while wires:
            wire = wires.pop()
            self._idle_count -= 1
            if not wire.closed and not wire.transport.is_closing():
                return wire
        return None

    def _given_back(self, kind: _Kind, wire: Wire) -> None:
        if self._closed or not wire.free() or self._idle_count >= _IDLE_CONNECTIONS:
            wire.close()
            return
        loop = asyncio.get_running_loop()
        wire.idle_since = loop.time()
        self._idle.setdefault(kind, deque()).append(wire)
        self._idle_count += 1
        if self._sweep is None:
            self._sweep = loop.call_later(self._idle_seconds, self._swept)

    def _swept(self) -> None:
        """Close what has been idle for long, and look again when the next one may have been."""
        loop = asyncio.get_running_loop()
        self._sweep = None
        old = loop.time() - self._idle_seconds
        for kind, wires in list(self._idle.items()):
            while wires and wires[0].idle_since <= old:
                wires.popleft().close()
                self._idle_count -= 1
            if not wires:
                del self._idle[kind]
        if self._idle:
            next_at = min(wires[0].idle_since for wires in self._idle.values()) + self._idle_seconds
            self._sweep = loop.call_at(next_at, self._swept)

    def _gone(self, wire: Wire) -> None:
        for wires in self._idle.values():
            if wire in wires:
                wires.remove(wire)
                self._idle_count -= 1
                return

    async def _opened(self, route: Route, seconds: float | None) -> Wire:
        try:
            async with asyncio.timeout(seconds):
                return await self._connected(route)
        except TimeoutError as error:
            raise NeverSentError("the connection was not there in time") from error
        except (OSError, UnicodeError, WireError) as error:
            raise NeverSentError(f"{error}" or type(error).__name__) from error

    async def _connected(self, route: Route) -> Wire:
        loop = asyncio.get_running_loop()
        to = route.proxy or route.upstream
        tls = self._checking() if to.secure else None
        _, wire = await loop.create_connection(
            lambda: Wire(loop, self._gone), to.host, to.port, ssl=tls, happy_eyeballs_delay=0.25
        )
        if not route.tunnel:
            return wire
        try:
            return await self._led_through(wire, route)
        except BaseException:
            wire.close()
            raise

    async def _led_through(self, wire: Wire, route: Route) -> Wire:
        await wire.ask(route.tunnel)
        if not 200 <= wire.status < 300:
            raise NeverSentError(f"the proxy answered with status {wire.status}")
        secured = await asyncio.get_running_loop().start_tls(
            wire.transport, wire, self._checking(), server_hostname=route.upstream.host
        )
        if secured is None:
            raise NeverSentError("the proxy closed the connection")
        wire.secure(secured)
        return wire

    def _checking(self) -> ssl.SSLContext:
        if self._context is None:
            self._context = self._tls()
            self._context.set_alpn_protocols(["http/1.1"])
        return self._context
