import json
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from mlflow.entities import Run
from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from classifier import ModelFileDamaged, ModelFileMissing, TierPredictor
from tests.training.tracked_runs import (
    MLFLOW_WARNINGS,
    a_run,
    free_port,
    mlflow_process,
    plain_environment,
)
from training.errors import TrackingError
from training.tracking import TrackedResult, TrackedRun, track, tracking_uri

pytestmark = MLFLOW_WARNINGS

TRACK_IN_A_PROCESS = """
import os, sys
from pathlib import Path
from tests.training.tracked_runs import a_run
from training.tracking import track, tracking_uri

cheap_to_import = "mlflow" not in sys.modules
folder = Path(sys.argv[1])
result = track(a_run(folder / "theirs"), tracking_uri=tracking_uri(os.environ, folder), environ=os.environ)
from mlflow.telemetry import get_telemetry_client
print(result.version, get_telemetry_client(), cheap_to_import)
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A run that was tracked, and the client to look it up with."""

    run: TrackedRun
    result: TrackedResult
    folder: Path
    client: MlflowClient

    def looked_up(self) -> Run:
        return self.client.get_run(self.result.run_id)

    def version(self) -> ModelVersion:
        return self.client.get_model_version("tierwise", str(self.result.version))

    def files(self) -> set[str]:
        """Name the files among the run's artifacts."""
        folder = self.folder / "mlruns" / "tierwise" / self.result.run_id / "artifacts"
        return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}

    def model_folder(self) -> Path:
        model_id = self.result.model_uri.removeprefix("models:/")
        return self.folder / "mlruns" / "tierwise" / "models" / model_id / "artifacts"


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    folder = tmp_path_factory.mktemp("a folder")
    figure = Figure()
    figure.add_subplot().plot([0, 1], [0, 1])
    (folder / "report.html").write_text("<p>report</p>", encoding="utf-8")
    (folder / "curve.svg").write_text("<svg/>", encoding="utf-8")
    run = replace(
        a_run(folder / "data"),
        tags={"trained_by": "a test"},
        figures={"confusion": figure, "curve": folder / "curve.svg"},
        extra_files=[folder / "report.html"],
    )
    uri = tracking_uri({}, folder)
    result = track(run, tracking_uri=uri, environ=os.environ)
    return Stored(run, result, folder, MlflowClient(uri))


def test_a_run_is_stored_with_its_parameters_and_metrics(stored: Stored) -> None:
    run = stored.looked_up()
    assert run.info.run_name == "first try"
    assert run.info.status == "FINISHED"
    assert run.data.params == {"C": "2.5", "ngrams": "1-2", "minimum_documents": "2"}
    assert run.data.metrics == {"accuracy": 0.75, "share.cheap_premium": 0.04}


def test_a_run_tells_which_data_and_which_model_it_was(stored: Stored) -> None:
    tags = stored.looked_up().data.tags
    assert tags["data_digest"] == stored.run.data_digest
    assert tags["model_version"] == TierPredictor.load(stored.run.model_file).version
    assert tags["trained_by"] == "a test"


def test_the_data_set_is_described_but_not_copied(stored: Stored) -> None:
    inputs = stored.looked_up().inputs
    assert inputs is not None
    (entry,) = inputs.dataset_inputs
    assert entry.dataset.name == "data"
    assert stored.run.data_digest.startswith(entry.dataset.digest)
    assert json.loads(entry.dataset.source) == {"uri": str(stored.run.data_source)}


def test_data_card_figures_and_files_lie_beside_the_store(stored: Stored) -> None:
    assert (stored.folder / "mlflow.db").is_file()
    assert stored.files() == {
        "data/README.md",
        "figures/confusion.png",
        "figures/curve.svg",
        "files/report.html",
    }


def test_the_logged_model_is_code_and_a_model_file_without_any_pickle(stored: Stored) -> None:
    folder = stored.model_folder()
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {"MLmodel", "pyfunc_model.py", "artifacts/model.tierwise", "code/classifier/predictor.py"} <= files
    assert {Path(file).suffix for file in files} == {"", ".py", ".json", ".txt", ".yaml", ".tierwise"}
    logged = (folder / "artifacts" / "model.tierwise").read_bytes()
    assert logged == stored.run.model_file.read_bytes()


