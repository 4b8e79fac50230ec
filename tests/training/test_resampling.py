import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.training.routed import laws
from training.errors import EvaluationError
from training.resampling import Estimate, effective_rows, percentile_interval, resampled_sums, wilson_interval


def test_the_interval_of_a_mean_is_scipy_s() -> None:
    values = np.random.default_rng(5).normal(3, 2, 300)
    ours = percentile_interval(resampled_sums(values[:, None], resamples=5000, seed=1)[:, 0] / 300)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=5000, method="percentile", rng=np.random.default_rng(2)
    ).confidence_interval
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.03)


def test_every_draw_takes_as_many_rows_as_there_are() -> None:
    assert set(resampled_sums(np.ones((7, 1)), resamples=100, seed=0)[:, 0]) == {7.0}


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    columns = np.arange(20.0)[:, None]
    first, again = (resampled_sums(columns, resamples=50, seed=3) for _ in range(2))
    assert first.tolist() == again.tolist()
    assert first.tolist() != resampled_sums(columns, resamples=50, seed=4).tolist()


def test_batches_cover_all_resamples() -> None:
    assert resampled_sums(np.ones((300_000, 1)), resamples=13, seed=0).shape == (13, 1)


@pytest.mark.parametrize(("rows", "resamples"), [(0, 10), (10, 0)], ids=["no rows", "no resamples"])
def test_nothing_to_draw_is_refused(rows: int, resamples: int) -> None:
    with pytest.raises(EvaluationError, match="expected at least 1 of each"):
        resampled_sums(np.ones((rows, 1)), resamples=resamples, seed=0)


def test_undefined_draws_are_left_out_of_the_interval() -> None:
    assert percentile_interval(np.array([np.nan, 2.0, np.nan, 2.0])) == (2.0, 2.0)
    assert all(map(math.isnan, percentile_interval(np.array([np.nan]))))


def test_an_undefined_estimate_is_null_in_json() -> None:
    estimate = Estimate(math.nan, math.nan, 0.5)
    assert estimate.as_dict() == {"value": None, "low": None, "high": 0.5}


@laws
@given(st.integers(1, 400), st.data())
def test_wilson_s_interval_is_scipy_s(rows: int, data: st.DataObject) -> None:
    hits = data.draw(st.integers(0, rows))
    theirs = stats.binomtest(hits, rows).proportion_ci(method="wilson")
    assert wilson_interval(hits / rows, rows) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@laws
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=30))
def test_unequal_weights_are_worth_fewer_rows(weights: list[float]) -> None:
    assert 1 - 1e-9 <= effective_rows(np.array(weights)) <= len(weights) + 1e-9
    assert effective_rows(np.full(len(weights), weights[0])) == pytest.approx(len(weights))


def test_the_95_percent_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(11)
    held = 0
    for seed in range(200):
        hits = (random.random((150, 1)) < 0.75).astype(np.float64)
        low, high = percentile_interval(resampled_sums(hits, resamples=400, seed=seed)[:, 0] / 150)
        held += low <= 0.75 <= high
    assert 180 <= held <= 199
