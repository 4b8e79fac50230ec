import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from training.errors import TrackingError
from training.tracking.local_store import database_of, exclusive, refuse_unsound


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        pytest.param("sqlite:////srv/runs/mlflow.db", Path("/srv/runs/mlflow.db"), id="absolute"),
        pytest.param("sqlite:///mlflow.db", Path("mlflow.db").absolute(), id="relative"),
        pytest.param("sqlite+pysqlite:////srv/a.db", Path("/srv/a.db"), id="with a driver"),
        pytest.param("sqlite:////srv/a b.db?timeout=9", Path("/srv/a b.db"), id="with settings"),
        pytest.param("sqlite:///:memory:", None, id="in memory"),
        pytest.param("sqlite://", None, id="in memory, short"),
        pytest.param("http://127.0.0.1:5000", None, id="server"),
        pytest.param("postgresql://db/mlflow", None, id="another database"),
        pytest.param("file:///srv/mlruns", None, id="folder"),
    ],
)
def test_only_sqlite_uris_name_a_file(uri: str, path: Path | None) -> None:
    assert database_of(uri) == path


def test_a_missing_an_empty_and_a_sound_database_pass(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    with closing(sqlite3.connect(tmp_path / "sound.db")) as connection:
        connection.execute("CREATE TABLE runs (id)")
    for name in ("missing.db", "empty.db", "sound.db"):
        refuse_unsound(tmp_path / name)
    assert not (tmp_path / "missing.db").exists()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    file.write_text("prompt,tier\n" * 100)
    with pytest.raises(
        TrackingError, match=r"mlflow\.db is no sound SQLite .*file is not a database.*move it"
    ):
        refuse_unsound(file)


def test_a_database_cut_short_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(file)) as connection:
        for number in range(50):
            connection.execute(f"CREATE TABLE table_{number} (id, name)")
    file.write_bytes(file.read_bytes()[:8192])
    with pytest.raises(TrackingError, match="malformed"):
        refuse_unsound(file)


def test_a_folder_in_place_of_the_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match="unable to open database file"):
        refuse_unsound(tmp_path)


def test_a_second_run_waits_and_then_gives_up(tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    with (
        exclusive(database, seconds=1),
        pytest.raises(TrackingError, match=r"another run has kept .*mlflow\.db busy for 0\.1 seconds"),
        exclusive(database, seconds=0.1),
    ):
        pytest.fail("two runs held the store at once")


def test_the_store_is_free_again_after_a_run_that_failed(tmp_path: Path) -> None:
    database = tmp_path / "runs" / "mlflow.db"
    with pytest.raises(KeyError, match="inside"), exclusive(database, seconds=1):
        raise KeyError("inside")
    with exclusive(database, seconds=0):
        assert database.parent.is_dir()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(
            TrackingError, match=r"runs cannot be kept in .*file .*Not a directory.*choose a folder"
        ),
        exclusive(tmp_path / "file" / "mlflow.db", seconds=1),
    ):
        pytest.fail("the store was held")


def test_a_lock_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "mlruns" / ".mlflow.db.lock").mkdir(parents=True)
    with (
        pytest.raises(TrackingError, match=r"runs cannot be kept in .*unable to open database file"),
        exclusive(tmp_path / "mlflow.db", seconds=1),
    ):
        pytest.fail("the store was held")
