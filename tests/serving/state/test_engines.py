import pytest

from serving.errors import StateError
from serving.state.engines import naming_of, parse_url


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("sqlite:///state.db", "sqlite+pysqlite"),
        ("postgresql://u:p@host/db", "postgresql+psycopg"),
        ("postgres://u:p@host/db", "postgresql+psycopg"),
        ("postgresql+psycopg://u:p@host/db", "postgresql+psycopg"),
    ],
)
def test_a_url_gets_our_driver(url: str, driver: str) -> None:
    assert parse_url(url).drivername == driver


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "cannot be read: give sqlite:///path/to/file.db or postgresql://user@host/database"),
        ("state.db", "cannot be read"),
        ("postgresql://u:hunter2@host:port/db", "cannot be read"),
        ("sqlite://", "SQLite needs a file here"),
        ("sqlite:///:memory:", "SQLite needs a file here"),
        ("mysql://u:hunter2@host/db", "'mysql' is not a database that state can live in"),
        ("postgresql+psycopg2://u:hunter2@host/db", r"'postgresql\+psycopg2' is not a database"),
    ],
)
def test_what_is_no_such_url_is_told_without_its_password(url: str, words: str) -> None:
    with pytest.raises(StateError, match=words) as caught:
        parse_url(url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sqlite:////var/lib/state.db", "sqlite:/var/lib/state.db"),
        ("postgresql://u:hunter2@db.example:5433/tierwise", "postgresql://db.example:5433/tierwise"),
        ("postgresql://u@/tierwise?host=/run/pg&password=hunter2", "postgresql:///run/pg/tierwise"),
        ("postgresql:///tierwise", "postgresql://local socket/tierwise"),
    ],
)
def test_a_database_is_named_without_its_password(url: str, name: str) -> None:
    naming = naming_of(parse_url(url))
    assert naming.name == name
    assert naming.word(OSError("no hunter2\n here")).count("hunter2") == (0 if "hunter2" in url else 1)
