"""The simulated upstream as a server in a background thread, on loopback, with bounds on start and stop."""

import asyncio
import errno
import socket
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.sandbox.app import Rules, build_app
from serving.sandbox.errors import SandboxPortError, SandboxStartError
from serving.sandbox.exchange import Latency
from serving.sandbox.faults import Fault
from serving.sandbox.gate import AcceptedKeys, RateLimit
from serving.sandbox.ledger import Ledger, Received

_HOST = "127.0.0.1"
_START_SECONDS = 10.0
_STOP_SECONDS = 5.0
_TICK_SECONDS = 0.5  # on Windows, Ctrl-C does not interrupt a wait without an end
_KEEP_ALIVE_SECONDS = 120


class Sandbox:
    """A running simulated upstream; a context manager that stops it.

    Nothing leaves the machine: it listens on 127.0.0.1 alone, and its answers say that they are simulated.
    """

    def __init__(
        self, port: int, server: "_Server", thread: threading.Thread, ledger: Ledger, rules: Rules
    ) -> None:
        """Wrap a server that is up; use `start`."""
        self.port = port
        self._server = server
        self._thread = thread
        self._ledger = ledger
        self._rules = rules

    @classmethod
    def start(
        cls,
        *,
        port: int = 0,
        keys: AcceptedKeys | None = None,
        latency: Latency | None = None,
        models: Sequence[str] | None = None,
        requests_per_minute: int | None = None,
        remember: int = 10_000,
        clock: Callable[[], float] = time.time,
    ) -> Self:
        """Start a sandbox and return it when it answers.

        Args:
            port: 0 for any free port.
            keys: the keys that are accepted; None accepts anything.
            latency: of the quickest simulated model; by default answers come at once.
            models: the models that exist; None lists the usual ones and answers to any name.
            requests_per_minute: for each key, 429 above it (the free tier of the aggregator allows 50).
            remember: how many requests are kept for `requests`; 0 for none.
            clock: seconds since the epoch.

        Raises:
            SandboxPortError: the port is taken or not allowed.
            SandboxStartError: it did not come up within ten seconds.
        """
        limit = None if requests_per_minute is None else RateLimit(requests_per_minute, clock)
        rules = Rules(keys, latency or Latency(), models, limit, clock)
        ledger = Ledger(remember)
        listener = _listen(port)
        server = _Server(_config(rules, ledger))
        thread = threading.Thread(target=server.serve_on, args=(listener,), name="sandbox", daemon=True)
        thread.start()
        if not server.ready.wait(_START_SECONDS) or not server.started:
            listener.close()
            raise SandboxStartError(f"the sandbox did not come up within {_START_SECONDS:g} s")
        return cls(server.bound_port, server, thread, ledger, rules)

    @property
    def url(self) -> str:
        """The base URL for clients, for example `http://127.0.0.1:51234/v1`."""
        return f"http://{_HOST}:{self.port}/v1"

    @property
    def requests(self) -> tuple[Received, ...]:
        """The requests received since the start or the last `clear`, oldest first."""
        return self._ledger.requests

    def script(self, target: str, *faults: Fault) -> None:
        """Queue faults, each shown once, in order; after the last the answers are normal again.

        Args:
            target: a model's name, a path (`/models`, `/chat/completions`), or `*` for any request.
            faults: what the next requests to that target meet.
        """
        self._ledger.script(target, faults)

    def always(self, target: str, fault: Fault) -> None:
        """Show one fault on every request to a target until `clear` (queued faults come first)."""
        self._ledger.always(target, fault)

    def clear(self) -> None:
        """Forget all requests, faults and what the rate limit counted."""
        self._ledger.clear()
        if self._rules.rate_limit:
            self._rules.rate_limit.clear()

    def wait(self) -> None:
        """Return when the server has ended; Ctrl-C interrupts the waiting."""
        while self._thread.is_alive():
            self._thread.join(_TICK_SECONDS)

    def stop(self) -> None:
        """Close every connection and end the server; more than once is fine."""
        self._server.stop()
        self._thread.join(_STOP_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"Sandbox({self.url!r})"


class _Connection(HttpToolsProtocol):
    """Hands its transport to the application, so that a fault can reset the connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["transport"] = self.transport


class _Server(uvicorn.Server):
    """A server that another thread can end at once, and that leaves signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self.bound_port = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

    def serve_on(self, listener: socket.socket) -> None:
        self.bound_port = listener.getsockname()[1]
        try:
            asyncio.run(self.serve(sockets=[listener]))
        finally:
            self.ready.set()

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.ready.set()
        await self._stopping.wait()
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    def stop(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stopping.set)


def _config(rules: Rules, ledger: Ledger) -> uvicorn.Config:
    return uvicorn.Config(
        build_app(rules, ledger),
        http=_Connection,
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=2,
    )


def _listen(port: int) -> socket.socket:
    # With the protocol left at 0, asyncio would not switch Nagle's delay off: 40 ms a request.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((_HOST, port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise SandboxPortError(_why_not(port, error)) from error
    return listener


def _why_not(port: int, error: Exception) -> str:
    if isinstance(error, OverflowError):
        return f"port {port} does not exist: choose one from 0 to 65535"
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return f"port {port} on {_HOST} is in use: choose another, or 0 for any free one"
    if isinstance(error, PermissionError):
        return f"port {port} is not allowed for this account: choose one above 1023, or 0 for any free one"
    return f"port {port} on {_HOST} cannot be opened: {error}"
