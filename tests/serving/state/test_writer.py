import logging
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from serving.spending.budget_terms import PREMIUM, Claim, Unit
from serving.spending.ledger_row import LedgerRow
from serving.state.database import Database
from serving.state.engines import Waits
from serving.state.journal import Journal
from serving.state.migrate import migrate
from serving.state.state import State
from serving.state.writer import RowWriter
from tests.serving.state.postgres import PostgresServer
from tests.serving.state.rows import FULL, a_row

DAY = "2026-11-22"
USD = (PREMIUM, Unit.USD)


def writer_of(state: State, journal: Journal | None, most_bytes_in_memory: int = 1 << 20) -> RowWriter:
    return RowWriter(
        state.ledger,
        state.budgets,
        journal,
        retry_seconds=0.05,
        most_bytes_in_memory=most_bytes_in_memory,
    )


def written(state: State) -> list[LedgerRow]:
    return list(state.ledger.rows(0.0, 1e12))


@pytest.fixture
def state(database: Database) -> State:
    return State.of(database)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[State]:
    """A SQLite file that is called unavailable when it is locked for a twentieth of a second."""
    url = f"sqlite:///{tmp_path / 'state.db'}"
    migrate(url)
    with State.open(url, waits=Waits(lock=0.05)) as state:
        yield state


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    with closing(sqlite3.connect(folder / "state.db", isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@pytest.fixture(params=[True, False], ids=["journal", "memory"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Journal | None:
    return Journal.open(tmp_path / "journal") if request.param else None


def test_what_is_put_is_written_once(state: State, journal: Journal | None) -> None:
    with writer_of(state, journal) as writer:
        for _ in range(2):
            writer.put(FULL)
        assert writer.flush(10.0)
        assert written(state) == [FULL]
        assert (writer.waiting_bytes, writer.dropped, writer.behind) == (0, 0, False)


def test_closing_writes_what_is_left(state: State, journal: Journal | None) -> None:
    writer = writer_of(state, journal)
    for number in range(1200):
        writer.put(a_row(number))
    assert writer.close()
    assert [row.request_id for row in written(state)] == [f"r{number}" for number in range(1200)]


def test_settlements_are_written_too(state: State, journal: Journal | None) -> None:
    state.budgets.reserve("a", [Claim(*USD, DAY, 100, 60)], "i")
    with writer_of(state, journal) as writer:
        writer.settle("a", {USD: 25})
        writer.settle("a", {USD: 25})
    (standing,) = state.budgets.standing(DAY)
    assert (standing.spent, standing.reserved) == (25, 0)


def test_many_threads_may_put(state: State, journal: Journal | None) -> None:
    with writer_of(state, journal) as writer, ThreadPoolExecutor(8) as pool:
        list(pool.map(writer.put, map(a_row, range(400))))
    assert len(written(state)) == 400


def test_rows_wait_while_the_database_is_down(
    local: State, journal: Journal | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with writer_of(local, journal) as writer:
        with locked(tmp_path):
            writer.put(a_row(1))
            assert not writer.flush(0.3)
            writer.put(a_row(2))
            assert writer.behind
            assert writer.waiting_bytes > 0
        assert writer.flush(10.0)
        assert not writer.behind
    assert [row.request_id for row in written(local)] == ["r1", "r2"]
    messages = [record.message for record in caplog.records]
    assert [message.partition(":")[0] for message in messages] == [
        "the ledger cannot be written, rows wait",
        "the ledger is written again",
    ]


def test_what_was_not_written_at_the_end_is_written_at_the_next_start(local: State, tmp_path: Path) -> None:
    first = writer_of(local, Journal.open(tmp_path / "journal"))
    with locked(tmp_path):
        first.put(a_row(1))
        first.settle("unknown", {USD: 25})
        assert not first.close(timeout=0.2)
    with writer_of(local, Journal.open(tmp_path / "journal")) as second:
        assert second.flush(10.0)
    assert [row.request_id for row in written(local)] == ["r1"]
    assert list((tmp_path / "journal").iterdir()) == []


def test_rows_without_journal_are_lost_at_the_end_and_told(
    local: State, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    writer = writer_of(local, None)
    with locked(tmp_path):
        writer.put(a_row(1))
        assert not writer.close(timeout=0.2)
    assert writer.dropped == 1
    assert "1 rows were lost: the database is down and there is no journal" in caplog.text


def test_when_journal_and_memory_are_full_rows_are_dropped_and_counted(
    local: State, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal.open(tmp_path / "journal", most_bytes=2000)
    with caplog.at_level(logging.ERROR), writer_of(local, journal, most_bytes_in_memory=2000) as writer:
        with locked(tmp_path):
            for number in range(20):
                writer.put(a_row(number))
            dropped, waiting = writer.dropped, writer.waiting_bytes
        assert writer.flush(10.0)
    assert 0 < dropped < 20
    assert waiting <= 4000
    assert len(written(local)) == 20 - dropped
    assert "journal and memory are full: 1 rows were lost so far" in caplog.text


def test_one_row_that_the_database_refuses_costs_no_other(
    state: State, journal: Journal | None, caplog: pytest.LogCaptureFixture
) -> None:
    with writer_of(state, journal) as writer:
        writer.put(a_row(1))
        writer.put(a_row(2, at=float("nan")))
        writer.put(a_row(3))
        assert writer.flush(10.0)
        assert writer.dropped == 1
    assert [row.request_id for row in written(state)] == ["r1", "r3"]
    assert "the database refuses an entry, which is lost" in caplog.text


def test_a_line_of_another_version_is_left_out(
    state: State, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal.open(tmp_path / "journal")
    journal.append(b'{"settle": "a", "actual": [["premium", "pebbles", 3]]}')
    journal.append(b'{"colour": "red"}')
    with writer_of(state, journal) as writer:
        writer.put(a_row(1))
    assert [row.request_id for row in written(state)] == ["r1"]
    assert caplog.text.count("an entry of the journal is of no use, and left out") == 2


def test_a_server_that_goes_down_in_the_middle_costs_no_row_and_doubles_none(
    postgres: PostgresServer, server_url: str, tmp_path: Path
) -> None:
    with (
        State.open(server_url, waits=Waits(connect=2.0)) as state,
        writer_of(state, Journal.open(tmp_path / "journal")) as writer,
    ):
        state.budgets.reserve("a", [Claim(*USD, DAY, 100, 60)], "i")
        for number in range(900):
            writer.put(a_row(number))
        postgres.stop()
        try:
            for number in range(900, 1000):
                writer.put(a_row(number))
            writer.settle("a", {USD: 25})
            assert not writer.flush(0.2)
        finally:
            postgres.start()
        assert writer.flush(30.0)
        assert sorted(row.at for row in written(state)) == [1000.0 + number for number in range(1000)]
        (standing,) = state.budgets.standing(DAY)
        assert (standing.spent, standing.reserved) == (25, 0)
