"""RouterBench's measure, on examples worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.routed import laws
from training.aiq import aiq, non_decreasing_hull
from training.curve_shapes import height_at

POINTS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=12)
Drawn = list[tuple[int, int]]


def arrays(points: Drawn) -> tuple[np.ndarray, np.ndarray]:
    cost, quality = np.array(points, dtype=np.float64).T
    return cost, quality


def test_two_points_give_the_mean_of_their_qualities() -> None:
    assert aiq(np.array([1.0, 3.0]), np.array([0.4, 0.8])) == pytest.approx(0.6)


def test_a_point_below_the_line_between_two_others_adds_nothing() -> None:
    assert aiq(np.array([1.0, 2.0, 3.0]), np.array([0.4, 0.5, 0.8])) == pytest.approx(0.6)


def test_a_point_above_it_bends_the_hull() -> None:
    # 1 wide from 0.4 to 0.7, then 1 wide from 0.7 to 0.8, over a range of 2.
    assert aiq(np.array([1.0, 2.0, 3.0]), np.array([0.4, 0.7, 0.8])) == pytest.approx((0.55 + 0.75) / 2)


def test_paying_more_for_less_is_never_chosen() -> None:
    # 1 wide from 0.2 to 1, then flat at 1 although the dearest point has 0.5.
    assert aiq(np.array([0.0, 1.0, 2.0]), np.array([0.2, 1.0, 0.5])) == pytest.approx((0.6 + 1.0) / 2)


def test_the_range_can_be_given() -> None:
    cost, quality = np.array([1.0, 3.0]), np.array([0.4, 0.8])
    assert aiq(cost, quality, 1.0, 2.0) == pytest.approx(0.5)
    assert aiq(cost, quality, 1.0, 5.0) == pytest.approx((0.6 + 0.8) / 2)


@pytest.mark.parametrize(
    ("cost", "low"),
    [([1.0], None), ([1.0, 1.0], None), ([1.0, 2.0], 0.5)],
    ids=["one point", "one cost", "below"],
)
def test_without_a_range_that_the_points_cover_there_is_none(cost: list[float], low: float | None) -> None:
    assert np.isnan(aiq(np.array(cost), np.ones(len(cost)), low))


@laws
@given(POINTS)
def test_the_hull_lies_nowhere_below_a_point_rises_and_bends_one_way(points: Drawn) -> None:
    cost, quality = arrays(points)
    x, y = non_decreasing_hull(cost, quality)
    assert all(height_at(x, y, np.asarray(c)) >= q - 1e-9 for c, q in points)
    steps = np.diff(x) > 0
    slopes = np.diff(y)[steps] / np.diff(x)[steps]
    assert (slopes >= 0).all()
    assert (np.diff(slopes) <= 1e-9).all()
    assert set(zip(x.tolist(), y.tolist(), strict=True)) <= {
        (c, max(q2 for c2, q2 in points if c2 <= c)) for c, _ in points
    }


@laws
@given(POINTS, st.tuples(st.integers(0, 8), st.integers(0, 8)))
def test_another_point_within_the_range_never_lowers_it(points: Drawn, another: tuple[int, int]) -> None:
    ends = [(0, 1), (8, 2), *points]
    assert aiq(*arrays([*ends, another])) >= aiq(*arrays(ends)) - 1e-12


@laws
@given(POINTS, st.randoms(use_true_random=False))
def test_the_order_of_points_does_not_matter(points: Drawn, random: object) -> None:
    ends = [(0, 1), (9, 2), *points]
    shuffled = list(ends)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert aiq(*arrays(shuffled)) == pytest.approx(float(aiq(*arrays(ends))))


@laws
@given(POINTS)
def test_it_lies_between_the_worst_and_the_best_quality(points: Drawn) -> None:
    ends = [(0, 1), (9, 2), *points]
    cost, quality = arrays(ends)
    assert quality.min() - 1e-9 <= aiq(cost, quality) <= quality.max() + 1e-9


@laws
@given(POINTS, st.integers(1, 5), st.integers(0, 5))
def test_the_currency_does_not_matter(points: Drawn, factor: int, shift: int) -> None:
    cost, quality = arrays([(0, 1), (9, 2), *points])
    assert aiq(factor * cost + shift, quality) == pytest.approx(float(aiq(cost, quality)))


def test_many_routers_are_measured_at_once() -> None:
    cost = np.array([[1.0, 2.0, 3.0], [3.0, 1.0, 2.0]])
    quality = np.array([[0.4, 0.5, 0.8], [0.5, 0.2, 1.0]])
    each = [float(aiq(c, q)) for c, q in zip(cost, quality, strict=True)]
    assert aiq(cost, quality).tolist() == pytest.approx(each)
