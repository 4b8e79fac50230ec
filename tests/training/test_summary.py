import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tests.training.fits import SMALL_SETTINGS, some_rows
from training.search import Candidate, SearchResult
from training.summary import run_metrics, run_parameters, train_facts, train_summary
from training.tracking import TrackedResult
from training.train_run import Trained, TrainOptions, train

WRITTEN = [Path("out/model.tierwise"), Path("out/model.joblib")]
RUN = TrackedResult("abc123", "models:/m-1", 4)
LABELS = ["data", "model", "policy", "validation", "test", "written", "tracked"]


@cache
def a_run() -> Trained:
    prompts = some_rows().where(~some_rows().frame["is_conversation"].to_numpy())
    return train(prompts, TrainOptions(SMALL_SETTINGS, final=True, refit=False), step=lambda _: None)


@pytest.fixture(scope="module")
def trained() -> Trained:
    return a_run()


def test_a_run_is_told_in_a_line_for_each_thing(trained: Trained) -> None:
    lines = train_summary(trained, WRITTEN, RUN).splitlines()
    assert [line.split()[0] for line in lines if line[0] != " "] == LABELS
    assert all(len(line) < 160 for line in lines)


def test_the_summary_holds_the_figures(trained: Trained) -> None:
    summary = train_summary(trained, WRITTEN, RUN)
    accuracy = trained.validation.flat_metrics()["most_probable.accuracy"]
    assert f"{len(trained.split.train):,} rows to train" in summary
    assert f"{len(trained.model.prompts.words):,} tokens" in summary
    assert f"max_risk {trained.choice.max_risk:.3g}: the largest that keeps under-routing" in summary
    assert f"accuracy {accuracy:.3f}" in summary
    assert "written     out/model.tierwise, out/model.joblib" in summary
    assert "tracked     run abc123, models:/m-1, registered as models:/tierwise/" in summary


def test_what_did_not_happen_is_not_told(trained: Trained) -> None:
    lines = train_summary(replace(trained, test=None), WRITTEN, None).splitlines()
    assert [line.split()[0] for line in lines if line[0] != " "] == [
        "data",
        "model",
        "policy",
        "validation",
        "written",
    ]


def test_a_search_is_told_with_its_folds_and_what_it_found(trained: Trained) -> None:
    candidates = tuple(Candidate(SMALL_SETTINGS, loss, 0.7) for loss in (0.625, 0.75))
    searched = replace(trained, search=SearchResult(candidates, "6 folds over 9 sources"))
    summary = train_summary(searched, WRITTEN, None)
    assert "settings    best of 2 by log loss (0.6250; accuracy 0.700), 6 folds over 9 sources" in summary
    assert "'max_ngrams': 1500" in summary


def test_a_run_is_told_in_json(trained: Trained) -> None:
    facts = json.loads(json.dumps(train_facts(trained, WRITTEN, RUN), allow_nan=False))
    assert facts["written"] == [str(path) for path in WRITTEN]
    assert facts["run"] == {"id": "abc123", "model_uri": "models:/m-1", "version": 4}
    assert facts["metrics"]["validation"] == trained.validation.flat_metrics()
    assert facts["settings"] == SMALL_SETTINGS.as_dict()
    assert train_facts(trained, WRITTEN, None)["run"] is None


def test_the_tracker_gets_plain_settings_and_figures(trained: Trained) -> None:
    parameters = run_parameters(trained, seed=9)
    assert parameters["seed"] == 9
    assert set(parameters) == {*SMALL_SETTINGS.as_dict(), "seed"}
    assert all(isinstance(value, str | int | float) for value in parameters.values())
    metrics = run_metrics(trained)
    assert all(isinstance(value, float) for value in metrics.values())
    assert metrics["max_risk"] == trained.choice.max_risk
    assert {name.partition(".")[0] for name in metrics} == {
        "validation",
        "test",
        "max_risk",
        "inverse_temperature",
    }
