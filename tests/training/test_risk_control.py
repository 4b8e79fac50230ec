"""The promises: their arithmetic, and whether they are kept over many draws of calibration rows."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from classifier import Tier, TierPredictor
from tests.training.fits import all_rows
from tests.training.routed import laws, noisy_rows
from tests.training.tunable import COSTS, calibrating, tunable
from training.abstention import AbstentionRule
from training.policy_families import PolicyFamily, RiskFamily
from training.risk_control import (
    boldest_passed,
    passes_on_average,
    passes_with_confidence,
    rows_for_promise,
    upper_bound,
)
from training.routed_rows import BoolArray, FloatArray
from training.routing_figures import RoutingFigures, figures_along
from training.tuning import families_for, tune
from training.tuning_rows import TuningRows, labelled_tuning_rows
from training.under_routing_promise import MaxUnderRouting

Pick = Callable[[RoutingFigures], int]


@pytest.mark.parametrize(
    ("errors", "rows", "confidence", "bound"),
    [(0, 300, 0.9, 1 - 0.1 ** (1 / 300)), (0, 10, 0.5, 1 - 0.5**0.1), (7, 7, 0.9, 1.0)],
    ids=["none of 300", "none of 10", "all"],
)
def test_the_upper_bound_where_it_has_a_closed_form(
    errors: int, rows: int, confidence: float, bound: float
) -> None:
    assert float(upper_bound(errors, rows, confidence)) == pytest.approx(bound)


def test_the_upper_bound_is_scipy_s_clopper_pearson_interval() -> None:
    interval = stats.binomtest(16, 488, alternative="less").proportion_ci(0.95, "exact")
    assert float(upper_bound(16, 488, 0.95)) == pytest.approx(interval.high)


@laws
@given(st.integers(1, 500), st.data(), st.floats(0.01, 0.99), st.floats(0.5, 0.99))
def test_a_setting_passes_when_its_bound_is_at_most_the_share(
    rows: int, data: st.DataObject, share: float, confidence: float
) -> None:
    errors = np.array([data.draw(st.integers(0, rows))])
    bound = float(upper_bound(errors, rows, confidence)[0])
    passes = bool(passes_with_confidence(errors, rows, share, confidence)[0])
    assert passes == (bound <= share) or bound == pytest.approx(share)


@pytest.mark.parametrize(
    ("passes", "expected"),
    [([True, True, True], 2), ([True, False, True], 0), ([False, True], None)],
    ids=["all", "a later one passes by luck", "none"],
)
def test_testing_stops_at_the_first_setting_that_fails(passes: list[bool], expected: int | None) -> None:
    assert boldest_passed(np.array(passes)) == expected


@pytest.mark.parametrize("confidence", [0.9, None], ids=["with confidence", "on average"])
@pytest.mark.parametrize(("rate", "share"), [(0.0, 0.01), (0.0, 0.2), (0.02, 0.05)])
def test_the_rows_that_a_promise_takes_are_enough_and_no_fewer_would_do(
    rate: float, share: float, confidence: float | None
) -> None:
    def suffices(rows: int) -> bool:
        errors = np.array([int(np.ceil(rate * rows))])
        if confidence is None:
            return bool(passes_on_average(errors, rows, share)[0])
        return bool(passes_with_confidence(errors, rows, share, confidence)[0])

    rows = rows_for_promise(rate, share, confidence)
    assert rows is not None
    assert suffices(rows)
    assert not suffices(rows - 1)


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_no_number_of_rows_is_enough_for_less_than_the_safest_setting_does(rate: float) -> None:
    assert rows_for_promise(rate, 0.05, 0.9) is None


# --- over many draws


def population(count: int = 20_000) -> TuningRows:
    return tunable(noisy_rows(count, skill=1.5, seed=3))


def true_rates(rows: TuningRows, family: PolicyFamily, pick: Pick, *, draws: int, size: int) -> FloatArray:
    """Return the under-routing, over the whole population, of what is picked on each draw from it."""
    random = np.random.default_rng(0)
    truth = figures_along(rows, family).under_routing
    picked = [
        pick(figures_along(rows.where(random.integers(len(rows), size=size)), family)) for _ in range(draws)
    ]
    return np.asarray(truth[picked])


def uncorrected(share: float) -> Pick:
    """What one does without a correction: the boldest setting whose rate on the rows is within the share."""
    return lambda path: int(np.flatnonzero(path.under_routing <= share)[-1])


def most_broken(error: float, draws: int) -> float:
    """The share of broken promises that a right method exceeds in one of a thousand simulations."""
    return float(stats.binom.ppf(0.999, draws, error)) / draws


@pytest.mark.parametrize(("share", "confidence"), [(0.1, 0.9), (0.05, 0.8)])
def test_a_promise_is_broken_no_oftener_than_it_says_and_not_much_more_rarely(
    share: float, confidence: float
) -> None:
    target = MaxUnderRouting(share, confidence)
    rates = true_rates(population(), RiskFamily(), lambda path: target.pick(path, 1), draws=300, size=200)
    broken = float((rates > share).mean())
    assert broken <= most_broken(1 - confidence, 300)
    assert broken >= (1 - confidence) / 4  # a bound that is never broken has given too much away
    assert rates.mean() >= 0.55 * share


def test_without_the_correction_the_same_promise_breaks_far_oftener() -> None:
    rates = true_rates(population(), RiskFamily(), uncorrected(0.1), draws=300, size=200)
    assert (rates > 0.1).mean() > 2 * most_broken(0.1, 300)


def test_the_promise_on_average_holds_on_average_and_barely() -> None:
    target = MaxUnderRouting(0.1, None)
    rows = population()
    rates = true_rates(rows, RiskFamily(), lambda path: target.pick(path, 1), draws=400, size=40)
    standard_error = rates.std() / np.sqrt(len(rates))
    assert rates.mean() <= 0.1 + 3 * standard_error
    assert rates.mean() >= 0.07
    plain = true_rates(rows, RiskFamily(), uncorrected(0.1), draws=400, size=40)
    assert plain.mean() > 0.1 + 3 * standard_error  # so this test would notice a forgotten correction


@pytest.fixture(scope="module")
def real() -> TuningRows:
    """The project's prompts, as the packaged model sees them: a population like any other."""
    data = all_rows()
    some = data.where(np.arange(len(data)) % 4 == 0)
    return labelled_tuning_rows(TierPredictor.default(), some, COSTS)


def choosing(rows: TuningRows, size: int, random: np.random.Generator) -> BoolArray:
    mask = np.zeros(len(rows), dtype=bool)
    mask[random.permutation(len(rows))[:size]] = True
    return mask


@pytest.mark.parametrize(
    "rule",
    [None, AbstentionRule(Tier.BALANCED, least_known=0.25, least_top=0.4)],
    ids=["plain", "abstaining"],
)
def test_the_better_of_two_families_keeps_the_promise_over_splits_of_real_rows(
    real: TuningRows, rule: AbstentionRule | None
) -> None:
    random = np.random.default_rng(1)
    target, rates = MaxUnderRouting(0.1, 0.9), []
    for _ in range(80):
        split = calibrating(real, choosing(real, 300, random))
        families = families_for(target, split, COSTS, ("risk", "expected-cost"))
        tuned = tune(split, target, families, abstention=rule, resamples=1)
        rates.append(float(tuned.best.held_out.under_routing))
    broken = float((np.array(rates) > 0.1).mean())
    assert broken <= most_broken(0.1, 80)
    assert np.mean(rates) >= 0.055
