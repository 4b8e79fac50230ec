"""The fault run: processes are killed, databases stop, clients vanish, and still the books balance."""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import httpx2
import pytest

from serving.sandbox import Latency, Sandbox
from serving.state.migrate import migrate
from tests.serving.conftest import BALANCED, CHEAP, PREMIUM
from tests.serving.proxy.replica import (
    PATIENCE,
    Books,
    Heard,
    Replica,
    ask,
    ask_all,
    assert_books_balance,
    body_of,
    client,
    replicas,
    seen_by,
    until_asked,
    until_seen,
)
from tests.serving.state.postgres import PostgresServer, running_postgres

CAP = 20_000  # micro-dollars: some hundred calls at what they cost, some twenty at what they may cost
LITTLE = 2_000


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated database of either kind."""
    return request.getfixturevalue(f"{request.param}_url")  # type: ignore[no-any-return]


@pytest.fixture
def sqlite_url(empty_state: Path, tmp_path: Path) -> str:
    (tmp_path / "state.db").write_bytes(empty_state.read_bytes())
    return f"sqlite:///{tmp_path / 'state.db'}"


@pytest.fixture
def postgresql_url(server: PostgresServer) -> str:
    url = server.new_database()
    migrate(url)
    return url


@pytest.fixture
def slow() -> Iterator[Sandbox]:
    """An upstream that writes for a second or two."""
    with Sandbox.start(latency=Latency(0.15, 0.005)) as sandbox:
        yield sandbox


@pytest.fixture
def quick() -> Iterator[Sandbox]:
    with Sandbox.start(latency=Latency(0.01)) as sandbox:
        yield sandbox


Start = Callable[..., AbstractContextManager[list[Replica]]]


@pytest.fixture
def start(tmp_path: Path, model_file: Path, url: str) -> Start:
    """Start proxies on the database."""

    def start(upstream: Sandbox, count: int = 1) -> AbstractContextManager[list[Replica]]:
        return replicas(tmp_path, model_file, upstream=upstream.url, database=url, cap=CAP, count=count)

    return start


def mixed(name: str, count: int) -> list[dict[str, object]]:
    """Requests for premium, every fourth for cheap; every other one streamed."""
    models = ["cheap", "auto", "premium", "auto"]
    return [
        body_of(f"{name}{number}", model=models[number % 4], stream=number % 8 > 3) for number in range(count)
    ]


async def test_a_kill_in_64_calls_loses_no_row_and_exceeds_no_cap(
    start: Start, url: str, slow: Sandbox
) -> None:
    with start(slow) as [replica]:
        asking = asyncio.create_task(ask_all([replica.url], mixed("before", 64)))
        await until_seen(slow, 32)
        await asyncio.sleep(0.3)
        replica.kill()
        before = await asking
        replica.again()
        after = await ask_all([replica.url], mixed("after", 64))
        replica.stop()
    assert all(heard.is_clear for heard in after)
    assert all(heard.is_clear for heard in before if heard.whole)
    assert [heard for heard in before if not heard.whole]
    books = Books.of(url)
    assert_books_balance(books, slow, CAP)
    assert books.premium.orphaned > 0
    lost = {row.session for row in books.rows if row.cause == "the proxy died during this call"}
    assert lost >= {heard.marker for heard in before if not heard.whole and heard.status is None} & {
        marker for _, marker in seen_by(slow)
    }


async def test_two_processes_race_for_the_last_dollar(start: Start, url: str, quick: Sandbox) -> None:
    heard: list[Heard] = []
    with start(quick, 2) as both:
        urls = [each.url for each in both]

        async def ask_on_and_on(shared: httpx2.AsyncClient, client: int, turns: int) -> None:
            for turn in range(turns):
                body = body_of(f"{client}-{turn}", stream=turn % 2 > 0)
                heard.append(await ask(shared, urls[(client + turn) % 2], body))

        async with client() as shared:
            await asyncio.gather(*(ask_on_and_on(shared, number, 4) for number in range(64)))
            until = time.monotonic() + PATIENCE
            while CAP - Books.of(url, orphans=False).premium.spent > LITTLE and time.monotonic() < until:
                await ask_on_and_on(shared, len(heard), 2)
        for each in both:
            each.stop()
    books = Books.of(url)
    assert_books_balance(books, quick, CAP)
    assert books.entered == seen_by(quick)
    assert books.premium.left <= LITTLE
    assert {(each.status, each.is_clear) for each in heard} == {(200, True)}
    assert {each.model for each in heard} == {PREMIUM, BALANCED}
    assert {each.headers["x-tierwise-chosen-by"] for each in heard if each.model == BALANCED} == {"budget"}


async def test_clients_that_vanish_leave_rows_and_hold_nothing(start: Start, url: str, slow: Sandbox) -> None:
    async def vanish(shared: httpx2.AsyncClient, number: int) -> None:
        body = body_of(f"v{number}", stream=number % 3 > 0)
        asking = asyncio.create_task(ask(shared, replica.url, body, leave_after=1 + number % 3))
        await asyncio.sleep(0.05 + number % 7 / 10)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)

    with start(slow) as [replica]:
        async with client() as shared:
            await asyncio.gather(*(vanish(shared, number) for number in range(48)))
            leaving = asyncio.create_task(ask(shared, replica.url, body_of("left")))
            await until_asked(slow, "left")  # where all is slow, the others may have left before that
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)
        (after,) = await ask_all([replica.url], [body_of("after", model="cheap")])
        replica.stop()
    assert after.is_clear
    books = Books.of(url)
    assert_books_balance(books, slow, CAP)
    assert books.premium.orphaned == 0
    assert "cancelled" in {row.outcome.value for row in books.rows}


async def test_with_the_database_stopped_and_a_kill_rows_wait_and_are_written_once(
    start: Start, url: str, slow: Sandbox, outage: Callable[[], AbstractContextManager[None]]
) -> None:
    cheap = [body_of(f"c{number}", model="cheap", stream=number % 2 > 0) for number in range(16)]
    with start(slow) as [replica]:
        before = await ask_all([replica.url], mixed("before", 8))
        with outage():
            down = await ask_all([replica.url], [*cheap, body_of("p0", model="premium")])
            asking = asyncio.create_task(ask_all([replica.url], [body_of("killed", model="cheap")]))
            await until_seen(slow, len(before) + len(cheap) + 1)
            replica.kill()
            await asking
        replica.again()
        after = await ask_all([replica.url], mixed("after", 8))
        replica.stop()
    assert {(each.status, each.is_clear) for each in [*before, *down[:-1], *after]} == {(200, True)}
    assert (down[-1].status, down[-1].is_clear) == (503, True)
    assert b'"state_unavailable"' in down[-1].words
    books = Books.of(url)
    assert_books_balance(books, slow, CAP)
    assert books.entered == seen_by(slow)
    assert books.outcomes((CHEAP, "killed")) == {"unknown"}
    assert books.outcomes(*((CHEAP, f"c{number}") for number in range(16))) == {"answered"}


@pytest.fixture
def outage(
    request: pytest.FixtureRequest, url: str, tmp_path: Path
) -> Callable[[], AbstractContextManager[None]]:
    """A time in which the database takes nothing in."""

    @contextmanager
    def locked() -> Iterator[None]:
        with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            yield

    @contextmanager
    def stopped() -> Iterator[None]:
        server: PostgresServer = request.getfixturevalue("server")
        server.stop()
        try:
            yield
        finally:
            server.start()

    return locked if url.startswith("sqlite") else stopped
