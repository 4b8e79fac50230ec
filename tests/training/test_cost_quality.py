"""Cost against quality on tables that a hand can work out."""

import json

import numpy as np
import pytest

from classifier import AbstainingPolicy, FixedPolicy, RiskPolicy
from tests.training.curve_tables import (
    BALANCED,
    PREMIUM,
    ByNumber,
    outcome_table,
    skilled,
    sure,
)
from tests.training.routed import LengthPredictor
from training.cost_quality import cost_quality
from training.cost_quality_result import CostQuality
from training.costs import CostModel
from training.errors import EvaluationError
from training.outcome_table import OutcomeTable
from training.predictors import Predictor

WEAK = [1.0] * 5 + [0.0] * 5
"""Ten prompts, of which the cheap tier solves the first five."""

TABLE = outcome_table(np.column_stack([WEAK, np.ones(10)]), usd=[0.001, 0.011])
KNOWING = ByNumber(sure(np.linspace(0.05, 0.95, 10).tolist()), RiskPolicy(0.3))
"""Its order is perfect, and at 0.3 it sends seven prompts to premium, of which five need it."""


BY_LENGTH = LengthPredictor()


def judged(predictor: Predictor, table: OutcomeTable, resamples: int = 20) -> CostQuality:
    return cost_quality(predictor, table, resamples=resamples)


# --- points


def test_the_policy_s_own_point() -> None:
    mark = judged(KNOWING, TABLE).mark("policy")
    assert mark.shares == pytest.approx((0.3, 0.7))
    assert mark.quality.value == pytest.approx(1.0)
    assert mark.usd_per_1000.value == pytest.approx(1.0 * 0.3 + 11.0 * 0.7)
    assert mark.over_mix.value == pytest.approx(1.0 - (0.5 + 0.7 * 0.5))


def test_the_fixed_tiers_lie_on_their_own_mix() -> None:
    cheap, premium = judged(KNOWING, TABLE).ends
    assert (cheap.quality.value, premium.quality.value) == (0.5, 1.0)
    assert (cheap.usd_per_1000.value, premium.usd_per_1000.value) == pytest.approx((1.0, 11.0))
    assert (cheap.over_mix.value, premium.over_mix.value) == pytest.approx((0.0, 0.0))


def test_the_oracle_pays_for_what_it_needs_alone() -> None:
    mark = judged(KNOWING, TABLE).mark("oracle")
    assert mark.shares == (0.5, 0.5)
    assert (mark.quality.value, mark.usd_per_1000.value) == pytest.approx((1.0, 6.0))


def test_rules_read_the_prompts() -> None:
    prompts = ["Who?", "Compare them.", "x" * 200, "x" * 400]
    table = outcome_table(np.eye(3)[[0, 2, 1, 2]], prompts=prompts, usd=[1.0, 2.0, 3.0])
    found = judged(BY_LENGTH, table)
    assert found.mark("keyword").shares == (0.25, 0.5, 0.25)
    assert found.mark("length").shares == (0.5, 0.25, 0.25)


def test_corners_of_the_mix_are_tiers_even_where_premium_is_worse() -> None:
    scores = np.column_stack([WEAK, np.ones(10), [1.0] * 8 + [0.0] * 2])
    table = outcome_table(scores, usd=[0.001, 0.002, 0.011])
    mix = judged(KNOWING, table).curves[-1]
    assert mix.key == "random_mix"
    assert mix.usd_per_1000.tolist() == pytest.approx([1.0, 2.0])
    assert mix.quality.tolist() == [0.5, 1.0]
    assert mix.shares.tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]


def test_two_tiers_are_asked_for_what_three_would_do() -> None:
    table = outcome_table([[0.0, 1.0]] * 3, usd=[1.0, 2.0])
    balanced = ByNumber([(0.1, 0.8, 0.1)] * 3, FixedPolicy(BALANCED))
    assert judged(balanced, table).mark("policy").shares == (0.0, 1.0)


def test_without_abstention_the_inner_policy_decides() -> None:
    policy = AbstainingPolicy(RiskPolicy(0.3), PREMIUM, least_known=0.5)
    careful = ByNumber(KNOWING.probabilities, policy, known=[0.0] * 3 + [1.0] * 7)
    found = judged(careful, TABLE)
    assert found.mark("policy").shares == pytest.approx((0.0, 1.0))
    assert found.mark("policy_without_abstention").shares == pytest.approx((0.3, 0.7))
    assert "policy_without_abstention" not in {mark.key for mark in judged(KNOWING, TABLE).marks}


# --- areas


def test_a_perfect_order_recovers_three_quarters_of_the_gap() -> None:
    area = judged(KNOWING, TABLE).area("risk")
    assert area.apgr is not None
    assert area.cpt50 is not None
    assert area.cpt80 is not None
    assert area.apgr.value == pytest.approx(0.75)
    assert (area.cpt50.value, area.cpt80.value) == pytest.approx((0.25, 0.4))
    # All answers of a tier cost the same, so dollars are calls: quality rises to 1 at half of them.
    assert area.gap_over_cost.value == pytest.approx(0.75)
    assert area.aiq.value == pytest.approx(0.875)
    assert area.over_mix is not None
    assert area.over_mix.value == pytest.approx(0.125)


def test_the_random_mix_recovers_half() -> None:
    area = judged(KNOWING, TABLE).area("random_mix")
    assert area.apgr is not None
    assert area.apgr.value == 0.5
    assert area.gap_over_cost.value == pytest.approx(0.5)
    assert area.aiq.value == pytest.approx(0.75)
    assert area.over_mix is None


