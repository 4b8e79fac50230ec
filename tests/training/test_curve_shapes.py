import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.routed import laws
from training.curve_shapes import FloatArray, by_rising_x, first_crossing, height_at, mean_height

X = np.array([0.0, 1.0, 3.0])
Y = np.array([0.0, 4.0, 2.0])
HEIGHTS = st.lists(st.integers(0, 9), min_size=2, max_size=8)


def scalar(value: float) -> FloatArray:
    return np.asarray(value)


@pytest.mark.parametrize(
    ("level", "x"), [(-1.0, 0.0), (0.0, 0.0), (2.0, 0.5), (4.0, 1.0), (4.5, np.nan)], ids=str
)
def test_a_level_is_reached_where_the_line_first_crosses_it(level: float, x: float) -> None:
    assert first_crossing(X, Y, scalar(level)) == pytest.approx(x, nan_ok=True)


@pytest.mark.parametrize(
    ("at", "y"), [(-1.0, np.nan), (0.0, 0.0), (0.25, 1.0), (2.0, 3.0), (9.0, 2.0)], ids=str
)
def test_the_height_is_that_of_the_line(at: float, y: float) -> None:
    assert height_at(X, Y, scalar(at)) == pytest.approx(y, nan_ok=True)


@pytest.mark.parametrize(
    ("low", "high", "mean"),
    [
        pytest.param(0.0, 1.0, 2.0, id="one segment"),
        pytest.param(0.0, 3.0, (2.0 + 2 * 3.0) / 3, id="all of it"),
        pytest.param(0.5, 2.0, (0.5 * 3.0 + 1.0 * 3.5) / 1.5, id="parts of two"),
        pytest.param(3.0, 5.0, 2.0, id="flat to the right"),
        pytest.param(1.0, 1.0, np.nan, id="no width"),
        pytest.param(2.0, 1.0, np.nan, id="backwards"),
        pytest.param(-1.0, 1.0, np.nan, id="before the first point"),
    ],
)
def test_the_mean_height_is_the_area_over_the_width(low: float, high: float, mean: float) -> None:
    assert mean_height(X, Y, scalar(low), scalar(high)) == pytest.approx(mean, nan_ok=True)


@laws
@given(HEIGHTS, st.floats(0, 1), st.floats(0, 1))
def test_the_mean_height_is_numpy_s(heights: list[int], one: float, other: float) -> None:
    y = np.array(heights, dtype=np.float64)
    x = np.linspace(0, 1, len(y))
    low, high = min(one, other), max(one, other) + 0.01
    grid = np.unique(np.concatenate([np.linspace(low, high, 50), x[(x > low) & (x < high)]]))
    expected = np.trapezoid(np.interp(grid, x, y), grid) / (high - low)
    assert mean_height(x, y, scalar(low), scalar(high)) == pytest.approx(expected)


@laws
@given(HEIGHTS, st.integers(0, 9))
def test_what_is_crossed_has_that_height(heights: list[int], level: int) -> None:
    y = np.array(heights, dtype=np.float64)
    x = np.arange(len(y), dtype=np.float64)
    found = first_crossing(x, y, scalar(level))
    height = height_at(x, y, np.nan_to_num(found))
    assert np.isnan(found) == (y.max() < level)
    assert np.isnan(found) or height == pytest.approx(max(level, heights[0]))


def test_points_are_brought_into_order() -> None:
    x, y = by_rising_x(np.array([3.0, 1.0, 1.0]), np.array([7.0, 9.0, 8.0]))
    assert (x.tolist(), y.tolist()) == ([1.0, 1.0, 3.0], [8.0, 9.0, 7.0])


def test_many_curves_are_measured_at_once() -> None:
    x, y = np.stack([X, X]), np.stack([Y, 2 * Y])
    assert first_crossing(x, y, np.array([2.0, 2.0])).tolist() == [0.5, 0.25]
    assert height_at(x, y, np.array([1.0, 3.0])).tolist() == [4.0, 4.0]
    assert mean_height(x, y, np.array([0.0, 0.0]), np.array([1.0, 1.0])).tolist() == [2.0, 4.0]
