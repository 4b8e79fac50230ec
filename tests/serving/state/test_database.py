import sqlite3
import stat
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from serving.errors import SchemaOutdatedError, StateError, StateUnavailableError
from serving.spending.budget_terms import PREMIUM, Claim, Reserved, Unit
from serving.state.database import Database
from serving.state.engines import Waits
from serving.state.migrate import migrate
from serving.state.schema import REVISION, VERSION_TABLE
from serving.state.state import State
from tests.serving.state.postgres import PostgresServer

QUICK = Waits(connect=2.0, lock=0.2, statement=0.4, pool=0.2)
CLAIM = Claim(PREMIUM, Unit.USD, "2026-11-22", 100, 60)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    migrate(f"sqlite:///{tmp_path / 'state.db'}")
    return tmp_path / "state.db"


def test_a_database_without_tables_is_told_how_to_get_them(new_url: str) -> None:
    with pytest.raises(SchemaOutdatedError, match="run `python -m serving migrate`"):
        Database.open(new_url)


def test_a_file_that_is_not_there_is_not_made_by_opening_it(tmp_path: Path) -> None:
    with pytest.raises(SchemaOutdatedError, match=r"typo.db: no such file: run `python -m serving migrate`"):
        Database.open(f"sqlite:///{tmp_path / 'typo.db'}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ("0000", f"is 0000, this version's is {REVISION}: run `python -m serving migrate` with the same --c"),
        ("0099", f"its schema is 0099, newer than this version's {REVISION}: install the Tierwise that"),
    ],
    ids=["older", "newer"],
)
def test_another_schema_is_refused(new_url: str, found: str, words: str) -> None:
    migrate(new_url)
    database = Database.connect(new_url)
    with database.writing() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{found}'"))  # noqa: S608
    with pytest.raises(SchemaOutdatedError, match=words):
        database.check()
    database.close()


def insert_twice(database: Database) -> None:
    with database.writing() as connection:
        for _ in range(2):
            connection.execute(text("INSERT INTO tierwise_instances VALUES ('a', 1.0)"))


def test_what_the_database_refuses_is_no_outage_and_undoes_what_came_before(database: Database) -> None:
    with pytest.raises(StateError, match=r"(?i)unique") as caught:
        insert_twice(database)
    assert not isinstance(caught.value, StateUnavailableError)
    assert State.of(database).instances.alive(0.0) == frozenset()


def test_a_database_is_shown_without_its_password(database: Database) -> None:
    assert repr(database) == f"Database({database.name!r})"


@pytest.mark.parametrize(
    "url", ["sqlite:///{folder}/none/state.db", "sqlite:///{folder}"], ids=["no folder", "folder"]
)
def test_a_file_that_cannot_be_is_told(tmp_path: Path, url: str) -> None:
    with pytest.raises(StateError, match="the database's file cannot be opened"):
        migrate(url.format(folder=tmp_path))


def test_the_file_is_for_its_owner_alone(file: Path) -> None:
    with State.open(f"sqlite:///{file}") as state, state.database.writing():
        assert {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()} == {0o600}


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_text("Dear diary, " * 100)
    with pytest.raises(StateUnavailableError, match=r"state.db: file is not a database"):
        Database.open(f"sqlite:///{tmp_path / 'state.db'}")


def test_a_file_name_with_odd_characters_is_that_file(tmp_path: Path) -> None:
    path = tmp_path / "50% of #1 & ü.db"
    migrate(f"sqlite:///{str(path).replace('%', '%25').replace('#', '%23')}")
    assert [each.name for each in tmp_path.glob("*.db")] == [path.name]


