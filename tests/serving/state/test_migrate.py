import importlib.resources
import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.operations import Operations
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from serving.errors import SchemaOutdatedError, StateError
from serving.spending.budget_terms import PREMIUM, Claim, Unit
from serving.state.database import Database
from serving.state.engines import make_file, parse_url
from serving.state.feedback import Feedback, Thumb
from serving.state.migrate import Migrated, current, migrate, migration_context
from serving.state.schema import REVISION, VERSION_TABLE, metadata
from serving.state.state import State
from tests.serving.state.rows import FULL

FOLDER = importlib.resources.files("serving.state") / "migrations"


def migrate_to(url: str, revision: str) -> None:
    """Bring an empty database to a revision that may be an old one."""
    scripts = ScriptDirectory(str(FOLDER))
    steps = [
        MigrationStep.upgrade_from_script(scripts.revision_map, each)
        for each in reversed(list(scripts.iterate_revisions(revision, "base")))
    ]
    make_file(parse_url(url))
    database = Database.connect(url)
    with database.writing() as connection:
        context = migration_context(connection, fn=lambda *_: steps)
        with Operations.context(context):
            context.run_migrations()
    database.close()


def test_an_empty_database_gets_its_tables_once(new_url: str) -> None:
    first = migrate(new_url)
    assert (first.before, first.after) == (None, REVISION)
    assert first.steps[0] == "0001: The first schema: keys, ledger, budgets, instances, feedback."
    assert migrate(new_url) == Migrated(REVISION, REVISION, ())
    assert current(new_url) == REVISION
    Database.open(new_url).close()


def test_the_migrated_schema_is_the_one_in_the_code(new_url: str) -> None:
    migrate(new_url)
    database = Database.open(new_url)
    with database.reading() as connection:
        context = migration_context(connection, compare_server_default=True)
        assert compare_metadata(context, metadata) == []
    database.close()


def test_a_difference_between_schema_and_tables_would_be_seen(new_url: str) -> None:
    migrate(new_url)
    database = Database.open(new_url)
    with database.writing() as connection:
        connection.execute(text("ALTER TABLE tierwise_feedback DROP COLUMN comment"))
        connection.execute(text("DROP INDEX tierwise_ledger_by_request_id"))
    with database.reading() as connection:
        found = str(compare_metadata(migration_context(connection), metadata))
    assert "add_column" in found
    assert "tierwise_ledger_by_request_id" in found
    database.close()


def test_data_of_the_first_schema_survives_the_way_to_the_newest(new_url: str) -> None:
    migrate_to(new_url, "0001")
    database = Database.connect(new_url)
    with database.writing() as connection:
        for statement in FIRST_DATA:
            connection.execute(text(statement))
    database.close()
    assert migrate(new_url).before == "0001"
    with State.open(new_url) as state:
        assert [row.request_id for row in state.ledger.rows(0.0, 1e12)] == ["r1"]
        assert [key.name for key in state.api_keys.all()] == ["Acme"]
        (standing,) = state.budgets.standing("2026-11-22")
        assert (standing.spent, standing.reserved, standing.cap) == (40, 60, 100)
        assert list(state.feedback.rows(0.0, 1e12)) == [Feedback("r1", Thumb.UP, 7.0)]
        state.feedback.add("r1", None, 8.0, retried=True)
        state.feedback.add("r2", None, 9.0, escalated_to="premium")
        assert list(state.feedback.rows(0.0, 1e12)) == [
            Feedback("r1", Thumb.UP, 8.0, retried=True),
            Feedback("r2", None, 9.0, escalated_to="premium"),
        ]
        assert state.instances.alive(0.0) == {"i"}
        state.budgets.settle("a", {})
        state.ledger.append([FULL])
        state.budgets.reserve("b", [Claim(PREMIUM, Unit.USD, "2026-11-23", 100, 1)], "i")


def test_a_ledger_of_the_second_schema_can_tell_what_its_later_rows_saved(new_url: str) -> None:
    migrate_to(new_url, "0002")
    database = Database.connect(new_url)
    with database.writing() as connection:
        connection.execute(text(FIRST_DATA[1]))
    database.close()
    assert migrate(new_url).steps == (
        "0003: Stored answers; what a stored answer saved, in the ledger; the last row of a session is found"
        " at once.",
    )
    with State.open(new_url) as state:
        state.ledger.append([FULL])
        old, new = state.ledger.rows(0.0, 1e12)
        assert (old.cache, old.saved_usd) == (None, None)
        assert (new.cache, new.saved_usd) == (FULL.cache, FULL.saved_usd)
        assert state.ledger.attempts_of("r1") == (old,)


FIRST_DATA = [
    "INSERT INTO tierwise_api_keys (key_id, name, secret_sha256, created_at, allowed_tiers)"
    " VALUES ('4f1d', 'Acme', '00', 1.0, 'cheap,premium')",
    "INSERT INTO tierwise_ledger (attempt_id, request_id, at, requested, chosen_by, model, channel, outcome,"
    " cause, attempt, fell_back, streamed, estimated)"
    " VALUES ('a1', 'r1', 5.0, 'auto', 'policy', 'm', 'standard', 'answered', '', 0, false, true, false)",
    "INSERT INTO tierwise_budgets (day, scope, unit, cap, spent, reserved, orphaned, overrun)"
    " VALUES ('2026-11-22', 'premium', 'usd', 100, 40, 60, 0, 0)",
    "INSERT INTO tierwise_reservations (reservation_id, scope, unit, day, amount, instance, state)"
    " VALUES ('a', 'premium', 'usd', '2026-11-22', 60, 'i', 'held')",
    "INSERT INTO tierwise_instances (instance, beat_at) VALUES ('i', 6.0)",
    "INSERT INTO tierwise_feedback (request_id, thumb, at) VALUES ('r1', 'up', 7.0)",
]


def test_a_newer_schema_is_left_alone(new_url: str) -> None:
    migrate(new_url)
    database = Database.connect(new_url)
    with database.writing() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0099'"))  # noqa: S608
    database.close()
    with pytest.raises(SchemaOutdatedError, match=f"newer than this version's {REVISION}"):
        migrate(new_url)
    assert current(new_url) == "0099"


def test_a_migration_that_fails_leaves_everything_as_it_was(new_url: str) -> None:
    make_file(parse_url(new_url))
    database = Database.connect(new_url)
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE tierwise_feedback (mine INTEGER)"))
    with pytest.raises(StateError, match=r"tierwise_feedback.* already exists"):
        migrate(new_url)
    assert current(new_url) is None
    with database.reading() as connection:
        assert inspect(connection).get_table_names() == ["tierwise_feedback"]
    database.close()


def test_the_newest_revision_is_the_one_that_the_code_asks_for() -> None:
    scripts = ScriptDirectory(str(FOLDER))
    assert scripts.get_heads() == [REVISION]
    revisions = [each.revision for each in scripts.walk_revisions()][::-1]
    assert revisions == [f"{number:04d}" for number in range(1, len(revisions) + 1)]


def test_every_revision_lies_in_the_wheel_as_a_file() -> None:
    files = [Path(each.name).name for each in (FOLDER / "versions").iterdir() if each.name.endswith(".py")]
    assert all(re.fullmatch(r"r\d{4}_\w+\.py|__init__\.py", name) for name in files)
