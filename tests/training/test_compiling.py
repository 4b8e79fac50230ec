"""The pipeline that was fitted and the predictor that is shipped are the same model."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings

from classifier import Prompt, TierPredictor, read
from classifier.model_file import dump_model, parse_model
from classifier.statistic import STATISTICS
from tests.classifier.texts import HUGE, HUGE_IDS, MESSAGES, TEXTS
from tests.training.fits import (
    SMALL_SETTINGS,
    all_rows,
    compiled,
    default_fit,
    small_fit,
    some_rows,
    some_split,
)
from training.compiling import compile_model
from training.fitting import FittedModel, fit_model, head_matrix
from training.settings import FitSettings
from training.split import split_data

EXACTLY = 1e-9


def by_the_pipelines(fitted: FittedModel, prompts: Sequence[Prompt]) -> np.ndarray:
    """Probabilities as scikit-learn computes them: texts by one pipeline, conversations by both."""
    readings = [read(prompt) for prompt in prompts]
    found = fitted.prompts.predict_proba([reading.turns[-1] for reading in readings])
    assert fitted.head is not None
    for place in [place for place, reading in enumerate(readings) if reading.is_conversation]:
        found[place] = fitted.head.predict_proba(head_matrix(fitted.prompts, [readings[place]]))[0]
    return np.asarray(found)


def check_agreement(fitted: FittedModel, prompts: Sequence[Prompt]) -> None:
    difference = np.abs(np.array(compiled(fitted).predict_proba(prompts)) - by_the_pipelines(fitted, prompts))
    assert difference.max() <= EXACTLY


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_both_give_any_text_the_same_probabilities(text: str) -> None:
    check_agreement(small_fit(), [text])


@settings(max_examples=150, deadline=None)
@given(MESSAGES)
def test_both_give_any_conversation_the_same_probabilities(messages: list[dict[str, str]]) -> None:
    check_agreement(small_fit(), [messages])


@pytest.mark.parametrize("text", HUGE, ids=HUGE_IDS)
def test_both_give_a_huge_text_the_same_probabilities(text: str) -> None:
    check_agreement(small_fit(), [text])


def test_both_give_real_rows_the_same_probabilities() -> None:
    check_agreement(small_fit(), some_rows().frame["prompt"].tolist()[::3])


@pytest.mark.parametrize(
    "other",
    [
        replace(SMALL_SETTINGS, longest_ngram=1),
        replace(SMALL_SETTINGS, statistics=()),
        replace(SMALL_SETTINGS, statistics=(STATISTICS[5].name, STATISTICS[0].name), statistics_scale=0.7),
        replace(SMALL_SETTINGS, window=30, ask=5, middle_weight=0.9),
        replace(SMALL_SETTINGS, min_documents=30, max_ngrams=10_000),
    ],
    ids=["no pairs", "no statistics", "two statistics", "another excerpt", "nothing pruned"],
)
def test_both_agree_whatever_the_settings(other: FitSettings) -> None:
    fitted = fit_model(some_split().train, some_split().validation, other)
    check_agreement(fitted, some_split().test.frame["prompt"].tolist())
    check_agreement(fitted, ["", "\ud800", "x" * 5000, "prove\n" * 400])


def test_a_compiled_model_is_kept_exactly_by_its_file() -> None:
    model = compiled(small_fit()).model
    assert parse_model(dump_model(model), "small").model == model


def test_a_spare_head_stands_in_for_one_that_was_not_fitted(predictor: TierPredictor) -> None:
    headless = replace(small_fit(), head=None)
    assert compile_model(headless, predictor.policy, {}).head is None
    spare = predictor.model.head
    assert compile_model(headless, predictor.policy, {}, spare).head is spare
    assert compile_model(small_fit(), predictor.policy, {}, spare).head is not spare


@pytest.fixture(scope="module")
def predictor() -> TierPredictor:
    return TierPredictor.default()


# --- the packaged model


def test_the_data_of_the_project_gives_the_packaged_vocabulary(predictor: TierPredictor) -> None:
    ours, packaged = compiled(default_fit()).model.prompts, predictor.model.prompts
    assert ours.excerpt == packaged.excerpt
    assert set(ours.words) == set(packaged.words)
    assert set(ours.stems) == set(packaged.stems)
    assert set(ours.pairs) == set(packaged.pairs)


def test_the_data_of_the_project_gives_the_packaged_probabilities(predictor: TierPredictor) -> None:
    held_out = split_data(all_rows()).test.frame["prompt"].tolist()
    prompts = [*held_out[::3], *(prompt for prompt in held_out if isinstance(prompt, list))]
    assert len(prompts) > 300
    ours, packaged = (np.array(each.predict_proba(prompts)) for each in (compiled(default_fit()), predictor))
    assert np.abs(ours - packaged).max() <= 1e-3


def test_the_packaged_model_tells_which_data_it_was_trained_on(predictor: TierPredictor) -> None:
    facts = predictor.provenance
    assert facts["training_data"]["digest"] == all_rows().digest
    assert facts["settings"] == default_fit().settings.as_dict()
    assert facts["policy_chosen_for"]["target_under_routing"] == 0.10
    assert facts["policy_chosen_for"]["is_met"] is True


def test_the_packaged_model_agrees_with_the_pipeline_it_is_made_from() -> None:
    check_agreement(default_fit(), all_rows().frame["prompt"].tolist()[::25])
