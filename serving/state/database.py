"""The database that state lives in: transactions, bounded waits, the check of its schema."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from sqlalchemy import Connection, Engine, Table, inspect, text
from sqlalchemy.dialects import postgresql, sqlite

from serving.errors import SchemaOutdatedError, StateUnavailableError
from serving.state.engines import READ_ONLY, Waits, build_engine, is_missing, naming_of, parse_url
from serving.state.failures import Naming, told
from serving.state.schema import REVISION, VERSION_TABLE

__all__ = ["Database", "found_revision"]


class Database:
    """A SQLite file or a PostgreSQL database; safe to share between threads, not across a fork.

    Up to 16 connections are pooled; a thread holds one for the length of a transaction. On SQLite the writers
    of this process queue on a lock of ours, which is fair and quick, and only the first of them competes with
    other processes for the file, where waiting is by polling. SQLite runs with WAL and `synchronous=NORMAL`:
    a killed process loses nothing; after a power failure the file is whole, but the transactions since the
    last checkpoint may be gone. That can be the settled spend and ledger rows of some seconds to minutes;
    PostgreSQL loses nothing. When the database goes away every call raises `StateUnavailableError` within the
    `Waits`; when it comes back the next call works.

    Attributes:
        name: the database as messages call it; no password stands in it.
    """

    def __init__(self, engine: Engine, naming: Naming, waits: Waits) -> None:
        """Wrap an engine; use `open`."""
        self.name = naming.name
        self._engine = engine
        self._readers = engine.execution_options(**{READ_ONLY: True})
        self._naming = naming
        self._waits = waits
        self._writers: threading.Lock | None = threading.Lock() if engine.dialect.name == "sqlite" else None

    @classmethod
    def open(cls, url: str, *, waits: Waits | None = None) -> Self:
        """Open a database whose schema is up to date.

        Args:
            url: `sqlite:///path` or `postgresql://...`.
            waits: how long to wait for it, in all that follows.

        Raises:
            StateError: the URL is of no use.
            StateUnavailableError: the database cannot be reached.
            SchemaOutdatedError: it has no schema, or that of another version.
        """
        database = cls.connect(url, waits=waits)
        if is_missing(parse_url(url)):
            raise SchemaOutdatedError(f"{database.name}: no such file: run `python -m serving migrate`")
        try:
            database.check()
        except BaseException:
            database.close()
            raise
        return database

    @classmethod
    def connect(cls, url: str, *, waits: Waits | None = None) -> Self:
        """Return a database whose schema nobody has looked at; nothing is sent to it yet.

        Raises:
            StateError: the URL is of no use.
        """
        parsed, waits = parse_url(url), waits or Waits()
        return cls(build_engine(parsed, waits), naming_of(parsed), waits)

    def check(self) -> None:
        """Check that the database answers and has this version's schema.

        Raises:
            StateUnavailableError: it cannot be reached.
            SchemaOutdatedError: it has no schema, or that of another version.
        """
        with self.reading() as connection:
            found = found_revision(connection)
        if found is None:
            raise SchemaOutdatedError(f"{self.name}: no tables yet: run `python -m serving migrate`")
        if found < REVISION:
            wanted = f"its schema is {found}, this version's is {REVISION}"
            remedy = "run `python -m serving migrate` with the same --config"
            raise SchemaOutdatedError(f"{self.name}: {wanted}: {remedy}")
        if found > REVISION:
            newer = f"its schema is {found}, newer than this version's {REVISION}"
            raise SchemaOutdatedError(f"{self.name}: {newer}: install the Tierwise that migrated it")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that reads one consistent state; nothing that it changes is kept.

        Raises:
            StateUnavailableError: the database cannot be read now.
            StateError: it refused a statement.
        """
        with told(self._naming), self._readers.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a connection in a transaction that is committed at the end, or rolled back on an exception.

        Raises:
            StateUnavailableError: the database cannot be written now.
            StateError: it refused a statement.
        """
        with told(self._naming), self._turn(), self._engine.connect() as connection:
            transaction = connection.begin()
            yield connection
            if transaction.is_active:
                transaction.commit()

    def insert(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """Return an insert that knows `ON CONFLICT` in this database's words."""
        return sqlite.insert(table) if self._writers else postgresql.insert(table)

    @property
    def embedded(self) -> bool:
        """Whether it is a file of SQLite's."""
        return self._writers is not None

    def close(self) -> None:
        """Close the pooled connections."""
        self._engine.dispose()

    def __repr__(self) -> str:
        return f"Database({self.name!r})"

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._writers is None:
            yield
            return
        if not self._writers.acquire(timeout=self._waits.lock):
            raise StateUnavailableError(f"{self.name}: no turn to write within {self._waits.lock:g} s")
        try:
            yield
        finally:
            self._writers.release()


def found_revision(connection: Connection) -> str | None:
    """Return the revision of the schema that stands in a database, or None where there is none."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    found: str | None = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608
    return found
