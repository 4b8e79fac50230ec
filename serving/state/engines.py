"""A SQLAlchemy engine for either database, set up so that nothing waits without a bound."""

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from serving.errors import StateError
from serving.state.failures import Naming

__all__ = ["READ_ONLY", "Waits", "build_engine", "is_missing", "make_file", "naming_of", "parse_url"]

READ_ONLY = "tierwise_read_only"  # the execution option of connections that only read

_FORMS = "give sqlite:///path/to/file.db or postgresql://user@host/database"
_PASSWORDS = ("password", "passwd", "sslpassword")


@dataclass(frozen=True, slots=True)
class Waits:
    """How long anything waits for the database before it is called unavailable; seconds.

    Attributes:
        connect: for a connection to PostgreSQL.
        lock: for locks: of rows on PostgreSQL, of the file on SQLite, of this process's writers on SQLite.
        statement: for one statement on PostgreSQL.
        pool: for a connection that another thread has.
    """

    connect: float = 3.0
    lock: float = 3.0
    statement: float = 5.0
    pool: float = 3.0


def parse_url(url: str) -> URL:
    """Return the URL with the driver that we use.

    Raises:
        StateError: it is no URL, of another database, or of a SQLite without a file.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # their words hold pieces of the URL, of its password perhaps
        raise StateError(f"the database's URL cannot be read: {_FORMS}") from None
    match parsed.drivername:
        case "sqlite" | "sqlite+pysqlite" if not parsed.database or parsed.database == ":memory:":
            raise StateError(f"SQLite needs a file here, which several threads and processes share: {_FORMS}")
        case "sqlite" | "sqlite+pysqlite":
            return parsed.set(drivername="sqlite+pysqlite")
        case "postgres" | "postgresql" | "postgresql+psycopg":
            return parsed.set(drivername="postgresql+psycopg")
    raise StateError(f"{parsed.drivername!r} is not a database that state can live in: {_FORMS}")


def naming_of(url: URL) -> Naming:
    """Return how messages call the database, and what they leave out."""
    query = [url.query.get(name) for name in _PASSWORDS]
    secrets = tuple(str(each) for each in [url.password, *query] if each)
    host = url.host or url.query.get("host") or "local socket"
    port = f":{url.port}" if url.port else ""
    place = url.database if url.drivername.startswith("sqlite") else f"//{host}{port}/{url.database or ''}"
    return Naming(f"{url.get_backend_name()}:{place}", secrets)


def build_engine(url: URL, waits: Waits, *, driver: Any = None) -> Engine:
    """Return an engine; no connection is made yet.

    Connections to a server are checked when they leave the pool, so that one that was restarted is noticed
    before a statement is lost; parameters (hashes, prompts) never stand in errors.

    Args:
        url: parsed.
        waits: that hold for all that follows.
        driver: a DB-API module in place of `sqlite3`, for a file that nothing else in this process opens.
    """
    shared: dict[str, Any] = {
        "hide_parameters": True,
        "pool_pre_ping": url.get_backend_name() != "sqlite",  # a file does not hang up
        "pool_timeout": waits.pool,
        "pool_size": 8,
        "max_overflow": 8,
    }
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, waits, shared if driver is None else {**shared, "module": driver})
    return _postgresql(url, waits, shared)


def make_file(url: URL) -> None:
    """Create the file of a SQLite database where there is none: empty, for its owner alone to read and write.

    Raises:
        StateError: its folder is missing, or it cannot be created.
    """
    if not _is_plain_file(url):
        return
    path = str(url.database)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StateError(f"{path}: the database's file cannot be opened: {error.strerror}") from error


def is_missing(url: URL) -> bool:
    """Whether the file of a SQLite database is not there."""
    return _is_plain_file(url) and not Path(str(url.database)).exists()


def _is_plain_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and not str(url.database).startswith("file:")


def _existing(url: URL) -> URL:
    """Return the URL by which SQLite opens a file but never creates one."""
    if not _is_plain_file(url):
        return url
    return url.set(database=f"file:{quote(str(url.database))}").update_query_dict(
        {"uri": "true", "mode": "rw"}
    )


def _sqlite(url: URL, waits: Waits, shared: dict[str, Any]) -> Engine:
    engine = create_engine(_existing(url), connect_args={"timeout": waits.lock}, **shared)

    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # `begin` below says how a transaction begins
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    def begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get(READ_ONLY, False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    event.listen(engine, "connect", prepare)
    event.listen(engine, "begin", begin)
    return engine


def _postgresql(url: URL, waits: Waits, shared: dict[str, Any]) -> Engine:
    arguments = {
        "connect_timeout": max(2, round(waits.connect)),  # libpq knows no shorter one
        "tcp_user_timeout": round(waits.statement * 1000),  # a host that vanished acknowledges nothing
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "application_name": "tierwise",
    }
    given = {name: value for name, value in arguments.items() if name not in url.query}
    engine = create_engine(url, connect_args=given, isolation_level="READ COMMITTED", **shared)
    bounds = (
        f"SET statement_timeout = {round(waits.statement * 1000)}; "
        f"SET lock_timeout = {round(waits.lock * 1000)}; "
        f"SET idle_in_transaction_session_timeout = {round(waits.statement * 2000)}"
    )

    def prepare(connection: Any, _record: object) -> None:
        previous, connection.autocommit = connection.autocommit, True
        connection.execute(bounds)
        connection.autocommit = previous

    event.listen(engine, "connect", prepare)
    return engine
