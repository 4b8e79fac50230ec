import json
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import pytest

from classifier import RiskPolicy, TierPredictor
from classifier.model_file import dump_model
from tests.training.fits import SMALL_SETTINGS, some_rows, some_split
from training.errors import DataError, OutputError
from training.fitting import FittedModel
from training.policy_choice import largest_max_risk
from training.predictors import route_rows
from training.train_run import Trained, TrainOptions, train, write_pipeline

OPTIONS = TrainOptions(SMALL_SETTINGS, final=True, refit=False, seed=3)


@pytest.fixture(scope="module")
def steps() -> list[str]:
    return []


@pytest.fixture(scope="module")
def trained(steps: list[str]) -> Trained:
    return train(some_rows(), OPTIONS, step=steps.append)


def test_every_step_is_told(trained: Trained, steps: list[str]) -> None:
    assert trained.search is None
    assert steps == ["splitting", "fitting", "choosing the policy", "evaluating"]


def test_the_model_is_fitted_with_the_settings_on_the_split(trained: Trained) -> None:
    assert trained.fitted.settings == SMALL_SETTINGS
    assert trained.split.train.digest == some_split().train.digest
    assert trained.split.test.digest == some_split().test.digest


def test_the_policy_keeps_the_under_routing_that_was_asked_for(trained: Trained) -> None:
    rows = route_rows(TierPredictor(trained.model), trained.split.validation)
    below = rows.weights[rows.chosen < rows.needed].sum() / rows.weights.sum()
    assert below <= 0.10
    assert trained.model.policy == RiskPolicy(trained.choice.max_risk)
    choice = largest_max_risk(rows.probabilities, rows.needed, rows.weights, 0.10)
    assert choice == trained.choice


def test_both_held_out_parts_are_evaluated(trained: Trained) -> None:
    assert trained.validation.rows == len(trained.split.validation)
    assert trained.test is not None
    assert trained.test.rows == len(trained.split.test)


def test_the_model_tells_where_it_comes_from(trained: Trained) -> None:
    facts = json.loads(json.dumps(trained.model.provenance, allow_nan=False))
    assert facts["training_data"]["digest"] == some_rows().digest
    assert facts["training_data"]["rows"] == {
        "train": len(trained.split.train),
        "validation": len(trained.split.validation),
        "test": len(trained.split.test),
    }
    assert facts["settings"] == SMALL_SETTINGS.as_dict()
    assert facts["policy_chosen_for"] == trained.choice.as_dict()
    assert facts["conversation_head"] == "fitted on this data"
    assert set(facts["metrics"]) == {"validation", "test"}
    assert set(facts["versions"]) == {"python", "tierwise", "scikit-learn", "numpy", "scipy"}


def test_the_same_data_and_seed_give_the_same_bytes(trained: Trained) -> None:
    shuffled = some_rows().where(np.ones(len(some_rows()), dtype=bool))
    again = train(shuffled, OPTIONS, step=lambda _: None)
    assert dump_model(again.model) == dump_model(trained.model)


def test_a_refit_learns_from_all_but_the_test_rows_under_the_same_policy(trained: Trained) -> None:
    steps: list[str] = []
    refitted = train(some_rows(), replace(OPTIONS, refit=True), step=steps.append)
    assert steps[-1] == "fitting once more"
    assert refitted.model.policy == trained.model.policy
    assert refitted.validation == trained.validation
    assert refitted.model.prompts != trained.model.prompts
    assert refitted.model.provenance["training_data"]["fitted_on"] == ["train", "validation"]
    assert trained.model.provenance["training_data"]["fitted_on"] == ["train"]


def test_the_test_rows_are_looked_at_only_on_request_and_a_head_can_be_borrowed() -> None:
    prompts = some_rows().where(~some_rows().frame["is_conversation"].to_numpy())
    head = TierPredictor.default().model.head
    options = replace(OPTIONS, final=False, under_routing=0.3)
    trained = train(prompts, options, step=lambda _: None, spare_head=lambda: head)
    assert trained.test is None
    assert set(trained.model.provenance["metrics"]) == {"validation"}
    assert trained.model.head is head
    assert trained.model.provenance["conversation_head"] == "taken from another model"
    assert trained.choice.target == 0.3


def test_too_few_rows_to_split_are_refused() -> None:
    few = some_rows().where(some_rows().frame.index < 3)
    with pytest.raises(DataError, match=r"too few rows to split|is left to train on"):
        train(few, OPTIONS, step=lambda _: None)


def test_the_pipelines_are_stored_for_training(trained: Trained, tmp_path: Path) -> None:
    path = tmp_path / "model.joblib"
    write_pipeline(trained.fitted, path)
    again = joblib.load(path)
    assert isinstance(again, FittedModel)
    texts = ["Prove that pi is irrational.", ""]
    assert np.array_equal(again.prompts.predict_proba(texts), trained.fitted.prompts.predict_proba(texts))


def test_pipelines_that_cannot_be_stored_say_why(trained: Trained, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "model.joblib"
    with pytest.raises(OutputError, match=r"model\.joblib: could not write the pipeline: No such file"):
        write_pipeline(trained.fitted, path)