def test_the_requirements_are_explicit_and_pinned(stored: Stored) -> None:
    lines = (stored.model_folder() / "requirements.txt").read_text(encoding="utf-8").split()
    assert [line.partition("==")[0] for line in lines] == ["mlflow", "pandas"]
    assert all("==" in line for line in lines)


def test_the_model_is_registered_with_the_tags_of_its_run(stored: Stored) -> None:
    version = stored.version()
    assert stored.result.version == 1
    assert version.run_id == stored.result.run_id
    assert version.tags["data_digest"] == stored.run.data_digest
    assert version.tags["trained_by"] == "a test"


def test_a_later_run_registers_the_next_version_and_prints_nothing(
    stored: Stored, capfd: pytest.CaptureFixture[str]
) -> None:
    result = track(stored.run, tracking_uri=tracking_uri({}, stored.folder), environ=os.environ)
    assert result.version == 2
    assert capfd.readouterr() == ("", "")


def test_a_run_can_stay_unregistered(stored: Stored) -> None:
    uri = tracking_uri({}, stored.folder)
    result = track(stored.run, tracking_uri=uri, environ=os.environ, experiment="a/b", register_as=None)
    assert result.version is None
    experiment = stored.client.get_experiment_by_name("a/b")
    assert experiment is not None
    assert experiment.artifact_location == (stored.folder / "mlruns" / "a%2Fb").as_uri()


def test_environment_and_import_path_are_as_before(stored: Stored) -> None:
    environment, path = dict(os.environ), list(sys.path)
    track(stored.run, tracking_uri=tracking_uri({}, stored.folder), environ=os.environ)
    assert dict(os.environ) == environment
    assert sys.path == path


def test_a_run_that_fails_half_way_is_marked_as_failed(stored: Stored) -> None:
    run = replace(stored.run, name="half way", extra_files=[stored.folder / "missing.joblib"])
    with pytest.raises(TrackingError, match=r"could not be stored .*missing\.joblib"):
        track(run, tracking_uri=tracking_uri({}, stored.folder), environ=os.environ)
    experiment = stored.looked_up().info.experiment_id
    (failed,) = stored.client.search_runs([experiment], "attributes.run_name = 'half way'")
    assert failed.info.status == "FAILED"


def test_names_that_mlflow_cannot_tell_apart_are_refused(stored: Stored) -> None:
    run = replace(stored.run, metrics={"a→b": 0.1, "a←b": 0.2})
    with pytest.raises(TrackingError, match="rename one: a←b, a→b"):
        track(run, tracking_uri=tracking_uri({}, stored.folder), environ=os.environ)


def test_the_environment_names_the_server_and_otherwise_the_folder_holds_the_store(tmp_path: Path) -> None:
    assert tracking_uri({"MLFLOW_TRACKING_URI": " http://a:5000 "}, tmp_path) == "http://a:5000"
    assert tracking_uri({"MLFLOW_TRACKING_URI": ""}, tmp_path) == f"sqlite:///{tmp_path}/mlflow.db"


