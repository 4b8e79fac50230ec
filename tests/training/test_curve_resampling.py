import numpy as np
import pytest

from tests.training.curve_tables import outcome_table
from training.curve_families import Family, fixed_family, marked_family
from training.curve_resampling import estimate_of, sum_families
from training.errors import EvaluationError
from training.resampling import percentile_interval, resampled_sums
from training.routed_rows import FloatArray

ROWS = 10_000  # more than two blocks


def drawn(rows: int = ROWS) -> tuple[FloatArray, FloatArray, Family, Family]:
    random = np.random.default_rng(1)
    scores, usd = random.random((rows, 3)), random.random((rows, 3))
    table = outcome_table(scores)
    return scores, usd, fixed_family(table), marked_family(table, (random.integers(0, 3, size=rows),))


def test_the_first_row_is_of_all_prompts() -> None:
    scores, usd, fixed, _ = drawn()
    sums = sum_families([fixed], scores, usd, resamples=3, seed=0)["fixed"]
    assert sums.quality[0] == pytest.approx(scores.mean(axis=0))
    assert sums.usd[0] == pytest.approx(1000 * usd.mean(axis=0))
    assert sums.dearest == pytest.approx(np.tile([0.0, 0.0, 1.0], (4, 1)))
    assert sums.shares.tolist() == np.eye(3).tolist()


def test_each_way_to_route_is_summed_over_what_it_chooses() -> None:
    scores, usd, fixed, marked = drawn()
    sums = sum_families([fixed, marked], scores, usd, resamples=1, seed=0)["marked"]
    columns = marked.columns(slice(None))
    place = np.arange(ROWS)
    for at, chosen in enumerate(columns):
        assert sums.quality[0, at] == pytest.approx(scores[place, chosen].mean())
        assert sums.usd[0, at] == pytest.approx(1000 * usd[place, chosen].mean())
        assert sums.dearest[0, at] == pytest.approx((chosen == 2).mean())
        assert sums.shares[at] == pytest.approx(np.bincount(chosen, minlength=3) / ROWS)


def test_the_intervals_are_those_of_the_plain_bootstrap() -> None:
    scores, usd, fixed, _ = drawn(500)
    ours = estimate_of(sum_families([fixed], scores, usd, resamples=4000, seed=1)["fixed"].quality[:, 0])
    theirs = percentile_interval(resampled_sums(scores[:, :1], resamples=4000, seed=2)[:, 0] / 500)
    assert (ours.low, ours.high) == pytest.approx(theirs, abs=0.003)
    assert ours.value == pytest.approx(scores[:, 0].mean())


def test_blocks_spread_the_means_as_one_draw_would() -> None:
    scores, usd, fixed, _ = drawn()
    means = sum_families([fixed], scores, usd, resamples=600, seed=3)["fixed"].quality[1:, 0]
    assert means.std() == pytest.approx(scores[:, 0].std() / np.sqrt(ROWS), rel=0.1)


def test_every_draw_takes_as_many_prompts_as_there_are() -> None:
    scores, usd, fixed, _ = drawn()
    sums = sum_families([fixed], np.ones_like(scores), usd, resamples=20, seed=0)["fixed"]
    assert sums.quality == pytest.approx(np.ones((21, 3)))


def test_all_families_are_judged_by_the_same_draws() -> None:
    scores, usd, fixed, _ = drawn()
    always_first = Family("first", np.zeros(1), lambda part: fixed.columns(part)[:1])
    sums = sum_families([fixed, always_first], scores, usd, resamples=20, seed=0)
    assert sums["first"].quality[:, 0] == pytest.approx(sums["fixed"].quality[:, 0], abs=1e-12)


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    scores, usd, fixed, _ = drawn(300)
    first, again, other = (
        sum_families([fixed], scores, usd, resamples=9, seed=seed)["fixed"].quality for seed in (1, 1, 2)
    )
    assert first.tolist() == again.tolist()
    assert first.tolist() != other.tolist()


def test_progress_is_told_prompt_by_prompt() -> None:
    scores, usd, fixed, _ = drawn()
    told: list[int] = []
    sum_families([fixed], scores, usd, resamples=1, seed=0, progress=told.append)
    assert sum(told) == ROWS
    assert len(told) == 3


def test_no_resamples_are_refused() -> None:
    scores, usd, fixed, _ = drawn(5)
    with pytest.raises(EvaluationError, match="0 resamples; expected at least 1"):
        sum_families([fixed], scores, usd, resamples=0, seed=0)
