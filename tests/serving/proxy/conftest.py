"""Real proxies: uvicorn on loopback in a thread, before the real sandbox, with a database of their own."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import httpx2
import openai
import pytest

from serving import RouterConfig
from serving.keys import Keys
from serving.observability.lines import LineWriter
from serving.proxy.generation import Generation, Sources
from serving.proxy.server import ProxyServer, listen
from serving.proxy.service import Service
from serving.sandbox import Sandbox
from serving.serve_config import ServeConfig
from serving.spending.ledger_row import LedgerRow
from serving.state import ApiKey, IssuedKey, State
from serving.state.migrate import migrate
from tests.serving.conftest import ENVIRON
from tests.serving.small_model import write_small_model

PATIENCE = 20.0


@dataclass
class Running:
    """A proxy that runs, and what tests do with it."""

    url: str
    state_url: str
    service: Service
    server: ProxyServer
    thread: threading.Thread
    said: list[str] = field(default_factory=list)

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    @property
    def port(self) -> int:
        return int(self.root.rpartition(":")[2])

    def stop(self) -> None:
        self.server.end()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()

    def rows(self) -> list[LedgerRow]:
        """The ledger, once all that was put before stands in it."""
        desk = self.service.desk
        assert desk is not None
        loop = self.server.loop
        assert loop is not None
        asyncio.run_coroutine_threadsafe(desk.books.flushed(PATIENCE), loop).result(PATIENCE)
        with State.open(self.state_url) as state:
            return sorted(state.ledger.rows(0, 1e12), key=lambda row: (row.at, row.attempt))

    def create_key(self, name: str = "a test", **terms: Any) -> IssuedKey:
        with State.open(self.state_url) as state:
            return state.api_keys.create(name, at=0.0, **terms)

    def revoke(self, key: ApiKey) -> None:
        with State.open(self.state_url) as state:
            state.api_keys.revoke(key.key_id, 1.0)


class MakeProxy(Protocol):
    """Starts a proxy."""

    def __call__(
        self,
        *,
        serve: Mapping[str, Any] | None = None,
        environ: Mapping[str, str] = ENVIRON,
        state_url: str | None = None,
        predictor: Any = None,
        before: Callable[[str], None] = lambda _: None,
        **router: Any,
    ) -> Running:
        """Start one; it is stopped after the test.

        Args:
            serve: tables of the proxy's settings.
            environ: with the upstream's keys.
            state_url: of a migrated database; by default a new SQLite file.
            predictor: who decides on "auto".
            before: called with the database's URL before the proxy starts.
            router: settings of the router.
        """


@pytest.fixture(scope="session")
def model_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_model(tmp_path_factory.mktemp("model") / "small.tierwise")


@pytest.fixture(scope="session")
def empty_state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file, to be copied: migrating takes longer."""
    path = tmp_path_factory.mktemp("state") / "empty.db"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def proxy(upstream: Sandbox, predictor: Any, empty_state: Path, tmp_path: Path) -> Iterator[MakeProxy]:
    usual = predictor
    with ExitStack() as stack:

        def make(
            *,
            serve: Mapping[str, Any] | None = None,
            environ: Mapping[str, str] = ENVIRON,
            state_url: str | None = None,
            predictor: Any = None,
            before: Callable[[str], None] = lambda _: None,
            **router: Any,
        ) -> Running:
            folder = tmp_path / f"proxy{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            if state_url is None:
                (folder / "state.db").write_bytes(empty_state.read_bytes())
                state_url = f"sqlite:///{folder / 'state.db'}"
            before(state_url)
            tables = {name: dict(table) for name, table in (serve or {}).items()}
            tables["proxy"] = {"port": 0, "key_seconds": 0.2, "grace_seconds": 5, **tables.get("proxy", {})}
            tables["state"] = {"url": state_url, "journal": str(folder / "journal")}
            settings = {
                "base_url": upstream.url,
                "first_byte_seconds": 10.0,
                "deadline_seconds": 30.0,
                **router,
            }
            running = start(tables, settings, environ, predictor or usual)
            stack.callback(running.stop)
            return running

        yield make


def start(
    tables: Mapping[str, Any], router: Mapping[str, Any], environ: Mapping[str, str], predictor: Any
) -> Running:
    config = ServeConfig.from_dict(tables)
    keys = Keys.from_environ(environ, config.break_glass.variables)
    generation = Generation.of(config, RouterConfig.from_dict(dict(router)), keys, predictor)
    return run(Sources(None, None, environ, {}), generation, environ)


def run(
    sources: Sources, generation: Generation, environ: Mapping[str, str], lines: LineWriter | None = None
) -> Running:
    """Run a proxy in a thread: a generation, and the sources of those that are to follow it."""
    config = generation.serve
    said: list[str] = []
    service = Service(sources, generation, environ, say=said.append, lines=lines)
    service.check()
    listener = listen(config.proxy.host, config.proxy.port)
    server = ProxyServer(service.app, config.proxy, on_exit=service.closing)
    thread = threading.Thread(
        target=lambda: asyncio.run(server.serve(sockets=[listener])), name="proxy", daemon=True
    )
    thread.start()
    assert server.ready.wait(PATIENCE)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    return Running(url, config.state_url(environ), service, server, thread, said)


@pytest.fixture
def running(proxy: MakeProxy) -> Running:
    return proxy()


@pytest.fixture
def http(running: Running) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=running.url, timeout=PATIENCE, trust_env=False) as client:
        yield client


@pytest.fixture
def client(running: Running) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=running.url, api_key="none", max_retries=0, timeout=PATIENCE) as client:
        yield client


def bearer(issued: IssuedKey) -> dict[str, str]:
    return {"authorization": f"Bearer {issued.secret.reveal()}"}


def error_of(response: httpx2.Response) -> dict[str, Any]:
    """The error object of a response, which is in the API's form."""
    error: dict[str, Any] = json.loads(response.content)["error"]
    assert {"message", "type", "code"} <= set(error)
    return error
