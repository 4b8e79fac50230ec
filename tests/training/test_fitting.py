from copy import deepcopy

import numpy as np
import pytest
from sklearn.metrics import log_loss

from classifier import read
from classifier.conversation import ROLES
from classifier.statistic import COUNTS
from tests.training.fits import SMALL_SETTINGS, small_fit, some_split
from training.fitting import (
    FEWEST_CONVERSATIONS,
    calibration_factor,
    conversation_rows,
    fit_head,
    fit_prompts,
    head_matrix,
    prompt_rows,
    refit_model,
    scale_logits,
)
from training.labelled import LabelledData


@pytest.fixture(scope="module")
def train() -> LabelledData:
    return some_split().train


@pytest.fixture(scope="module")
def validation() -> LabelledData:
    return some_split().validation


def test_every_row_is_either_one_text_or_a_conversation(train: LabelledData) -> None:
    texts, frame = prompt_rows(train)
    conversations = conversation_rows(small_fit().prompts, train)
    assert conversations is not None
    assert len(texts) == len(frame)
    assert len(texts) + len(conversations.tiers) == len(train)
    assert not any(read(prompt).is_conversation for prompt in frame["prompt"])


def test_a_conversation_of_one_turn_is_read_as_a_text(train: LabelledData) -> None:
    texts, frame = prompt_rows(train)
    assert frame["is_conversation"].any()
    assert texts == [read(prompt).turns[-1] for prompt in frame["prompt"]]


def test_calibration_finds_the_temperature_of_least_log_loss(
    train: LabelledData, validation: LabelledData
) -> None:
    prompts = fit_prompts(train, SMALL_SETTINGS)
    raw = prompts.named_steps["regression"].coef_.copy()
    texts, frame = prompt_rows(validation)
    before = prompts.predict_proba(texts)
    factor = calibration_factor(prompts, validation)
    scale_logits(prompts, factor)
    after = prompts.predict_proba(texts)
    assert factor == pytest.approx(small_fit().inverse_temperature, rel=1e-6)
    assert log_loss(frame["tier"], after) <= log_loss(frame["tier"], before)
    assert after.argmax(axis=1).tolist() == before.argmax(axis=1).tolist()
    assert prompts.named_steps["regression"].coef_ == pytest.approx(raw * factor, abs=1e-9)
    assert calibration_factor(prompts, validation) == pytest.approx(1.0, abs=1e-3)


def test_a_refit_keeps_settings_and_calibration_and_learns_from_more(
    train: LabelledData, validation: LabelledData
) -> None:
    again = refit_model(small_fit(), validation)
    assert again.settings == small_fit().settings
    assert again.inverse_temperature == small_fit().inverse_temperature
    texts, frame = prompt_rows(validation)
    tiers = frame["tier"]
    assert log_loss(tiers, again.prompts.predict_proba(texts)) < log_loss(
        tiers, small_fit().prompts.predict_proba(texts)
    )
    assert len(prompt_rows(train)[0]) > len(texts)


def test_the_head_is_fitted_on_roles_and_counts(train: LabelledData) -> None:
    fitted = small_fit()
    assert fitted.head is not None
    rows = conversation_rows(fitted.prompts, train)
    assert rows is not None
    assert rows.matrix.shape == (len(rows.tiers), 2 * len(ROLES) + len(COUNTS))
    assert np.isfinite(rows.matrix).all()
    assert len(rows.weights) == len(rows.sources) == len(rows.tiers)
    assert fitted.head.predict_proba(rows.matrix).sum(axis=1) == pytest.approx(1.0)


def test_too_few_conversations_give_no_head(train: LabelledData) -> None:
    conversations = np.flatnonzero([read(prompt).is_conversation for prompt in train.frame["prompt"]])
    few = np.ones(len(train), dtype=bool)
    few[conversations[FEWEST_CONVERSATIONS - 1 :]] = False
    assert fit_head(small_fit().prompts, train.where(few), SMALL_SETTINGS) is None
    few[conversations[FEWEST_CONVERSATIONS - 1]] = True
    assert fit_head(small_fit().prompts, train.where(few), SMALL_SETTINGS) is not None


def test_conversations_without_one_of_the_tiers_give_no_head(train: LabelledData) -> None:
    without = train.where(train.frame["tier"].to_numpy() > 0)
    assert conversation_rows(small_fit().prompts, without) is None


def test_the_matrix_does_not_depend_on_the_company_that_a_conversation_keeps(train: LabelledData) -> None:
    readings = [reading for reading in map(read, train.frame["prompt"]) if reading.is_conversation][:6]
    together = head_matrix(small_fit().prompts, readings)
    alone = [head_matrix(small_fit().prompts, [reading])[0] for reading in readings]
    assert together == pytest.approx(np.array(alone), abs=1e-12)


def test_fitting_leaves_the_rows_as_they_were(train: LabelledData) -> None:
    before = deepcopy(train.frame["prompt"].tolist())
    conversation_rows(small_fit().prompts, train)
    assert train.frame["prompt"].tolist() == before
