"""APGR and the labels, on examples worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.outcome_apgr import apgr, cheapest_best, prompt_folds, routing_curve, sample_weights

WEAK = np.array([1.0] * 5 + [0.0] * 5)
STRONG = np.ones(10)


def test_the_label_is_the_cheapest_tier_that_does_as_well_as_the_best() -> None:
    scores = np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    assert cheapest_best(scores).tolist() == [0, 0, 1, 0]


def test_with_three_tiers_the_middle_one_can_be_enough() -> None:
    assert cheapest_best(np.array([[0.2, 0.9, 0.9], [0.2, 0.3, 0.4]])).tolist() == [1, 2]


def test_prompts_on_which_the_tiers_tie_count_less() -> None:
    assert sample_weights(np.array([[0.0, 0.0], [0.0, 1.0]])).tolist() == [0.2, 1.0]


def test_the_curve_runs_from_one_strong_call_to_all() -> None:
    share, quality = routing_curve(np.linspace(0.0, 1.0, 10), WEAK, STRONG)
    assert share[0] == pytest.approx(0.1)
    assert share[-1] == 1.0
    assert quality[0] == pytest.approx(0.6)
    assert quality[-1] == 1.0


def test_a_perfect_router_recovers_what_the_hand_computes() -> None:
    # Quality rises by a tenth a call from 0.6 at one call to 1 at five, then stays, against a gap of a half.
    # Recovered over [0.1, 1]: 0.4 wide at a mean of 0.3, then 0.5 wide at 0.5.
    expected = (0.4 * 0.3 + 0.5 * 0.5) / (0.5 * 0.9)
    assert apgr(np.arange(10.0), WEAK, STRONG) == pytest.approx(expected, abs=0.02)


def test_the_worst_order_recovers_little() -> None:
    assert apgr(-np.arange(10.0), WEAK, STRONG) < 0.3


def test_win_rates_that_know_nothing_recover_half() -> None:
    random = np.random.default_rng(0)
    weak = random.integers(0, 2, 20_000).astype(float)
    assert apgr(random.random(20_000), weak, np.ones(20_000)) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("win_rate", "strong"),
    [
        pytest.param(np.full(10, 0.5), STRONG, id="one win rate for all"),
        pytest.param(np.arange(10.0), WEAK, id="equally good models"),
    ],
)
def test_without_a_gap_or_an_order_there_is_no_apgr(win_rate: np.ndarray, strong: np.ndarray) -> None:
    assert np.isnan(apgr(win_rate, WEAK, strong))


@given(st.lists(st.floats(0, 1), min_size=2, max_size=30, unique=True))
def test_apgr_depends_on_the_order_of_win_rates_alone(win_rates: list[float]) -> None:
    ranks = np.argsort(np.argsort(win_rates)).astype(float)
    weak = np.zeros(len(ranks))
    weak[::2] = 1.0
    strong = np.ones(len(ranks))
    assert apgr(ranks, weak, strong) == pytest.approx(apgr(3 * ranks + 1, weak, strong))


def test_repeated_prompts_share_a_fold_whatever_their_spacing_and_case() -> None:
    folds = prompt_folds(["What is DNA?", "what  is dna?\n"])
    assert folds[0] == folds[1]


def test_folds_are_about_equally_large() -> None:
    counts = np.bincount(prompt_folds([f"question {number}" for number in range(2000)]), minlength=5)
    assert counts.min() > 320
