import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.routed import laws, noisy_rows, perfect_rows, routed_rows
from training.reliability import (
    CALIBRATION_BINS,
    calibration_of,
    chance_calibration_errors,
    classwise_calibration_error,
    expected_calibration_error,
    reliability_bins,
)
from training.routed_rows import RoutedRows


def test_the_error_of_a_case_worked_by_hand() -> None:
    probabilities = np.array([(0.9, 0.1, 0), (0.9, 0.1, 0), (0.3, 0.6, 0.1), (0.3, 0.6, 0.1)])
    needed = np.array([0, 1, 1, 1])
    expected = 0.5 * abs(0.5 - 0.9) + 0.5 * abs(1.0 - 0.6)
    assert expected_calibration_error(probabilities, needed, np.ones(4)) == pytest.approx(expected)


def test_an_edge_belongs_to_the_bin_below_it() -> None:
    bins = reliability_bins(np.array([(0.6, 0.4, 0.0)]), np.array([0]), np.ones(1), bins=5)
    assert [part.rows for part in bins] == [0, 0, 1, 0, 0]
    assert (bins[2].above, bins[2].to) == (0.4, 0.6)


def test_gaps_of_opposite_sign_in_different_bins_do_not_cancel() -> None:
    probabilities = np.array([(1.0, 0, 0), (0.5, 0.25, 0.25)])
    assert expected_calibration_error(probabilities, np.array([1, 0]), np.ones(2)) == pytest.approx(0.75)


@laws
@given(st.lists(st.integers(0, 2), min_size=1, max_size=20))
def test_certain_and_right_is_perfectly_calibrated(needed: list[int]) -> None:
    rows = perfect_rows(needed)
    arrays = (rows.probabilities, rows.needed, rows.weights)
    assert expected_calibration_error(*arrays) == pytest.approx(0)
    assert classwise_calibration_error(*arrays) == pytest.approx(0)


@laws
@given(routed_rows())
def test_the_error_is_what_its_bins_say(rows: RoutedRows) -> None:
    arrays = (rows.probabilities, rows.needed, rows.weights)
    bins = reliability_bins(*arrays)
    gaps = sum(part.share * abs((part.accuracy or 0) - (part.confidence or 0)) for part in bins)
    assert expected_calibration_error(*arrays) == pytest.approx(gaps)
    assert len(bins) == CALIBRATION_BINS
    assert sum(part.rows for part in bins) == len(rows)
    assert sum(part.share for part in bins) == pytest.approx(1)


def test_certain_and_wrong_is_the_worst_there_is() -> None:
    rows = perfect_rows([0, 1, 2])
    assert expected_calibration_error(
        rows.probabilities, (rows.needed + 1) % 3, rows.weights
    ) == pytest.approx(1)


def test_chance_alone_makes_an_error_that_shrinks_with_more_rows() -> None:
    few, many = (np.tile([(0.5, 0.3, 0.2)], (count, 1)) for count in (50, 5000))
    means = [chance_calibration_errors(p, np.ones(len(p)), draws=200, seed=1).mean() for p in (few, many)]
    # one bin: the mean absolute error of a share is sqrt(2 p (1 - p) / (pi n))
    assert means == pytest.approx([np.sqrt(0.5 / (np.pi * count)) for count in (50, 5000)], rel=0.15)


def test_labels_drawn_from_the_probabilities_look_calibrated() -> None:
    rows = noisy_rows(2000)
    random = np.random.default_rng(3)
    needed = (random.random((2000, 1)) > rows.probabilities.cumsum(axis=1)[:, :2]).sum(axis=1)
    found = calibration_of(rows.probabilities, needed, rows.weights, seed=0)
    assert found.error < 1.5 * found.by_chance_high
    assert found.by_chance < found.by_chance_high
