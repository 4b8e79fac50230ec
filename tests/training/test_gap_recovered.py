"""RouteLLM's measures, on examples worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.routed import laws
from training.gap_recovered import FloatArray, GapCurve, apgr, cpt, routing_curve

WEAK = np.array([1.0] * 5 + [0.0] * 5)
STRONG = np.ones(10)
BEST_ORDER = np.arange(10.0)
"""The strong model is likeliest needed where the weak one fails: the five last."""

QUALITIES = st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 5)), min_size=2, max_size=30)


def curve_of(share: list[float], quality: list[float], weak: float = 0.0, strong: float = 1.0) -> GapCurve:
    return GapCurve(np.array(share), np.array(quality), np.array(weak), np.array(strong))


def drawn(rows: list[tuple[bool, bool, int]]) -> tuple[FloatArray, FloatArray, FloatArray]:
    weak, strong, win_rate = np.array(rows, dtype=np.float64).T
    return win_rate, weak, strong


# --- the curve


def test_the_curve_runs_from_no_strong_call_to_all() -> None:
    curve = routing_curve(BEST_ORDER, WEAK, STRONG)
    assert curve.share == pytest.approx(np.linspace(0, 1, 11))
    assert curve.quality == pytest.approx([0.5, 0.6, 0.7, 0.8, 0.9, 1, 1, 1, 1, 1, 1])


@laws
@given(QUALITIES)
def test_the_curve_begins_at_always_weak_and_ends_at_always_strong(
    rows: list[tuple[bool, bool, int]],
) -> None:
    win_rate, weak, strong = drawn(rows)
    curve = routing_curve(win_rate, weak, strong)
    assert (curve.share[0], curve.share[-1]) == (0.0, 1.0)
    assert (curve.quality[0], curve.quality[-1]) == pytest.approx((weak.mean(), strong.mean()))
    assert (np.diff(curve.share) >= 0).all()


# --- APGR


def test_a_perfect_order_recovers_three_quarters_of_this_gap() -> None:
    # Quality rises straight from a half to 1 over the first half of the calls, then stays: of the gap of a
    # half, 0.5 wide at a mean of 0.25 and 0.5 wide at 0.5, over a whole of 0.5.
    assert apgr(BEST_ORDER, WEAK, STRONG) == pytest.approx((0.5 * 0.25 + 0.5 * 0.5) / 0.5)


def test_the_worst_order_recovers_what_the_best_leaves() -> None:
    assert apgr(-BEST_ORDER, WEAK, STRONG) == pytest.approx(0.25)


def test_apgr_is_the_trapezoid_over_uneven_shares_too() -> None:
    # Above always-weak: 0.5 wide at a mean of 0.4, then 0.5 wide at 0.9; the whole is 1.
    assert curve_of([0, 0.5, 1], [0, 0.8, 1]).apgr() == pytest.approx(0.5 * 0.4 + 0.5 * 0.9)


def test_win_rates_that_know_nothing_recover_half() -> None:
    random = np.random.default_rng(0)
    weak = random.integers(0, 2, 20_000).astype(float)
    win_rate = random.random(20_000)
    assert apgr(win_rate, weak, np.ones(20_000)) == pytest.approx(0.5, abs=0.02)
    assert cpt(win_rate, weak, np.ones(20_000), 0.8) == pytest.approx(0.8, abs=0.02)


def test_one_win_rate_for_all_is_the_random_mix() -> None:
    win_rate = np.full(10, 0.5)
    assert apgr(win_rate, WEAK, STRONG) == pytest.approx(0.5)
    assert cpt(win_rate, WEAK, STRONG, 0.8) == pytest.approx(0.8)


@pytest.mark.parametrize("strong", [WEAK, np.zeros(10)], ids=["equally good models", "a worse strong model"])
def test_without_a_gap_there_is_nothing_to_recover(strong: FloatArray) -> None:
    assert np.isnan(apgr(BEST_ORDER, WEAK, strong))
    assert np.isnan(cpt(BEST_ORDER, WEAK, strong, 0.5))


@laws
@given(QUALITIES)
def test_only_the_order_of_win_rates_counts(rows: list[tuple[bool, bool, int]]) -> None:
    win_rate, weak, strong = drawn(rows)
    assert apgr(win_rate, weak, strong) == pytest.approx(apgr(win_rate**3 + 1, weak, strong), nan_ok=True)


# --- CPT


@pytest.mark.parametrize(
    ("share", "calls"), [(0.0, 0.0), (0.5, 0.25), (0.8, 0.4), (0.9, 0.45), (1.0, 0.5)], ids=str
)
def test_a_perfect_order_needs_half_the_calls_that_chance_does(share: float, calls: float) -> None:
    assert cpt(BEST_ORDER, WEAK, STRONG, share) == pytest.approx(calls)


def test_the_share_of_calls_is_interpolated_between_the_points() -> None:
    # 0.5 of the gap lies a quarter of the way from 0.4 (at 20 %) to 0.8 (at 60 %).
    assert curve_of([0, 0.2, 0.6, 1], [0, 0.4, 0.8, 1]).cpt(0.5) == pytest.approx(0.2 + 0.25 * 0.4)


def test_the_gap_begins_at_the_weak_model() -> None:
    # Half of the gap from 0.6 to 0.8 is 0.7, in the middle of the only segment.
    assert curve_of([0, 1], [0.6, 0.8], 0.6, 0.8).cpt(0.5) == pytest.approx(0.5)


def test_where_the_curve_is_not_monotone_the_first_crossing_counts() -> None:
    curve = curve_of([0, 0.2, 0.4, 0.8, 1], [0, 0.9, 0.3, 0.9, 1])
    assert curve.cpt(0.45) == pytest.approx(0.1)
    assert curve.cpt(0.95) == pytest.approx(0.9)


def test_a_curve_that_never_gets_there_has_no_threshold() -> None:
    assert np.isnan(curve_of([0, 0.5], [0, 0.4]).cpt(0.5))


@laws
@given(QUALITIES, st.floats(0, 1), st.floats(0, 1))
def test_recovering_more_never_takes_fewer_calls(
    rows: list[tuple[bool, bool, int]], one: float, other: float
) -> None:
    curve = routing_curve(*drawn(rows))
    less, more = (curve.cpt(share) for share in sorted((one, other)))
    assert np.isnan(less) or less <= more + 1e-9


def test_many_curves_are_measured_at_once() -> None:
    share = np.array([[0, 0.5, 1], [0, 0.5, 1], [0, 0.5, 1]])
    quality = np.array([[0, 0.8, 1], [0, 0.5, 1], [0.5, 0.5, 0.5]])
    curves = GapCurve(share, quality, quality[:, 0], quality[:, -1])
    assert curves.apgr() == pytest.approx([0.65, 0.5, np.nan], nan_ok=True)
    assert curves.cpt(0.4) == pytest.approx([0.25, 0.4, np.nan], nan_ok=True)