def test_a_missing_or_damaged_model_file_is_refused_before_anything_is_stored(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    uri = tracking_uri({}, tmp_path / "store")
    with pytest.raises(ModelFileMissing, match=r"none\.tierwise"):
        track(replace(run, model_file=tmp_path / "none.tierwise"), tracking_uri=uri, environ=os.environ)
    run.model_file.write_bytes(run.model_file.read_bytes()[:-50])
    with pytest.raises(ModelFileDamaged, match=r"model\.tierwise"):
        track(run, tracking_uri=uri, environ=os.environ)
    assert not (tmp_path / "store").exists()


def test_a_server_that_is_not_there_is_given_up_within_seconds(tmp_path: Path) -> None:
    uri = f"http://someone:secret@127.0.0.1:{free_port()}"
    begun = time.monotonic()
    with pytest.raises(TrackingError, match=r"Connection refused.*MLFLOW_TRACKING_URI names a") as caught:
        track(a_run(tmp_path), tracking_uri=uri, environ=os.environ)
    assert time.monotonic() - begun < 30
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_server_that_says_nothing_is_given_up_in_the_time_that_the_user_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    begun = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(TrackingError, match=r"Read timed out.*MLFLOW_TRACKING_URI names a"):
            track(a_run(tmp_path), tracking_uri=uri, environ=os.environ)
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        pytest.param("http://[::1", "Invalid IPv6 URL", id="half an address"),
        pytest.param("nowhere://x", "unsupported URI", id="unknown scheme"),
        pytest.param("./mlruns", "maintenance mode", id="folder"),
        pytest.param("mysql+nodriver://someone:secret@127.0.0.1/x", "nodriver", id="missing driver"),
    ],
)
def test_a_store_that_mlflow_cannot_use_is_named_with_the_remedy(
    uri: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(TrackingError, match=f"{words}.*MLFLOW_TRACKING_URI") as caught:
        track(a_run(tmp_path), tracking_uri=uri, environ=os.environ)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("change", ["SELECT 1", "DROP TABLE webhook_events"], ids=["all tables", "one fewer"])
def test_a_store_of_a_newer_mlflow_is_refused(change: str, stored: Stored, tmp_path: Path) -> None:
    database = tmp_path / "mlflow.db"
    database.write_bytes((stored.folder / "mlflow.db").read_bytes())
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
        connection.execute(change)
        connection.commit()
    with pytest.raises(TrackingError, match=r"ffffffffffff.*another MLflow than this one .*wrote the store"):
        track(a_run(tmp_path), tracking_uri=tracking_uri({}, tmp_path), environ=os.environ)


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Let no file grow beyond a fraction of what MLflow's tables need."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, limits[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.usefixtures("full_disk")
def test_a_full_disk_leaves_no_half_made_store_behind(stored: Stored, tmp_path: Path) -> None:
    with pytest.raises(TrackingError, match=r"could not be stored .*check that its folder .* has room"):
        track(stored.run, tracking_uri=tracking_uri({}, tmp_path), environ=os.environ)
    assert not (tmp_path / "mlflow.db").exists()


def test_runs_at_once_on_a_new_store_are_all_stored_and_print_nothing(tmp_path: Path) -> None:
    process = subprocess.Popen(  # noqa: S603  our own interpreter
        [sys.executable, "-c", TRACK_IN_A_PROCESS, str(tmp_path)],
        env=plain_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    lock = tmp_path / "mlruns" / ".mlflow.db.lock"
    while process.poll() is None and not lock.exists():
        time.sleep(0.01)
    ours = track(a_run(tmp_path / "ours"), tracking_uri=tracking_uri({}, tmp_path), environ=os.environ)
    output, errors = process.communicate(timeout=120)
    assert (output, errors) == (b"1 None True\n", b"")
    assert ours.version == 2


@pytest.fixture
def server(stored: Stored, tmp_path: Path) -> Iterator[str]:
    shutil.copy(stored.folder / "mlflow.db", tmp_path)  # it need not make its tables
    address = f"http://127.0.0.1:{(port := free_port())}"
    arguments = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    with mlflow_process(arguments, tmp_path, f"{address}/health"):
        yield address


def test_a_tracking_server_takes_a_run_over_http(
    server: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = a_run(tmp_path / "data")
    names = {"experiment": "over http", "register_as": "over http"}
    result = track(run, tracking_uri=server, environ=os.environ, **names)
    assert capfd.readouterr() == ("", "")
    client = MlflowClient(server)
    assert client.get_run(result.run_id).data.metrics["accuracy"] == 0.75
    assert [artifact.path for artifact in client.list_artifacts(result.run_id)] == ["data"]
    assert client.get_model_version("over http", "1").run_id == result.run_id
    assert client.get_run(result.run_id).info.artifact_uri.startswith("mlflow-artifacts:/")
