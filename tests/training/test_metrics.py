import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from tests.training.routed import laws, perfect_rows, routed_rows
from training.metrics import (
    accuracy,
    confusion,
    log_loss,
    macro_f1,
    quadratic_kappa,
    routing_rates,
)
from training.routed_rows import RoutedRows

NEEDED = np.array([0, 0, 1, 1, 2, 2])
CHOSEN = np.array([0, 1, 1, 0, 2, 0])
ONES = np.ones(6)


def test_routing_rates_of_a_case_worked_by_hand() -> None:
    rates = routing_rates(CHOSEN, NEEDED, ONES).as_dict()
    expected = {"right_tier": 3, "under_routing": 2, "over_routing": 1, "cheap_premium_errors": 1}
    assert rates == pytest.approx({name: rows / 6 for name, rows in expected.items()})


def test_a_weight_counts_as_that_many_rows() -> None:
    doubled = routing_rates(np.append(CHOSEN, CHOSEN[-1]), np.append(NEEDED, NEEDED[-1]), np.ones(7))
    assert routing_rates(CHOSEN, NEEDED, np.array([1.0, 1, 1, 1, 1, 2])) == doubled


def test_confusion_has_needed_tiers_down_and_predicted_across() -> None:
    assert confusion(CHOSEN, NEEDED, ONES).tolist() == [[1, 1, 0], [1, 1, 0], [1, 0, 1]]


def test_premium_for_cheap_is_as_far_off_as_cheap_for_premium() -> None:
    assert routing_rates(np.array([2, 0, 1]), np.array([0, 2, 1]), np.ones(3)).cheap_premium == pytest.approx(
        2 / 3
    )


@laws
@given(routed_rows())
def test_under_over_and_right_share_out_all_rows(rows: RoutedRows) -> None:
    rates = routing_rates(rows.chosen, rows.needed, rows.weights)
    assert rates.under + rates.over + rates.right == pytest.approx(1)
    assert rates.cheap_premium <= rates.under + rates.over + 1e-12


@laws
@given(routed_rows())
def test_confusion_sums_to_the_weight_of_all_rows(rows: RoutedRows) -> None:
    assert confusion(rows.chosen, rows.needed, rows.weights).sum() == pytest.approx(rows.weights.sum())


@laws
@given(routed_rows())
def test_confusion_is_scikit_learn_s(rows: RoutedRows) -> None:
    expected = confusion_matrix(rows.needed, rows.chosen, labels=[0, 1, 2], sample_weight=rows.weights)
    assert confusion(rows.chosen, rows.needed, rows.weights) == pytest.approx(expected)


@laws
@given(routed_rows())
def test_accuracy_is_the_share_on_the_diagonal(rows: RoutedRows) -> None:
    arrays = (rows.chosen, rows.needed, rows.weights)
    assert accuracy(*arrays) == pytest.approx(routing_rates(*arrays).right)


@laws
@given(st.lists(st.integers(0, 2), min_size=1, max_size=20))
def test_perfect_predictions_score_as_well_as_can_be(needed: list[int]) -> None:
    rows = perfect_rows(needed)
    arrays = (rows.most_probable, rows.needed, rows.weights)
    assert accuracy(*arrays) == pytest.approx(1)
    assert macro_f1(*arrays) == pytest.approx(1)
    assert log_loss(rows.probabilities, rows.needed, rows.weights) == pytest.approx(0, abs=1e-12)


@laws
@given(st.permutations([0, 1, 2, 2, 1, 0]))
def test_kappa_is_one_for_perfect_predictions_and_at_most_one_for_any(predicted: list[int]) -> None:
    needed = np.array([0, 0, 1, 1, 2, 2])
    assert quadratic_kappa(needed, needed, ONES) == pytest.approx(1)
    assert quadratic_kappa(np.array(predicted), needed, ONES) <= 1


def test_kappa_minds_the_distance() -> None:
    near, far = np.array([0, 0, 1, 1, 1, 2]), np.array([0, 0, 1, 1, 0, 2])
    assert quadratic_kappa(near, NEEDED, ONES) > quadratic_kappa(far, NEEDED, ONES)


def test_kappa_is_not_defined_on_a_single_tier() -> None:
    assert math.isnan(quadratic_kappa(np.array([1, 1]), np.array([1, 1]), np.ones(2)))


def test_log_loss_of_even_chances_is_ln_3() -> None:
    assert log_loss(np.full((4, 3), 1 / 3), np.array([0, 1, 2, 2]), np.ones(4)) == pytest.approx(math.log(3))


def test_macro_f1_passes_over_a_tier_that_does_not_occur() -> None:
    assert macro_f1(np.array([0, 1]), np.array([0, 1]), np.ones(2)) == pytest.approx(1)