def test_with_three_tiers_the_mix_goes_through_balanced_where_that_pays() -> None:
    # Balanced has 0.8 for 2 dollars, cheap 0.5 for 1, premium 1 for 11: 1 wide at 0.65, 9 wide at 0.9.
    scores = np.column_stack([WEAK, [1.0] * 8 + [0.0] * 2, np.ones(10)])
    area = judged(KNOWING, outcome_table(scores, usd=[0.001, 0.002, 0.011])).area("random_mix")
    assert area.aiq.value == pytest.approx((0.65 + 9 * 0.9) / 10)
    assert area.gap_over_cost.value == pytest.approx((0.15 + 9 * 0.4) / 10 / 0.5)
    assert area.apgr is None


def test_rules_are_measured_as_routers_are() -> None:
    prompts = [f"{'x' * 10 * place}" for place in range(1, 11)]
    table = outcome_table(TABLE.scores, usd=[0.001, 0.011], prompts=prompts)
    length = judged(BY_LENGTH, table).area("length")
    assert length.apgr is not None
    assert length.apgr.value == pytest.approx(0.75)
    assert length.gap_over_cost.value == pytest.approx(0.75)


def test_the_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    _, everything = skilled(20_000, seed=1)
    model, _ = skilled(20_000, seed=1)
    truth = judged(model, everything, resamples=1).area("expected_cost").gap_over_cost.value
    held = 0
    for seed in range(24):
        part_model, part = skilled(300, seed=100 + seed)
        found = judged(part_model, part, resamples=80).area("expected_cost").gap_over_cost
        held += found.low <= truth <= found.high
    assert held >= 20


# --- targets


def test_dollars_at_a_target_lie_between_two_settings() -> None:
    # Each tenth of the calls costs a dollar and brings a tenth of quality, from 0.5 for 1 dollar on.
    target = judged(KNOWING, TABLE).targets[1]
    assert (target.share, target.quality) == (0.95, 0.95)
    price = target.price("risk")
    assert price.usd_per_1000.value == pytest.approx(1.0 + 4.5)
    assert price.under_premium.value == pytest.approx(1 - 5.5 / 11)
    assert price.under_balanced is None
    assert target.price("random_mix").usd_per_1000.value == pytest.approx(1.0 + 9.0)


def test_what_never_gets_there_is_not_reached() -> None:
    price = judged(KNOWING, TABLE).targets[1].price("always_cheap")
    assert not price.is_reached
    assert price.reached < 0.5
    assert price.as_dict()["saved_against_always_premium"] == {
        "value": None,
        "low": price.under_premium.as_dict()["low"],
        "high": price.under_premium.as_dict()["high"],
    }


def test_always_balanced_is_a_rival_with_three_tiers() -> None:
    scores = np.column_stack([WEAK, [1.0] * 9 + [0.0], np.ones(10)])
    found = judged(KNOWING, outcome_table(scores, usd=[0.001, 0.002, 0.011]))
    price = found.targets[0].price("always_balanced")
    assert price.usd_per_1000.value == pytest.approx(2.0)
    assert price.under_balanced is not None
    assert price.under_balanced.value == pytest.approx(0.0)


# --- dollars


def test_tokens_are_paid_at_the_prices_given() -> None:
    table = outcome_table(TABLE.scores, tokens=[[1000.0, 2000.0]])
    found = cost_quality(KNOWING, table, cost_model=CostModel((1.0, 2.0, 10.0)), resamples=5)
    assert [mark.usd_per_1000.value for mark in found.ends] == pytest.approx([1.0, 20.0])
    assert found.basis == "tokens"


@pytest.mark.parametrize(
    ("table", "basis"),
    [
        pytest.param(TABLE, "billed", id="dollars"),
        pytest.param(outcome_table(TABLE.scores, tokens=[[1.0, 2.0]]), "tokens", id="tokens"),
        pytest.param(outcome_table(TABLE.scores), "assumed", id="neither"),
    ],
)
def test_it_says_what_the_dollars_rest_on(table: OutcomeTable, basis: str) -> None:
    assert judged(KNOWING, table).basis == basis


# --- where nothing can be said


def test_a_premium_that_is_no_better_leaves_the_measures_undefined() -> None:
    table = outcome_table(np.column_stack([np.ones(10), WEAK]), usd=[0.001, 0.011])
    area = judged(KNOWING, table).area("risk")
    assert area.apgr is not None
    assert np.isnan([area.apgr.value, area.gap_over_cost.value]).all()
    assert np.isfinite(area.aiq.value)


def test_everything_is_json_whatever_is_undefined() -> None:
    nothing = outcome_table(np.ones((1, 2)), usd=[0.0, 0.0])
    told = json.dumps(judged(KNOWING, nothing).as_dict(), allow_nan=False)
    assert json.loads(told)["areas"][0]["aiq"]["value"] is None


def test_prompts_and_scores_must_be_as_many() -> None:
    table = outcome_table(TABLE.scores, prompts=["0", "1"])
    with pytest.raises(EvaluationError, match="10 rows of scores but 2 prompts"):
        judged(KNOWING, table)


def test_the_same_seed_finds_the_same() -> None:
    model, table = skilled(200)
    first, again = (cost_quality(model, table, resamples=10, seed=4).as_dict() for _ in range(2))
    assert first == again


def test_a_model_that_knows_something_beats_the_mix_and_one_that_knows_nothing_does_not() -> None:
    knowing, blind = (judged(*skilled(1500, skill=skill), resamples=200) for skill in (2.0, 0.0))
    better, same = knowing.area("expected_cost").over_mix, blind.area("expected_cost").over_mix
    assert better is not None
    assert same is not None
    assert better.low > 0
    assert same.low <= 0
