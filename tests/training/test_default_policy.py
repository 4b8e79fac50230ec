import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.policies import policy_from_dict
from tests.training.routed import laws, noisy_rows, routed_rows
from training.costs import CostModel
from training.default_policy import least_poor_answer_usd
from training.errors import EvaluationError
from training.metrics import routing_rates
from training.policy_choice import chosen_by_expected_cost, largest_max_risk
from training.policy_families import ExpectedCostFamily
from training.routed_rows import RoutedRows

PRICES = (0.00025, 0.00028, 0.0025)


@laws
@given(routed_rows(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]))
def test_the_choice_is_the_boldest_setting_of_the_grid_that_keeps_the_target(
    rows: RoutedRows, target: float
) -> None:
    knobs = ExpectedCostFamily(PRICES).knobs
    choice = least_poor_answer_usd(rows, PRICES, target)
    place = int(np.flatnonzero(knobs == choice.policy.poor_answer_usd)[0])

    def under_at(setting: int) -> float:
        chosen = chosen_by_expected_cost(rows.probabilities, PRICES, float(knobs[setting]))
        return routing_rates(chosen, rows.needed, rows.weights).under

    assert choice.rates.under == pytest.approx(under_at(place))
    assert choice.is_met == (under_at(place) <= target + 1e-9)
    assert place == len(knobs) - 1 or under_at(place + 1) > target


def test_it_costs_less_than_the_risk_policy_that_under_routes_as_much() -> None:
    rows = noisy_rows(2000, skill=1.5)
    risk = largest_max_risk(rows.probabilities, rows.needed, rows.weights, 0.1)
    cost = least_poor_answer_usd(rows, PRICES, 0.1)
    assert cost.is_met
    assert risk.is_met
    prices = np.array(PRICES)
    assert prices @ cost.shares < prices @ risk.achieved.shares


def test_the_choice_reads_back_and_shares_its_keys_with_the_risk_policy_s() -> None:
    rows = noisy_rows(300)
    choice = least_poor_answer_usd(rows, PRICES, 0.1)
    told = json.loads(json.dumps(choice.as_dict()))
    risk = largest_max_risk(rows.probabilities, rows.needed, rows.weights, 0.1).as_dict()
    assert set(told) <= set(risk)
    assert told["target"] == risk["target"] == {"kind": "under_routing", "value": 0.1}
    assert policy_from_dict(choice.policy.as_dict()) == choice.policy


def test_the_scale_of_the_prices_changes_no_choice() -> None:
    rows = noisy_rows(300)
    dear = (PRICES[0] * 1000, PRICES[1] * 1000, PRICES[2] * 1000)
    assert least_poor_answer_usd(rows, dear, 0.1).shares == least_poor_answer_usd(rows, PRICES, 0.1).shares


@pytest.mark.parametrize("target", [-0.1, 1.1, float("nan")])
def test_a_target_outside_zero_to_one_is_refused(target: float) -> None:
    with pytest.raises(EvaluationError, match=r"expected a fraction in \[0, 1\]"):
        least_poor_answer_usd(noisy_rows(10), PRICES, target)


def test_prices_of_the_cost_model_serve() -> None:
    choice = least_poor_answer_usd(noisy_rows(300), CostModel().usd_per_million, 0.1)
    assert choice.is_met
