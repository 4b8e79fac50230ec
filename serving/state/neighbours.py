"""The asks that the semantic cache compares with: nearest first, within one bucket.

On PostgreSQL they stand in the state's own database, compared by the extension `vector` (pgvector), and all
replicas see each other's. Embedded, they stand in a SQLite file of their own beside the state's, compared by
sqlite-vec; every process that uses the same state sees them too. Both search exactly, among the rows of one
bucket alone: an approximate index would filter after it has searched, and lose what a bucket holds.

Why sqlite-vec and not usearch, by its documents: that one keeps its index in memory and writes it whole, so
that processes neither see each other's entries nor survive a kill without losing some, cannot filter while it
searches, and brings NumPy along; sqlite-vec is one function in SQL, and rows are transactions. Python's own
`sqlite3` is mostly built without loadable extensions; `pysqlite3-binary` is not. It holds a second copy of
SQLite, and two copies in one process must not open one file (closing it in one drops the locks of the
other), hence the file of its own. The extension's plain distance function is used and not its virtual table,
whose vectors have one length for ever.

The tables are made when the cache is first opened, and not by the migrations: an account that may not create
the extension can still run everything else.
"""

import importlib
import sqlite3
import zlib
from array import array
from typing import Any, Self

from sqlalchemy import (
    URL,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Double,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    delete,
    event,
    func,
    select,
    text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from serving.cache.indexed_ask import IndexedAsk, Neighbour, Vector
from serving.errors import StateError
from serving.state.database import Database
from serving.state.engines import Waits, build_engine, make_file, naming_of, parse_url
from serving.state.ledger_values import storable_text

__all__ = ["MOST_DIMENSIONS", "Neighbours"]

MOST_DIMENSIONS = 8192  # what sqlite-vec takes; pgvector takes more

_LOCK = zlib.crc32(b"tierwise_neighbours")  # of PostgreSQL's advisory locks, which are numbers
_AT_ONCE = 500  # rows; writers get their turn between
_PAGE_BYTES = 16_384  # a row of 1,536 dimensions fits into one page
_OFF = "or set enabled = false in [cache.semantic]"


class _PgVector(UserDefinedType[str]):
    """The type `vector` of pgvector, written as text."""

    cache_ok = True

    def get_col_spec(self, **_options: object) -> str:
        return "vector"


class _Vector(TypeDecorator[Vector]):
    """An embedding: pgvector's type on PostgreSQL, 32-bit floats in a blob on SQLite."""

    impl = LargeBinary
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        kind: TypeEngine[Any] = _PgVector() if dialect.name == "postgresql" else LargeBinary()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Vector | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if dialect.name == "postgresql":
            return f"[{','.join(map(repr, value))}]"
        return array("f", value).tobytes()


_metadata = MetaData()
_asks = Table(
    "tierwise_neighbours",
    _metadata,
    Column("answer_key", Text, primary_key=True),
    Column("bucket", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("ask", Text, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("vector", _Vector, nullable=False),
    Column("model", Text, nullable=False),
    Column("model_version", Text),
    Column("embedding_model", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Index("tierwise_neighbours_by_bucket_dimension", "bucket", "dimension"),
    Index("tierwise_neighbours_by_at", "at", "answer_key"),
    Index("tierwise_neighbours_by_expires_at", "expires_at"),
)


class Neighbours:
    """The indexed asks of a state; any number of threads and processes may share them.

    Every method raises `StateUnavailableError` when the database does not answer in time. Asks are kept in
    the clear, as answers are: the guard compares their words.
    """

    def __init__(self, database: Database) -> None:
        """Wrap a database that has the table; use `open`."""
        self._database = database
        add = database.insert(_asks)
        latest = {column.name: add.excluded[column.name] for column in _asks.c if not column.primary_key}
        self._add = add.on_conflict_do_update(index_elements=["answer_key"], set_=latest)

    @classmethod
    def open(cls, url: str, *, waits: Waits | None = None) -> Self:
        """Open the asks of a state's database; what they need there is made where it is missing.

        Args:
            url: of the state's database, `sqlite:///path` or `postgresql://...`.
            waits: how long to wait for it, in all that follows.

        Raises:
            StateError: the extension, or the package that brings it, cannot be had; in one line that says
                what to do.
            StateUnavailableError: the database cannot be reached.
        """
        parsed, waits = parse_url(url), waits or Waits()
        embedded = parsed.get_backend_name() == "sqlite"
        if embedded:
            parsed = _beside(parsed)
            engine = _engine_with_extension(parsed, waits)
            make_file(parsed)
        else:
            engine = build_engine(parsed, waits)
        database = Database(engine, naming_of(parsed), waits)
        try:
            _make(database, embedded=embedded)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def near(
        self, bucket: str, vector: Vector, *, now: float, least: float, most: int = 5
    ) -> tuple[Neighbour, ...]:
        """Return the nearest asks of a bucket that are fresh, nearest first.

        Args:
            bucket: in which to look; asks whose vectors have another dimension are not there.
            vector: of the ask that is looked for.
            now: seconds since the epoch.
            least: similarity below which none is near.
            most: asks at most.
        """
        distance = self._distance(vector).label("distance")
        wanted = (
            select(_asks.c.answer_key, _asks.c.ask, distance)
            .where(_asks.c.bucket == bucket, _asks.c.dimension == len(vector), _asks.c.expires_at > now)
            .order_by(distance, _asks.c.answer_key)
            .limit(most)
        )
        with self._database.reading() as connection:
            rows = connection.execute(wanted).all()
        found = (Neighbour(row.answer_key, row.ask, 1.0 - row.distance) for row in rows)
        return tuple(each for each in found if each.similarity >= least)

    def put(self, ask: IndexedAsk) -> None:
        """Take in an ask; one of the same answer is replaced.

        Raises:
            StateError: its vector has more than `MOST_DIMENSIONS`.
        """
        if not 0 < len(ask.vector) <= MOST_DIMENSIONS:
            raise StateError(f"an embedding of {len(ask.vector)} dimensions cannot be stored")
        values = {name: getattr(ask, name) for name in IndexedAsk.__slots__}
        for name in ("ask", "model", "model_version", "embedding_model"):
            values[name] = None if values[name] is None else storable_text(values[name])
        with self._database.writing() as connection:
            connection.execute(self._add, {**values, "dimension": len(ask.vector)})

    def forget(self, answer_key: str) -> None:
        """Delete the ask of an answer that is not there any more."""
        with self._database.writing() as connection:
            connection.execute(delete(_asks).where(_asks.c.answer_key == answer_key))

    def size(self) -> int:
        """Return how many asks there are."""
        with self._database.reading() as connection:
            return int(connection.execute(select(func.count()).select_from(_asks)).scalar_one())

    def prune(self, now: float, most_entries: int) -> int:
        """Delete asks whose answers are too old, then the oldest beyond a number; return how many."""
        expired = select(_asks.c.answer_key).where(_asks.c.expires_at <= now).limit(_AT_ONCE)
        deleted = self._delete(expired)
        while (beyond := self.size() - most_entries) > 0:
            oldest = select(_asks.c.answer_key).order_by(_asks.c.at, _asks.c.answer_key)
            gone = self._delete_once(oldest.limit(min(beyond, _AT_ONCE)))
            if not gone:
                break
            deleted += gone
        return deleted

    def clear(self, scope: str | None = None) -> int:
        """Delete the asks of a scope, or all of them; return how many there were."""
        some = select(_asks.c.answer_key).limit(_AT_ONCE)
        return self._delete(some if scope is None else some.where(_asks.c.scope == scope))

    def close(self) -> None:
        """Close the database's connections."""
        self._database.close()

    def _distance(self, vector: Vector) -> ColumnElement[float]:
        if self._database.embedded:
            return func.vec_distance_cosine(_asks.c.vector, array("f", vector).tobytes(), type_=Double)
        return _asks.c.vector.op("<=>", return_type=Double())(vector)

    def _delete(self, some: Any) -> int:
        total, deleted = 0, _AT_ONCE
        while deleted == _AT_ONCE:
            deleted = self._delete_once(some)
            total += deleted
        return total

    def _delete_once(self, some: Any) -> int:
        with self._database.writing() as connection:
            return connection.execute(
                delete(_asks).where(_asks.c.answer_key.in_(some.scalar_subquery()))
            ).rowcount


def _beside(url: URL) -> URL:
    """Return the URL of the embedded index, a file beside the state's.

    Raises:
        StateError: the state's URL names no plain file.
    """
    path = str(url.database)
    if path.startswith("file:"):
        raise StateError(f"the semantic cache needs a state in a plain file, and {path} is a URI, {_OFF}")
    return url.set(database=f"{path}.neighbours")


def _engine_with_extension(url: URL, waits: Waits) -> Engine:
    driver, extension = _driver(), _package("sqlite_vec", "sqlite-vec")
    engine = build_engine(url, waits, driver=driver)

    def load(connection: Any, _record: object) -> None:
        connection.enable_load_extension(True)
        extension.load(connection)
        connection.enable_load_extension(False)
        connection.execute(f"PRAGMA page_size={_PAGE_BYTES}")  # of a new file; before WAL, or it comes late

    event.listen(engine, "connect", load, insert=True)
    return engine


def _driver() -> Any:
    """Return a DB-API module whose SQLite loads extensions."""
    if hasattr(sqlite3.Connection, "enable_load_extension"):
        return sqlite3
    return _package("pysqlite3.dbapi2", "pysqlite3-binary")


def _package(module: str, distribution: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise StateError(
            f"the semantic cache needs {distribution} beside SQLite: pip install {distribution}, "
            f"keep the state in PostgreSQL, {_OFF}"
        ) from error


def _make(database: Database, *, embedded: bool) -> None:
    if not embedded:
        with database.reading() as connection:
            has_extension = text("SELECT 1 FROM pg_extension WHERE extname = 'vector'")
            missing = connection.execute(has_extension).first() is None
        if missing:
            _create_extension(database)
    with database.writing() as connection:
        _lock(connection)
        _metadata.create_all(connection)


def _create_extension(database: Database) -> None:
    try:
        with database.writing() as connection:
            _lock(connection)
            connection.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    except StateError as error:
        with database.reading() as connection:  # which tells where the database itself is gone
            connection.execute(text("SELECT 1"))
        raise StateError(_no_extension(database.name)) from error


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # on SQLite every writing transaction is alone
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})


def _no_extension(name: str) -> str:
    return (
        f"{name}: the semantic cache needs the extension pgvector, and this account cannot create it: "
        "install pgvector on the server, have an administrator run CREATE EXTENSION vector in this database, "
        f"{_OFF}"
    )
