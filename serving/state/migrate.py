"""Bring a database's schema up to date, one process at a time."""

import zlib
from dataclasses import dataclass
from importlib import resources

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from serving.errors import SchemaOutdatedError
from serving.state.database import Database, found_revision
from serving.state.engines import Waits, make_file, parse_url
from serving.state.schema import REVISION, VERSION_TABLE

__all__ = ["Migrated", "current", "migrate", "migration_context"]

_LOCK = zlib.crc32(VERSION_TABLE.encode())  # of PostgreSQL's advisory locks, which are numbers
_PATIENT = Waits(lock=60.0, statement=600.0)  # rewriting a long ledger takes its time


@dataclass(frozen=True, slots=True)
class Migrated:
    """What a migration did.

    Attributes:
        before: the revision that was found, or None where there were no tables.
        after: the revision that stands now.
        steps: what was applied, in order, as "0001: the first schema..."; empty when all was up to date.
    """

    before: str | None
    after: str
    steps: tuple[str, ...]


def migrate(url: str) -> Migrated:
    """Bring a database to this version's schema; a SQLite file is created where there is none.

    All steps are one transaction, under a lock: of processes that start together one does the work and the
    others find it done. What fails half-way leaves everything as it was.

    Raises:
        StateError: the URL is of no use, or the file cannot be created.
        StateUnavailableError: the database cannot be reached, or is being migrated for longer than a minute.
        SchemaOutdatedError: its schema is newer than this version's.
    """
    make_file(parse_url(url))
    database = Database.connect(url, waits=_PATIENT)
    try:
        with database.writing() as connection:
            _lock(connection)
            return _upgrade(connection, database.name)
    finally:
        database.close()


def current(url: str) -> str | None:
    """Return the revision of a database's schema, or None where there are no tables.

    Raises:
        StateError: the URL is of no use.
        StateUnavailableError: the database cannot be reached.
    """
    database = Database.connect(url)
    try:
        with database.reading() as connection:
            return found_revision(connection)
    finally:
        database.close()


def migration_context(connection: Connection, **options: object) -> MigrationContext:
    """Return Alembic's context for a connection, with our version table."""
    return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE, **options})


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # on SQLite every writing transaction is alone
        connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK})


def _upgrade(connection: Connection, name: str) -> Migrated:
    before = found_revision(connection)
    if before is not None and before > REVISION:
        newer = f"its schema is {before}, newer than this version's {REVISION}"
        raise SchemaOutdatedError(f"{name}: {newer}: install the Tierwise that migrated it")
    scripts = ScriptDirectory(str(resources.files("serving.state") / "migrations"))
    pending = list(scripts.iterate_revisions("head", before or "base"))[::-1]

    def steps(_heads: object, _context: object) -> list[MigrationStep]:
        return [MigrationStep.upgrade_from_script(scripts.revision_map, each) for each in pending]

    context = migration_context(connection, fn=steps)
    with Operations.context(context):
        context.run_migrations()
    return Migrated(before, REVISION, tuple(f"{each.revision}: {each.doc}" for each in pending))
