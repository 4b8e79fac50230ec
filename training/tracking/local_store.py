"""The SQLite file that tracked runs go to by default: where it is, whether it is sound, whose turn it is."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from training.errors import TrackingError

__all__ = ["ARTIFACT_FOLDER", "STORE_NAME", "database_of", "exclusive", "refuse_unsound"]

STORE_NAME = "mlflow.db"
ARTIFACT_FOLDER = "mlruns"


def database_of(uri: str) -> Path | None:
    """Name the SQLite file behind a tracking URI; None for a server, another database or one in memory.

    >>> database_of("sqlite:////srv/runs/mlflow.db").as_posix()
    '/srv/runs/mlflow.db'
    >>> database_of("https://tracking.example") is None
    True
    """
    scheme, slashes, path = uri.partition(":///")
    name = path.partition("?")[0]
    is_file = bool(slashes) and scheme.partition("+")[0] == "sqlite" and name not in {"", ":memory:"}
    return Path(name).absolute() if is_file else None


def refuse_unsound(database: Path) -> None:
    """Make sure that the file, where there is one, can be read as an SQLite database.

    Asked beforehand because MLflow tries a file that it cannot open ten times, over 100 seconds.

    Raises:
        TrackingError: It cannot be opened, is no SQLite database or is damaged.
    """
    if not database.exists():
        return
    try:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        message = f"{database} is no sound SQLite database ({error}): move it aside, and a new one is made"
        raise TrackingError(message) from error


@contextmanager
def exclusive(database: Path, seconds: float) -> Iterator[None]:
    """Hold the store for one run, so that runs started at once take turns.

    MLflow creates and migrates its tables without a lock of its own. The lock is an SQLite one, in the folder
    of the artifacts: it works on every system and falls with the process that held it.

    Args:
        database: The SQLite file; its folder is made where it is missing.
        seconds: How long to wait for another run.

    Raises:
        TrackingError: The folder cannot be written to, or the other run took longer.
    """
    folder = database.parent / ARTIFACT_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = sqlite3.connect(folder / f".{database.name}.lock", timeout=seconds, isolation_level=None)
    except (OSError, sqlite3.OperationalError) as error:
        raise _unwritable(database, error) from error
    with closing(lock):
        _take(lock, database, seconds)
        yield


def _take(lock: sqlite3.Connection, database: Path, seconds: float) -> None:
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise _unwritable(database, error) from error
        message = f"another run has kept {database} busy for {seconds:g} seconds: try again when it is done"
        raise TrackingError(message) from error


def _unwritable(database: Path, error: Exception) -> TrackingError:
    return TrackingError(
        f"runs cannot be kept in {database.parent} ({error}): choose a folder that can be written to"
    )
