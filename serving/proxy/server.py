"""uvicorn, set up for the proxy: signals, sockets, and an end that cuts nobody off."""

import asyncio
import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from serving.errors import ConfigError
from serving.proxy.protocol import bounded
from serving.serve_config import ProxySettings

__all__ = ["ProxyServer", "listen", "run_forever"]

_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 2048


class ProxyServer(uvicorn.Server):
    """A server that reloads on SIGHUP, ends on SIGTERM and SIGINT, and can be ended from another thread.

    Attributes:
        ready: set when it listens.
        loop: that it runs in, from then on.
    """

    def __init__(
        self,
        app: ASGIApp,
        settings: ProxySettings,
        *,
        on_ready: Callable[[], None] = lambda: None,
        on_hangup: Callable[[], None] = lambda: None,
        on_exit: Callable[[], None] = lambda: None,
    ) -> None:
        """Set up.

        Args:
            app: the application.
            settings: limits and times.
            on_ready: called when it listens.
            on_hangup: called in the event loop on SIGHUP.
            on_exit: called when the end begins, before anything is closed.
        """
        super().__init__(_config(app, settings))
        self.ready = threading.Event()
        self._on_ready = on_ready
        self._on_hangup = on_hangup
        self._on_exit = on_exit
        self.loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        self.loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.ready.set()
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: no new work, requests in flight to their end, then the life span."""
        self._on_exit()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to end; a second Ctrl-C does not wait for anybody."""
        del frame
        if self.should_exit and sig == signal.SIGINT:
            self.force_exit = True
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals where this is the main thread, and give them back at the end."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        handlers: dict[int, Any] = {
            signal.SIGINT: self.handle_exit,
            signal.SIGTERM: self.handle_exit,
            signal.SIGHUP: self._hung_up,
        }
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def end(self) -> None:
        """Begin to end, from any thread."""
        self.should_exit = True

    def _hung_up(self, _number: int, _frame: FrameType | None) -> None:
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self._on_hangup)


def run_forever(server: ProxyServer, listener: socket.socket) -> None:
    """Serve until a signal comes, in uvloop's event loop where there is one: a third less time a request.

    Args:
        server: in the main thread, which signals reach.
        listener: that it listens on.
    """
    with asyncio.Runner(loop_factory=_fastest_loop()) as runner:
        runner.run(server.serve(sockets=[listener]))


def _fastest_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes an event loop; None for asyncio's own, as on Windows, which uvloop does not know."""
    try:
        return import_module("uvloop").new_event_loop  # type: ignore[no-any-return]
    except ImportError:
        return None


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address.

    Raises:
        ConfigError: it cannot be bound.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConfigError(f"proxy.host: {host!r} is no address of this machine: {error}") from error
    family, _, _, _, address = found[0]
    # With the protocol left at 0, asyncio would not switch Nagle's delay off: 40 ms a request.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise ConfigError(_why_not(host, port, error)) from error
    return listener


def _why_not(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"proxy.port: {port} on {host} is in use: choose another, or 0 for any free one"
    if isinstance(error, PermissionError):
        return f"proxy.port: {port} is not allowed for this account: choose one above 1023"
    return f"proxy.host: {host!r} cannot be listened on: {error.strerror}"


def _config(app: ASGIApp, settings: ProxySettings) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=bounded(settings.max_header_bytes, settings.request_seconds),
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=round(settings.grace_seconds + 0.5),
    )
