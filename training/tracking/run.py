"""Training runs in MLflow: what was run, on which data, how well it did, and the model itself, registered."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib import metadata, resources
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from classifier import TierPredictor
from training.errors import TrackingError
from training.tracking import local_store
from training.tracking.session import FIRST_CALL, LATER_CALLS, make_store, mlflow_session, store_turn

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.models import ModelSignature
    from mlflow.models.model import ModelInfo

__all__ = ["MODEL_NAME", "TrackedResult", "TrackedRun", "track"]

MODEL_NAME = "tierwise"
FAILURE = "the run could not be stored in"
EXAMPLE_PROMPTS = ("Translate 'good morning' into Italian.", "Prove that there are infinitely many primes.")
LONGEST_DIGEST = 36  # characters that MLflow keeps of a data set's digest; the tag holds all of it
NOT_IN_NAMES = re.compile(r"[^\w.\- /]")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class TrackedRun:
    """One training run, as it is to be remembered.

    Attributes:
        name: What the run is called in lists.
        parameters: Settings by name.
        metrics: Measurements by name.
        data_digest: Digest of the labelled data (`LabelledData.digest`).
        data_source: Where the labelled data was read from, a file or a folder.
        model_file: The model file that `classifier` reads.
        tags: Tags beside `data_digest` and `model_version`; all of them stand on the run, on the logged model
            and on its registered version.
        data_card: The description of the data, if there is one.
        figures: Plots by name: drawn ones are stored as figures/NAME.png, files under their own names.
        extra_files: Whatever else belongs to the run (the joblib pipeline, the report), stored under files/.
    """

    name: str
    parameters: Mapping[str, str | int | float]
    metrics: Mapping[str, float]
    data_digest: str
    data_source: Path
    model_file: Path
    tags: Mapping[str, str] = field(default_factory=dict)
    data_card: Path | None = None
    figures: Mapping[str, Figure | Path] = field(default_factory=dict)
    extra_files: Sequence[Path] = ()


@dataclass(frozen=True, slots=True)
class TrackedResult:
    """Where a tracked run went.

    Attributes:
        run_id: The run, as MLflow knows it.
        model_uri: The logged model, for `mlflow.pyfunc.load_model` and `mlflow models serve`.
        version: Its version among the registered models; None where it was not registered.
    """

    run_id: str
    model_uri: str
    version: int | None


def track(
    run: TrackedRun,
    *,
    tracking_uri: str,
    environ: MutableMapping[str, str],
    experiment: str = MODEL_NAME,
    register_as: str | None = MODEL_NAME,
) -> TrackedResult:
    """Store a run with its model, and register the model as a new version.

    Runs that share an SQLite store take turns. A server that cannot be reached is given up after some ten
    seconds. What MLflow prints is held back: what matters arrives as an exception. Its current tracking URI,
    one for the whole process, stays at `tracking_uri`: `mlflow.pyfunc.load_model(result.model_uri)` works.

    Args:
        run: What to store.
        tracking_uri: Where to, as from `tracking_uri()`.
        environ: The environment of this process (`os.environ`), the one place where MLflow looks for settings
            such as time limits: what is not set there is set meanwhile, and then put back.
        experiment: The experiment to add the run to; it is made where it is missing.
        register_as: The registered model to add a version to; None registers nothing.

    Raises:
        TrackingError: The store or server cannot be reached, read or written.
        ModelFileError: The model file is missing, damaged or of another version.
    """
    version = TierPredictor.load(run.model_file).version  # first: MLflow would store a damaged file too
    tags = {"data_digest": run.data_digest, "model_version": version, **run.tags}
    with store_turn(tracking_uri) as database:
        with mlflow_session(tracking_uri, environ, FIRST_CALL, FAILURE):
            experiment_id = _open_experiment(experiment, database)
        with mlflow_session(tracking_uri, environ, LATER_CALLS, FAILURE):
            return _store(run, tags, experiment_id, register_as)


def _open_experiment(name: str, database: Path | None) -> str:
    import mlflow

    if database is not None and not database.exists():
        make_store(database)
    if database is not None and mlflow.get_experiment_by_name(name) is None:
        artifacts = database.parent / local_store.ARTIFACT_FOLDER / quote(name, safe="")
        mlflow.create_experiment(name, artifact_location=artifacts.as_uri())
    return str(mlflow.set_experiment(name).experiment_id)


def _store(
    run: TrackedRun, tags: Mapping[str, str], experiment_id: str, register_as: str | None
) -> TrackedResult:
    import mlflow

    with mlflow.start_run(experiment_id=experiment_id, run_name=run.name, tags=dict(tags)) as active:
        mlflow.log_params(_named_for_mlflow(run.parameters))
        mlflow.log_metrics(_named_for_mlflow(run.metrics))
        _log_data(run, active.info.run_id)
        _log_files(run)
        # Last: a logged model takes the run's parameters and metrics over.
        model = _log_model(run.model_file, tags, register_as)
    version = model.registered_model_version
    return TrackedResult(active.info.run_id, model.model_uri, None if version is None else int(version))


def _log_data(run: TrackedRun, run_id: str) -> None:
    import mlflow
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source = json.dumps({"uri": str(run.data_source.absolute())})
    data = Dataset(run.data_source.stem, run.data_digest[:LONGEST_DIGEST], source_type="local", source=source)
    used = DatasetInput(data, tags=[InputTag("mlflow.data.context", "training")])
    mlflow.MlflowClient().log_inputs(run_id, datasets=[used])
    if run.data_card is not None:
        mlflow.log_artifact(str(run.data_card), "data")


def _log_files(run: TrackedRun) -> None:
    import mlflow

    for name, figure in run.figures.items():
        if isinstance(figure, Path):
            mlflow.log_artifact(str(figure), "figures")
        else:
            mlflow.log_figure(figure, f"figures/{name}.png")
    for file in run.extra_files:
        mlflow.log_artifact(str(file), "files")


def _log_model(model_file: Path, tags: Mapping[str, str], register_as: str | None) -> ModelInfo:
    import mlflow
    import pandas as pd

    with _code_of_the_model() as (script, classifier):
        logged: ModelInfo = mlflow.pyfunc.log_model(
            name=MODEL_NAME,
            python_model=str(script),
            artifacts={"model_file": str(model_file)},
            code_paths=[str(classifier)],
            pip_requirements=[f"{package}=={metadata.version(package)}" for package in ("mlflow", "pandas")],
            signature=_signature(),
            input_example=pd.DataFrame({"prompt": list(EXAMPLE_PROMPTS)}),
            registered_model_name=register_as,
            tags=dict(tags),
        )
    return logged


def _signature() -> ModelSignature:
    from mlflow.models import ModelSignature
    from mlflow.types.schema import AnyType, ColSpec, Schema

    numbers = ("probability_cheap", "probability_balanced", "probability_premium", "risk")
    # Any type, since a prompt may be a conversation; the model itself says which values are prompts.
    inputs = Schema([ColSpec(AnyType(), "prompt")])  # type: ignore[no-untyped-call]
    outputs = Schema([ColSpec("string", "tier"), *(ColSpec("double", name) for name in numbers)])
    return ModelSignature(inputs=inputs, outputs=outputs)


@contextmanager
def _code_of_the_model() -> Iterator[tuple[Path, Path]]:
    """Yield the script that MLflow loads and a copy of the sources of `classifier`.

    The sources travel with the model, so that it loads where Tierwise is not installed and decides as it did
    when it was logged; the packaged default model stays behind.
    """
    with ExitStack() as scope:
        script = scope.enter_context(
            resources.as_file(resources.files("training.tracking") / "pyfunc_model.py")
        )
        package = scope.enter_context(resources.as_file(resources.files("classifier")))
        folder = Path(scope.enter_context(tempfile.TemporaryDirectory(prefix="tierwise-")))
        copy = shutil.copytree(package, folder / "classifier", ignore=_all_but_sources)
        yield script, Path(copy)


def _all_but_sources(folder: str, names: list[str]) -> list[str]:
    paths = [Path(folder, name) for name in names]
    return [path.name for path in paths if path.suffix != ".py" and not (path / "__init__.py").is_file()]


def _named_for_mlflow(values: Mapping[str, Value]) -> dict[str, Value]:
    """Write names in the characters that MLflow takes on every system; others become underscores.

    >>> _named_for_mlflow({"errors cheap↔premium": 0.04})
    {'errors cheap_premium': 0.04}
    """
    named = {NOT_IN_NAMES.sub("_", name): value for name, value in values.items()}
    if len(named) < len(values):
        message = (
            f"in MLflow's alphabet some of these names are the same, rename one: {', '.join(sorted(values))}"
        )
        raise TrackingError(message)
    return named