def test_a_locked_file_is_unavailable_soon_and_only_for_so_long(file: Path) -> None:
    with State.open(f"sqlite:///{file}", waits=QUICK) as state:
        with closing(sqlite3.connect(file, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            with pytest.raises(StateUnavailableError, match=r"state.db: database is locked"):
                state.budgets.reserve("a", [CLAIM], "i")
            assert time.monotonic() - began < 5.0
            assert state.budgets.standing("2026-11-22") == ()  # readers do not wait for writers
        assert isinstance(state.budgets.reserve("a", [CLAIM], "i"), Reserved)


def test_a_file_that_may_only_be_read_is_unavailable_for_writing(file: Path) -> None:
    with State.open(f"sqlite:///file:{file}?mode=ro&uri=true", waits=QUICK) as state:
        with pytest.raises(StateUnavailableError, match="attempt to write a readonly database"):
            state.budgets.reserve("a", [CLAIM], "i")
        assert state.budgets.standing("2026-11-22") == ()


def test_writers_of_one_process_wait_for_their_turn_no_longer_than_told(file: Path) -> None:
    with State.open(f"sqlite:///{file}", waits=QUICK) as state, state.database.writing():
        failures: list[StateUnavailableError] = []

        def reserve() -> None:
            with pytest.raises(StateUnavailableError, match=r"no turn to write within 0.2 s") as caught:
                state.budgets.reserve("a", [CLAIM], "i")
            failures.append(caught.value)

        thread = threading.Thread(target=reserve)
        thread.start()
        thread.join()
        assert len(failures) == 1


def test_a_server_that_goes_down_is_unavailable_soon_and_comes_back_by_itself(
    postgres: PostgresServer, server_url: str
) -> None:
    with State.open(server_url, waits=QUICK) as state:
        assert isinstance(state.budgets.reserve("before", [CLAIM], "i"), Reserved)
        postgres.stop()
        try:
            began = time.monotonic()
            for _ in range(3):
                with pytest.raises(StateUnavailableError, match=r"^postgresql:"):
                    state.budgets.settle("before", {})
            assert time.monotonic() - began < 15.0
        finally:
            postgres.start()
        assert state.budgets.settle("before", {}) == ()
        (standing,) = state.budgets.standing("2026-11-22")
        assert (standing.spent, standing.reserved) == (60, 0)


def test_a_row_that_another_holds_is_waited_for_no_longer_than_told(server_url: str) -> None:
    with State.open(server_url, waits=QUICK) as state, State.open(server_url) as other:
        other.budgets.reserve("a", [CLAIM], "i")
        with other.database.writing() as connection:
            connection.execute(text("UPDATE tierwise_budgets SET spent = 0"))
            with pytest.raises(StateUnavailableError, match="canceling statement due to lock timeout"):
                state.budgets.reserve("b", [CLAIM], "i")
        state.budgets.release("a")
        assert isinstance(state.budgets.reserve("b", [CLAIM], "i"), Reserved)


def test_a_statement_runs_no_longer_than_told(server_url: str) -> None:
    with (
        State.open(server_url, waits=QUICK) as state,
        pytest.raises(StateUnavailableError, match="canceling statement due to statement timeout"),
        state.database.reading() as connection,
    ):
        connection.execute(text("SELECT pg_sleep(30)"))


def test_a_pool_that_is_used_up_is_waited_for_no_longer_than_told(server_url: str) -> None:
    with State.open(server_url, waits=QUICK) as state:
        held = [state.database.reading() for _ in range(16)]
        for each in held:
            each.__enter__()
        with pytest.raises(StateUnavailableError, match="QueuePool limit"):
            state.budgets.standing("2026-11-22")
        for each in held:
            each.__exit__(None, None, None)
        assert state.budgets.standing("2026-11-22") == ()


@pytest.mark.parametrize(
    "change",
    [
        lambda url: url.replace("postgres:@", "nobody:hunter2@"),
        lambda url: url.replace("tierwise_", "missing_"),
    ],
    ids=["user", "database"],
)
def test_a_server_that_refuses_is_told_without_the_password(server_url: str, change: object) -> None:
    assert callable(change)
    with pytest.raises(StateUnavailableError, match="does not exist") as caught:
        Database.open(change(server_url), waits=QUICK)
    assert "hunter2" not in str(caught.value) + repr(caught.value.__cause__)


def test_a_server_that_is_not_there_is_told_soon() -> None:
    began = time.monotonic()
    with pytest.raises(StateUnavailableError, match=r"^postgresql://127.0.0.1:1/db: connection failed"):
        Database.open("postgresql://u:hunter2@127.0.0.1:1/db", waits=QUICK)
    assert time.monotonic() - began < 10.0
