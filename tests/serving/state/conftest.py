"""A migrated database of either kind; PostgreSQL is a real one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from serving.state.database import Database
from serving.state.migrate import migrate
from serving.state.schema import metadata
from tests.serving.state.postgres import PostgresServer, running_postgres

Connect = Callable[[], Database]


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a migrated database that the tests of a module share."""
    url = empty_url(request, tmp_path_factory.mktemp("state"))
    migrate(url)
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables, for one test alone."""
    return empty_url(request, tmp_path)


@pytest.fixture
def server_url(postgres: PostgresServer) -> str:
    """The URL of a migrated PostgreSQL database, for one test alone."""
    url = postgres.new_database()
    migrate(url)
    return url


@pytest.fixture(scope="module")
def shared_database(url: str) -> Iterator[Database]:
    database = Database.open(url)
    yield database
    database.close()


@pytest.fixture
def database(shared_database: Database) -> Database:
    """A migrated database with nothing in it."""
    with shared_database.writing() as connection:
        for table in metadata.sorted_tables:
            connection.execute(table.delete())
    return shared_database


def empty_url(request: pytest.FixtureRequest, folder: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'state.db'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_database()
