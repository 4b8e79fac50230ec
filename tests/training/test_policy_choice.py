import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import ExpectedCostPolicy, RiskPolicy
from tests.training.routed import laws, noisy_rows, routed_rows
from training.errors import EvaluationError
from training.metrics import routing_rates
from training.policy_choice import (
    chosen_by_expected_cost,
    chosen_by_risk,
    largest_max_risk,
    risk_curve,
    shortest_decimal,
    tier_risks,
)
from training.routed_rows import RoutedRows

FRACTIONS = st.floats(0, 1)


def under_routing_at(rows: RoutedRows, max_risk: float) -> float:
    return routing_rates(chosen_by_risk(rows.probabilities, max_risk), rows.needed, rows.weights).under


@laws
@given(routed_rows(), FRACTIONS)
def test_choices_are_those_of_the_classifier_s_risk_policy(rows: RoutedRows, max_risk: float) -> None:
    policy = RiskPolicy(max_risk)
    expected = [policy.choose(triple) for triple in rows.probabilities.tolist()]
    assert chosen_by_risk(rows.probabilities, max_risk).tolist() == expected


@laws
@given(routed_rows(), st.sampled_from([0.0, 0.0003, 0.01, 2.0]))
def test_choices_are_those_of_the_classifier_s_expected_cost_policy(rows: RoutedRows, poor: float) -> None:
    usd = (0.0001, 0.0003, 0.002)
    policy = ExpectedCostPolicy(usd, poor)
    expected = [policy.choose(triple) for triple in rows.probabilities.tolist()]
    assert chosen_by_expected_cost(rows.probabilities, usd, poor).tolist() == expected


@laws
@given(routed_rows(), FRACTIONS, FRACTIONS)
def test_a_lower_max_risk_never_gives_a_cheaper_tier(rows: RoutedRows, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert (chosen_by_risk(rows.probabilities, low) >= chosen_by_risk(rows.probabilities, high)).all()


@laws
@given(routed_rows())
def test_under_routing_never_falls_along_the_curve_and_over_routing_never_rises(rows: RoutedRows) -> None:
    points = risk_curve(rows.probabilities, rows.needed, rows.weights).points
    assert (np.diff([point.rates.under for point in points]) >= -1e-12).all()
    assert (np.diff([point.rates.over for point in points]) <= 1e-12).all()
    assert [sum(point.shares) for point in points] == pytest.approx([1] * len(points))


@laws
@given(routed_rows(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]))
def test_the_choice_is_the_largest_that_keeps_the_target(rows: RoutedRows, target: float) -> None:
    choice = largest_max_risk(rows.probabilities, rows.needed, rows.weights, target)
    risks = np.unique(tier_risks(rows.probabilities))
    keeping = [risk for risk in risks if under_routing_at(rows, risk) <= target + 1e-9]
    assert choice.is_met == bool(keeping)
    decided = chosen_by_risk(rows.probabilities, choice.max_risk)
    best = max(keeping, default=0.0)
    assert decided.tolist() == chosen_by_risk(rows.probabilities, best).tolist()


@laws
@given(routed_rows())
def test_a_looser_target_never_lowers_the_choice(rows: RoutedRows) -> None:
    arrays = (rows.probabilities, rows.needed, rows.weights)
    choices = [largest_max_risk(*arrays, target).max_risk for target in (0.0, 0.1, 0.3, 1.0)]
    assert choices == sorted(choices)
    assert choices[-1] == 1.0


def test_the_last_bits_of_a_probability_do_not_move_a_row() -> None:
    rows = noisy_rows(300)
    choice = largest_max_risk(rows.probabilities, rows.needed, rows.weights)
    jitter = np.random.default_rng(0).uniform(-1e-9, 1e-9, rows.probabilities.shape)
    assert (
        chosen_by_risk(rows.probabilities + jitter, choice.max_risk).tolist()
        == chosen_by_risk(rows.probabilities, choice.max_risk).tolist()
    )


def test_rows_of_equal_risk_move_together() -> None:
    probabilities = np.array([(0.8, 0.1, 0.1)] * 4 + [(0.4, 0.3, 0.3)] * 6)
    choice = largest_max_risk(probabilities, np.array([0, 0, 0, 1, 1, 0, 0, 0, 0, 0]), np.ones(10), 0.1)
    # at 0.2 one row of ten is under-routed; at 0.6 a second one is, with all of its equals
    assert 0.2 <= choice.max_risk < 0.6
    assert choice.achieved.rates.under == pytest.approx(0.1)
    assert choice.max_risk == 0.4


def test_a_target_that_cannot_be_kept_is_admitted() -> None:
    choice = largest_max_risk(np.array([(1.0, 0.0, 0.0)]), np.array([2]), np.ones(1), 0.1)
    assert choice.max_risk == 0.0
    assert not choice.is_met
    assert choice.as_dict()["is_met"] is False


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.2291, 0.2344, 0.23), (0.0, 1.0, 0.5), (0.12345, 0.12346, 0.123455), (0.5, 0.5 + 2**-53, 0.5)],
    ids=["two decimals", "one decimal", "six decimals", "no room"],
)
def test_the_shortest_decimal_in_a_gap(low: float, high: float, expected: float) -> None:
    assert shortest_decimal(low, high) == expected


def test_rounding_in_sums_of_weights_does_not_break_a_target_kept_exactly() -> None:
    # 0.1 + 0.1 + 0.1 is a little more than 0.3, and yet three rows of ten are three tenths
    probabilities = np.array([(0.8, 0.1, 0.1)] * 3 + [(0.4, 0.3, 0.3)] * 7)
    needed = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    choice = largest_max_risk(probabilities, needed, np.full(10, 0.1), 0.3)
    assert choice.max_risk == 0.4
    assert choice.is_met


@pytest.mark.parametrize("target", [-0.1, 1.1, float("nan")])
def test_a_target_outside_zero_to_one_is_refused(target: float) -> None:
    with pytest.raises(EvaluationError, match=r"expected a fraction in \[0, 1\]"):
        largest_max_risk(np.array([(1.0, 0.0, 0.0)]), np.array([0]), np.ones(1), target)


@pytest.mark.parametrize("labels", [0, 2], ids=["no rows", "too many labels"])
def test_arrays_of_different_lengths_are_refused(labels: int) -> None:
    with pytest.raises(EvaluationError, match="expected as many of each"):
        risk_curve(
            np.eye(3)[:1] if labels else np.empty((0, 3)), np.zeros(labels, dtype=np.int64), np.ones(1)
        )
