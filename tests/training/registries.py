"""A registry of four models, made once: each test works on a copy of its store."""

import json
import os
import shutil
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from mlflow.entities.model_registry import ModelVersion
from mlflow.tracking import MlflowClient

from classifier import FixedPolicy, Tier, TierPredictor
from classifier.contribution import Contrast
from classifier.model_file import Model, dump_model
from tests.training.conftest import DATA
from tests.training.tracked_runs import a_run
from training.labelled import LabelledData, read_labelled
from training.labelled_rows import TIER_NAMES
from training.tracking import TrackedResult, track, tracking_uri

GOOD, BAD, TWIN, SEES_ALL, UNREGISTERED = "good", "bad", "twin of good", "saw all", "not registered"


@cache
def evaluation_rows() -> LabelledData:
    """Some 130 labelled rows, languages and domains among them."""
    data = read_labelled(DATA)
    return data.where(data.frame.index.to_numpy() % 50 == 0)


def write_set(data: LabelledData, file: Path) -> Path:
    """Write labelled rows with all that belongs to them."""
    names = {True: "messages", False: "prompt"}
    columns = (data.frame[name].tolist() for name in ("prompt", "tier", "language", "domain"))
    rows = [
        {
            names[isinstance(prompt, list)]: prompt,
            "tier": TIER_NAMES[tier],
            "language": language,
            "domain": domain,
        }
        for prompt, tier, language, domain in zip(*columns, strict=True)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def _models(digest: str) -> dict[str, Model]:
    good = TierPredictor.default().model
    bad = replace(good, prompts=replace(good.prompts, intercept=Contrast(-50.0, -50.0)), head=None)
    seen = {"training_data": {"digest": digest, "fitted_on": ["train", "validation", "test"]}}
    return {
        BAD: bad,
        GOOD: good,
        TWIN: replace(good, provenance={"note": "the same weights, written again"}),
        SEES_ALL: replace(good, provenance=seen, policy=FixedPolicy(Tier.PREMIUM)),
    }


@dataclass(frozen=True, slots=True)
class Stock:
    """What was tracked, by the model's name, and the store that holds it."""

    folder: Path
    results: dict[str, TrackedResult]
    files: dict[str, bytes]

    def run(self, name: str) -> str:
        return self.results[name].run_id

    def uri(self, name: str) -> str:
        return f"models:/tierwise/{self.results[name].version}"

    def artifact(self, name: str) -> Path:
        model_id = self.results[name].model_uri.removeprefix("models:/")
        folder = self.folder / "mlruns" / "tierwise" / "models" / model_id / "artifacts" / "artifacts"
        return folder / "model.tierwise"

    def copied_to(self, folder: Path) -> "Store":
        """Copy the database; the artifacts stay where they are, the database names them in full."""
        shutil.copy(self.folder / "mlflow.db", folder)
        return Store(MlflowClient(tracking_uri({}, folder)))


@dataclass(frozen=True, slots=True)
class Store:
    """One test's store, looked at from outside."""

    client: MlflowClient

    def crown(self, number: int) -> None:
        """Move the alias by hand, as in MLflow's own pages."""
        self.client.set_registered_model_alias("tierwise", "champion", str(number))

    def champion(self) -> int | None:
        number = self.client.get_registered_model("tierwise").aliases.get("champion")
        return None if number is None else int(number)

    def version(self, number: int) -> ModelVersion:
        return self.client.get_model_version("tierwise", str(number))


def stock(folder: Path) -> Stock:
    """Track the models, which become versions 1 to 4 in the order of `_models`, and a run without one."""
    data = read_labelled(write_set(evaluation_rows(), folder / "eval.jsonl"), rows_per_tier=0)
    results: dict[str, TrackedResult] = {}
    files: dict[str, bytes] = {}
    for name, model in _models(data.digest).items():
        run = a_run(folder / "data", name)
        files[name] = dump_model(model)
        run.model_file.write_bytes(files[name])
        results[name] = track(run, tracking_uri=tracking_uri({}, folder), environ=os.environ)
    bare = MlflowClient(tracking_uri({}, folder)).create_run("1")
    results[UNREGISTERED] = TrackedResult(bare.info.run_id, "", None)
    return Stock(folder, results, files)
