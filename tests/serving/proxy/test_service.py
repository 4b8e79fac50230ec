"""A service is opened before its server starts, so that what is wrong with its state is told in time."""

import logging
from pathlib import Path
from typing import Any

import pytest

from classifier import TierPredictor
from serving import RouterConfig
from serving.errors import SchemaOutdatedError, StateError
from serving.keys import Keys
from serving.proxy.generation import Generation, Sources
from serving.proxy.service import Service
from serving.serve_config import ServeConfig
from serving.state import State
from tests.serving.conftest import ENVIRON


@pytest.fixture
def state_file(empty_state: Path, tmp_path: Path) -> Path:
    path = tmp_path / "state.db"
    path.write_bytes(empty_state.read_bytes())
    return path


def service_of(model_file: Path, tables: dict[str, Any]) -> Service:
    serve, keys = ServeConfig.from_dict(tables), Keys.from_environ(ENVIRON)
    generation = Generation.of(serve, RouterConfig(), keys, TierPredictor.load(model_file))
    return Service(Sources(None, None, ENVIRON, {}), generation, ENVIRON, say=lambda _: None)


def instances(path: Path) -> frozenset[str]:
    with State.open(f"sqlite:///{path}") as state:
        return frozenset(state.instances.alive(0.0))


def test_what_was_prepared_and_not_used_leaves_nothing(
    model_file: Path, state_file: Path, tmp_path: Path
) -> None:
    tables = {"state": {"url": f"sqlite:///{state_file}", "journal": str(tmp_path / "journal")}}
    service = service_of(model_file, tables)
    service.prepare()
    assert len(instances(state_file)) == 1
    service.abandon()
    service.abandon()
    assert instances(state_file) == frozenset()


def test_a_journal_that_cannot_be_kept_is_told_and_nobody_is_alive(
    model_file: Path, state_file: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    tables = {"state": {"url": f"sqlite:///{state_file}", "journal": str(tmp_path / "file" / "journal")}}
    with pytest.raises(StateError, match="no journal can be kept there: Not a directory"):
        service_of(model_file, tables).prepare()
    assert instances(state_file) == frozenset()


def test_a_database_that_went_bad_since_it_was_checked_is_told(
    model_file: Path, state_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    tables = {"state": {"url": f"sqlite:///{state_file}", "journal": str(tmp_path / "journal")}}
    service = service_of(model_file, tables)
    service.check()
    state_file.write_bytes(b"")
    with pytest.raises(SchemaOutdatedError, match="python -m serving migrate"):
        service.prepare()
