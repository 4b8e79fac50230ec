from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

from tests.training.fits import SMALL_SETTINGS, small_fit, some_split
from training.fitting import prompt_rows
from training.settings import FitSettings
from training.tier_classifier import TierClassifier

TEXTS, FRAME = prompt_rows(some_split().train)
TIERS, WEIGHTS = FRAME["tier"].to_numpy(), FRAME["weight"].to_numpy()
QUICK = FitSettings(longest_ngram=1, max_ngrams=200, inverse_penalty=1.0)


@pytest.fixture(scope="module")
def fitted() -> TierClassifier:
    return TierClassifier.of(QUICK).fit(TEXTS, TIERS, WEIGHTS)


def vocabulary(classifier: TierClassifier) -> list[str]:
    branches = dict(classifier.pipeline_.named_steps["features"].transformer_list)
    names: list[str] = branches["ngrams"].named_steps["presence"].get_feature_names_out().tolist()
    return names


def test_it_takes_its_parameters_from_the_settings() -> None:
    parameters = TierClassifier.of(QUICK).get_params()
    assert parameters == {name: getattr(QUICK, name) for name in parameters}
    assert set(QUICK.as_dict()) - set(parameters) == {"head_inverse_penalty"}


def test_a_clone_has_the_same_parameters_and_nothing_learnt(fitted: TierClassifier) -> None:
    again = clone(fitted)
    assert again.get_params() == fitted.get_params()
    assert not hasattr(again, "pipeline_")


def test_probabilities_come_in_the_order_of_the_tiers_and_sum_to_one(fitted: TierClassifier) -> None:
    probabilities = fitted.predict_proba(TEXTS[:50])
    assert fitted.classes_.tolist() == [0, 1, 2]
    assert probabilities.shape == (50, 3)
    assert probabilities.sum(axis=1) == pytest.approx(1.0)
    assert fitted.predict(TEXTS[:50]).tolist() == probabilities.argmax(axis=1).tolist()


def test_the_vocabulary_is_pruned_to_what_tells_tiers_apart(fitted: TierClassifier) -> None:
    assert len(vocabulary(fitted)) == 200
    assert {"prove", "?"} & set(vocabulary(fitted))
    assert vocabulary(fitted) == sorted(vocabulary(fitted))


def test_a_small_vocabulary_is_kept_whole() -> None:
    whole = TierClassifier.of(replace(QUICK, min_documents=40)).fit(TEXTS, TIERS)
    assert 0 < len(vocabulary(whole)) < 200


def test_the_same_rows_give_the_same_model(fitted: TierClassifier) -> None:
    again = TierClassifier.of(QUICK).fit(TEXTS, TIERS, WEIGHTS)
    assert vocabulary(again) == vocabulary(fitted)
    assert np.array_equal(again.predict_proba(TEXTS), fitted.predict_proba(TEXTS))


def test_weights_count() -> None:
    heavy = np.where(TIERS == 2, 20.0, 1.0)
    plain, weighted = (TierClassifier.of(QUICK).fit(TEXTS, TIERS, each) for each in (None, heavy))
    assert weighted.predict_proba(TEXTS)[:, 2].mean() > plain.predict_proba(TEXTS)[:, 2].mean() + 0.1


def test_it_learns() -> None:
    texts, frame = prompt_rows(some_split().test)
    right = small_fit().prompts.predict(texts) == frame["tier"].to_numpy()
    assert right.mean() > 0.45  # a third by chance; there are few rows to learn from here


def test_statistics_can_be_left_out() -> None:
    bare = TierClassifier.of(replace(QUICK, statistics=())).fit(TEXTS, TIERS)
    assert bare.predict_proba(["", "?" * 50])[0] == pytest.approx(bare.predict_proba(["zzz"])[0])
    assert SMALL_SETTINGS.statistics
