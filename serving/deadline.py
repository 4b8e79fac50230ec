"""Deadlines: so long to the first byte or token of an attempt, so long for the whole call.

httpx2 bounds each single read of a socket, so an upstream that sends a comment every nine seconds never times
out. Here a `Deadline` knows how much time is left at any moment, and every wait asks it anew:

- Async: the attempt and each step of a stream run inside `asyncio.timeout`, which bounds everything.
- Sync: nothing can interrupt a blocking call from outside, so the time left is put into each connect, write
  and read of a socket (`watch` wraps the network backend of the HTTP client). What stays outside: the
  operating system's name resolution, and a connect for each further address of a host. An HTTP client of the
  caller's that does not rest on httpcore2 gets the times as they stood when the attempt began, for each read.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpcore2
import httpx2

__all__ = ["Deadline", "Limits", "watch", "watch_async", "within"]

_A_DAY = 86_400.0  # sockets take no infinity; whoever sets no deadline gets this one


@dataclass(frozen=True, slots=True)
class Limits:
    """The times of one call, in seconds.

    Attributes:
        first: to the first byte of an attempt, on streams to its first token.
        whole: for the call with all its attempts.
        connect: for opening a connection, at most.
        read: between two reads, at most.
        write: for one write, at most.
        pool: for a free connection, at most.
    """

    first: float
    whole: float
    connect: float = _A_DAY
    read: float = _A_DAY
    write: float = _A_DAY
    pool: float = _A_DAY

    @classmethod
    def of(cls, timeout: Any, first: float, whole: float) -> "Limits":
        """Combine what is configured with the caller's `timeout`.

        Args:
            timeout: seconds for the whole call; or None, for as long as it takes; or an `httpx2.Timeout`,
                whose phases hold within the configured whole, its `read` in place of `first`.
            first: as configured.
            whole: as configured.
        """
        if timeout is None:
            return cls(first, _A_DAY)
        if isinstance(timeout, int | float):
            return cls(first, min(float(timeout), _A_DAY))
        phases = (timeout.connect, timeout.read, timeout.write, timeout.pool)
        connect, read, write, pool = (_A_DAY if seconds is None else seconds for seconds in phases)
        return cls(read, whole, connect, read, write, pool)


class Deadline:
    """How much time an attempt has left; it has more once its first byte or token is there."""

    __slots__ = (
        "_clock",
        "_limits",
        "_moved",
        "_until",
        "_whole_until",
        "first_at",
        "response",
        "started_at",
    )

    def __init__(
        self, limits: Limits, whole_until: float, clock: Callable[[], float], wait: float = 0.0
    ) -> None:
        """Start an attempt's time.

        Args:
            limits: of the call.
            whole_until: when the call must end, by the clock.
            clock: seconds, from any start, never going back.
            wait: seconds that the attempt waits before its request is sent; its own time begins then.
        """
        self._clock = clock
        self._limits = limits
        self._moved: Callable[[float], None] | None = None
        self._whole_until = whole_until
        self.started_at = clock() + wait
        self._until = min(self.started_at + limits.first, whole_until)
        self.first_at: float | None = None
        self.response: httpx2.Response | None = None

    def left(self) -> float:
        """Return the seconds left, 0 when the time is up."""
        return max(0.0, self._until - self._clock())

    def begun(self) -> None:
        """Note that the first byte or token is there: from now on only the whole call's deadline counts."""
        if self.first_at is None:
            self.first_at = self._clock()
            self._until = self._whole_until
            if self._moved is not None:
                self._moved(self.left())

    def on_move(self, moved: Callable[[float], None] | None) -> None:
        """Name whom to tell, with the seconds then left, when the time is extended."""
        self._moved = moved

    def timeout(self, *, streams: bool, interruptible: bool) -> httpx2.Timeout:
        """Return the time-outs for the HTTP client, from which the response's way back leads here.

        Args:
            streams: whether the first token counts instead of the response's head.
            interruptible: whether the waits are also bounded from outside, as in asyncio.
        """
        limits = self._limits
        outer = self._whole_until - self._clock() if interruptible else self.left()

        def allow(most: float) -> _Allowance:
            return _Allowance(max(0.001, min(most, outer)), self, most, streams)

        return httpx2.Timeout(
            connect=allow(limits.connect),
            read=allow(limits.read),
            write=allow(limits.write),
            pool=allow(limits.pool),
        )


class _Allowance(float):
    """A time-out in seconds that still knows its deadline when it arrives at the socket."""

    __slots__ = ("_deadline", "_most", "_streams")

    def __new__(cls, seconds: float, _deadline: Deadline, _most: float, _streams: bool) -> "_Allowance":
        return super().__new__(cls, seconds)

    def __init__(self, _seconds: float, deadline: Deadline, most: float, streams: bool) -> None:
        self._deadline = deadline
        self._most = most
        self._streams = streams

    def left(self) -> float:
        return min(self._most, self._deadline.left())

    def heard(self, response: httpx2.Response) -> None:
        self._deadline.response = response
        if not self._streams:
            self._deadline.begun()


@asynccontextmanager
async def within(deadline: Deadline) -> AsyncIterator[None]:
    """Interrupt what runs too long, with more time once the first byte or token is there."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(deadline.left()) as scope:
        deadline.on_move(lambda left: scope.reschedule(loop.time() + left))
        try:
            yield
        finally:
            deadline.on_move(None)


def watch(client: httpx2.Client) -> None:
    """Make a client keep the deadlines of the requests that carry one; others go as before."""
    hooks = client.event_hooks["response"]
    if _heard not in hooks:
        hooks.append(_heard)
    for transport in (client._transport, *client._mounts.values()):
        pool = getattr(transport, "_pool", None)  # httpx2 has no public way to hand it a network backend
        if isinstance(pool, httpcore2.ConnectionPool) and not isinstance(pool._network_backend, _Backend):
            pool._network_backend = _Backend(pool._network_backend)


def watch_async(client: httpx2.AsyncClient) -> None:
    """Make an async client tell the deadlines when a response begins; `asyncio.timeout` does the rest."""
    hooks = client.event_hooks["response"]
    if _heard_async not in hooks:
        hooks.append(_heard_async)


def _heard(response: httpx2.Response) -> None:
    allowance = response.request.extensions.get("timeout", {}).get("read")
    if isinstance(allowance, _Allowance):
        allowance.heard(response)


async def _heard_async(response: httpx2.Response) -> None:
    _heard(response)


def _left(timeout: float | None, expired: type[httpcore2.TimeoutException]) -> float | None:
    if not isinstance(timeout, _Allowance):
        return timeout
    left = timeout.left()
    if left <= 0:
        raise expired("the deadline has passed")
    return left


class _Backend(httpcore2.NetworkBackend):
    """Opens connections that keep deadlines."""

    def __init__(self, inner: httpcore2.NetworkBackend) -> None:
        self._inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(host, port, left, local_address, socket_options))

    def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.connect_unix_socket(path, left, socket_options))

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)


class _Stream(httpcore2.NetworkStream):
    """A connection on which each read and write may take as long as its request's deadline still allows."""

    def __init__(self, inner: httpcore2.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
