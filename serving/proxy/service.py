"""The proxy composed: state, upstream, guard, reloads; opened with the server and closed with it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from fastapi import FastAPI
from httpx2 import create_ssl_context

from serving.errors import ConfigError, StateError
from serving.observability.lines import LineWriter
from serving.observability.log_lines import RequestLines
from serving.observability.settings import LogFormat, MetricsAccess
from serving.proxy.app import build_app
from serving.proxy.books import StateBooks
from serving.proxy.desk import Desk
from serving.proxy.generation import Generation, Sources
from serving.proxy.guard import Guard, is_loopback
from serving.proxy.pacing import Pacing, learn_forever, refresh_forever
from serving.proxy.reload import Reloader
from serving.proxy.semantic import SemanticCache
from serving.proxy.telemetry import can_trace, open_traces
from serving.proxy.wire import WireClient
from serving.state import Journal, RowWriter, State
from serving.state.api_key import ApiKey
from serving.state.neighbours import Neighbours

if TYPE_CHECKING:
    from serving.observability.traces import Traces

__all__ = ["Service"]

_log = logging.getLogger("serving")

_CLOSE_SECONDS = 10.0
_TRACES_SECONDS = 3.0  # for spans on their way to the collector
_STORE_SECONDS = 2.0  # for answers on their way to the cache


class Service:
    """One running proxy.

    Attributes:
        desk: what its endpoints share, while it is open.
    """

    def __init__(
        self,
        sources: Sources,
        generation: Generation,
        environ: Mapping[str, str],
        *,
        say: Callable[[str], None],
        client: WireClient | None = None,
        lines: LineWriter | None = None,
    ) -> None:
        """Compose; nothing is opened yet.

        Args:
            sources: of later generations.
            generation: the first one.
            environ: where the user's data folder and the way to the upstream are told.
            say: tells people, in one line.
            client: to the upstream; by default one that the environment leads.
            lines: takes those of the requests, where they are to leave any.

        Raises:
            ConfigError: the environment names a proxy that cannot be used.
        """
        self._sources = sources
        self._generation = generation
        self._environ = environ
        self._say = say
        self._client = client or WireClient(create_ssl_context)
        self._lines = lines
        self._traces: Traces | None = None
        self.desk: Desk | None = None
        self._books: StateBooks | None = None
        self._neighbours: Neighbours | None = None
        self._semantic: SemanticCache | None = None
        self._reloader: Reloader | None = None
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def app(self) -> FastAPI:
        """The application; its life span opens and closes the service."""
        return build_app(self._open, self._close)

    def check(self) -> bool:
        """Refuse what must not be: an address that others reach, without API keys; or state that is down.

        Returns:
            Whether there are API keys, which are then required.

        Raises:
            ConfigError: there are no keys, and the host is not this machine's loopback; or traces are wanted,
                and their extra is not installed.
            StateError: the database cannot be used.
        """
        serve = self._generation.serve
        can_trace(serve.telemetry, self._environ)
        with State.open(serve.state_url(self._environ)) as state:
            keys = state.api_keys.all()
        usable = any(key.revoked_at is None for key in keys)
        if not usable and not is_loopback(serve.proxy.host):
            raise ConfigError(
                f"proxy.host: {serve.proxy.host} can be reached by others, and there are no API keys: "
                "create one with `python -m serving keys create NAME`, or listen on 127.0.0.1"
            )
        return bool(keys)

    def prepare(self) -> None:
        """Open the state, so that what is wrong with it is told before the server starts.

        Raises:
            StateError: the database cannot be used, or no journal can be kept.
        """
        serve = self._generation.serve
        with ExitStack() as stack:
            state = stack.enter_context(State.open(serve.state_url(self._environ)))
            journal = Journal.open(serve.journal(self._environ), most_bytes=serve.state.journal_bytes)
            books = StateBooks(state, RowWriter(state.ledger, state.budgets, journal))
            stack.pop_all()
        self._books = books
        try:
            if serve.cache.semantic.enabled:
                self._neighbours = Neighbours.open(serve.state_url(self._environ))
            books.beat()  # before the first reservation, or that would look like one of a dead process
            if self._generation.pacing is not None:
                self._generation.pacing.refresh(state)
        except StateError:
            self.abandon()
            raise

    def abandon(self) -> None:
        """Close what `prepare` opened, where the server never started; else nothing."""
        if self._books is not None:
            self._books.close(_CLOSE_SECONDS)
            self._books = None
        if self._neighbours is not None:
            self._neighbours.close()
            self._neighbours = None

    def hang_up(self) -> None:
        """Reload, as on SIGHUP; called in the event loop."""
        if self._reloader is not None:
            self._tasks.append(asyncio.ensure_future(self._reload(self._reloader)))

    def closing(self) -> None:
        """Take no more work."""
        if self.desk is not None:
            self.desk.turnstile.closed = True

    async def _reload(self, reloader: Reloader) -> None:
        await reloader.reload()

    async def _open(self) -> Desk:
        serve = self._generation.serve
        if self._books is None:
            await asyncio.to_thread(self.prepare)
        books, self._books = self._books, None
        if books is None:
            raise StateError("the state was closed while the server started")
        required = not is_loopback(serve.proxy.host)
        desk = Desk(self._generation, self._client, books, Guard(_Keys(books), required=required))
        self.desk = desk

        self._observe(desk)

        def use(generation: Generation) -> None:
            if generation.pacing is not None:
                with contextlib.suppress(StateError):  # the next look tells
                    generation.pacing.refresh(books.state)
            desk.generation = generation
            desk.requests.know(generation.models())

        def pacing() -> Pacing | None:
            return desk.generation.pacing

        neighbours, self._neighbours = self._neighbours, None
        if neighbours is not None:
            self._semantic = desk.cache.second = SemanticCache(
                lambda: desk.generation, self._client, neighbours, books.state.answers, self._environ
            )
        self._reloader = Reloader(self._sources, self._generation, use, self._say)
        self._tasks = [
            asyncio.ensure_future(self._reloader.watch()),
            asyncio.ensure_future(books.beat_forever(self._generation.zone)),
            asyncio.ensure_future(refresh_forever(pacing, books)),
            asyncio.ensure_future(learn_forever(pacing, books)),
            asyncio.ensure_future(desk.board.read_forever(lambda: _budget_zone(desk.generation))),
            asyncio.ensure_future(desk.cache.tend_forever(lambda: desk.generation.serve.cache)),
        ]
        return desk

    def _observe(self, desk: Desk) -> None:
        observers, form = desk.books.observers, desk.generation.serve.proxy.log
        if self._lines is not None and form is not LogFormat.OFF:
            observers.add(RequestLines(self._lines.put, form))
        self._traces = open_traces(lambda: desk.generation, self._environ)
        if self._traces is not None:
            observers.add(self._traces)

    async def _close(self, desk: Desk) -> None:
        for task in self._tasks:
            task.cancel()
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ended, Exception):  # which must not keep the rows from being written
                _log.error("what ran in the background had failed: %s: %s", type(ended).__name__, ended)
        await desk.cache.close(_STORE_SECONDS)
        await desk.client.aclose()
        if self._semantic is not None:
            await asyncio.to_thread(self._semantic.close)
        if not await asyncio.to_thread(desk.books.close, _CLOSE_SECONDS):
            _log.warning("the database did not take all rows: the next start writes them from the journal")
        if self._traces is not None and not await asyncio.to_thread(self._traces.close, _TRACES_SECONDS):
            _log.warning("the collector did not take all traces: the last ones are lost")


def _budget_zone(generation: Generation) -> ZoneInfo | None:
    return None if generation.serve.proxy.metrics is MetricsAccess.OFF else generation.zone


class _Keys:
    """The API keys, looked up in threads."""

    def __init__(self, books: StateBooks) -> None:
        self._books = books

    async def find(self, secret: str) -> ApiKey | None:
        return await self._books.run(lambda: self._books.state.api_keys.find(secret))

    async def any_key(self) -> bool:
        return bool(await self._books.run(self._books.state.api_keys.all))
