"""Labels and weights, on outcomes worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Tier
from training.outcome_labels import fair_tie_weight, label_outcomes

TWO = (Tier.CHEAP, Tier.PREMIUM)
THREE = tuple(Tier)
SCORES = st.lists(st.lists(st.floats(0.0, 1.0), min_size=3, max_size=3), min_size=1, max_size=20)


@pytest.mark.parametrize(
    ("scores", "tier"),
    [
        pytest.param([0.0, 0.0, 0.0], Tier.CHEAP, id="nobody solves it"),
        pytest.param([1.0, 1.0, 1.0], Tier.CHEAP, id="everybody does"),
        pytest.param([0.2, 0.9, 0.9], Tier.BALANCED, id="the middle one is enough"),
        pytest.param([0.2, 0.3, 0.4], Tier.PREMIUM, id="the dearest is best"),
        pytest.param([1.0, 0.0, 0.0], Tier.CHEAP, id="the cheapest alone"),
        pytest.param([0.0, 0.7, np.mean([0.7, 0.7, 0.7])], Tier.BALANCED, id="alike but for rounding"),
    ],
)
def test_the_label_is_the_cheapest_tier_that_does_as_well_as_any(scores: list[float], tier: Tier) -> None:
    assert label_outcomes(np.array([scores]), THREE).tiers.tolist() == [tier]


def test_labels_are_tiers_where_only_two_were_scored() -> None:
    labels = label_outcomes(np.array([[0.0, 1.0], [1.0, 1.0]]), (Tier.BALANCED, Tier.PREMIUM))
    assert labels.tiers.tolist() == [Tier.PREMIUM, Tier.BALANCED]


def test_a_tolerance_lets_what_is_nearly_as_good_do() -> None:
    scores = np.array([[0.75, 0.8, 0.9]])
    found = [label_outcomes(scores, THREE, tolerance=each).tiers[0] for each in (0.0, 0.1, 0.2)]
    assert found == [Tier.PREMIUM, Tier.BALANCED, Tier.CHEAP]


@pytest.mark.parametrize(
    ("scores", "weight"),
    [
        pytest.param([0.0, 0.0], 0.2, id="nobody solves it"),
        pytest.param([1.0, 1.0], 0.2, id="both do"),
        pytest.param([0.0, 1.0], 1.0, id="only the dear one"),
        pytest.param([1.0, 0.0], 1.4, id="only the cheap one"),
        pytest.param([0.5, 1.0], 0.6, id="half way"),
        pytest.param([0.0, 1.0, 0.0], 2.2, id="only the one between"),
        pytest.param([0.0, 1.0, 1.0], 1.0, id="both dearer ones"),
    ],
)
def test_a_prompt_weighs_what_the_wrong_tier_would_lose(scores: list[float], weight: float) -> None:
    tiers = THREE if len(scores) == 3 else TWO
    assert label_outcomes(np.array([scores]), tiers, tie_weight=0.2).weights == pytest.approx(weight)


def test_within_the_tolerance_a_slightly_worse_tier_weighs_as_a_tie() -> None:
    labels = label_outcomes(np.array([[0.8, 0.9]]), TWO, tolerance=0.1, tie_weight=0.2)
    assert (labels.tiers.tolist(), labels.weights.tolist()) == ([Tier.CHEAP], [0.2])


def test_the_fair_tie_weight_is_the_odds_of_the_mean_gain() -> None:
    scores = np.array([[0.0, 1.0]] * 3 + [[1.0, 0.0]] + [[1.0, 1.0]] * 8)
    assert fair_tie_weight(scores) == pytest.approx(0.2)
    assert label_outcomes(scores, TWO).weights.min() == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("scores", "weight"),
    [
        pytest.param([1.0, 0.0], 0.05 / 0.95, id="the dearest is worse"),
        pytest.param([0.0, 1.0], 1.0, id="it always wins"),
    ],
)
def test_the_fair_tie_weight_stays_in_bounds(scores: list[float], weight: float) -> None:
    assert fair_tie_weight(np.array([scores])) == pytest.approx(weight)


def test_weighted_logistic_loss_is_least_at_even_odds_where_the_dearest_gains_as_on_average() -> None:
    gained, tied, lost = 30, 60, 10
    scores = np.array([[0.0, 1.0]] * gained + [[1.0, 1.0]] * tied + [[1.0, 0.0]] * lost)
    labels = label_outcomes(scores, TWO)
    premium = labels.tiers == Tier.PREMIUM
    assert labels.weights[premium].sum() == pytest.approx(labels.weights[~premium].sum())


@given(SCORES)
def test_every_prompt_counts_and_labels_are_good_enough(scores: list[list[float]]) -> None:
    table = np.array(scores)
    labels = label_outcomes(table, THREE)
    assert ((labels.weights > 0) & (labels.weights <= 2 + fair_tie_weight(table) + 1e-9)).all()
    found = table[np.arange(len(table)), labels.tiers]
    assert found == pytest.approx(table.max(axis=1), abs=2e-9)
