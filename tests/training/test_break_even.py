import numpy as np
import pytest

from tests.training.curve_tables import THREE, TWO, ByNumber, outcome_table, skilled
from training.break_even import break_even_usd, total_costs
from training.cost_quality import cost_quality
from training.cost_quality_result import CostQuality, Mark
from training.errors import EvaluationError
from training.resampling import Estimate


def mark(usd_per_1000: float, quality: float) -> Mark:
    usd, score = (Estimate(value, value, value) for value in (usd_per_1000, quality))
    return Mark("key", "title", "fixed", "words", (1.0, 0.0, 0.0), usd, score, score)


def all_knowing() -> CostQuality:
    """Four prompts, of which one needs balanced and one premium; a model that knows which."""
    scores = [[1, 1, 1], [1, 1, 1], [0, 1, 1], [0, 0, 1]]
    table = outcome_table(scores, tiers=THREE, usd=[0.001, 0.002, 0.010])
    model = ByNumber([(1, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)])
    return cost_quality(model, table, resamples=5)


@pytest.mark.parametrize(
    ("dearer", "cheaper", "usd"),
    [
        pytest.param(mark(3.0, 0.9), mark(1.0, 0.7), 0.01, id="200 of 1,000 answers for 2 dollars"),
        pytest.param(mark(1.0, 0.9), mark(3.0, 0.7), 0.0, id="better and cheaper"),
        pytest.param(mark(3.0, 0.7), mark(1.0, 0.7), np.inf, id="dearer and no better"),
        pytest.param(mark(3.0, 0.6), mark(1.0, 0.7), np.inf, id="dearer and worse"),
        pytest.param(mark(1.0, 0.7), mark(1.0, 0.7), 0.0, id="the same"),
    ],
)
def test_the_dearer_way_breaks_even_where_its_better_answers_pay_for_it(
    dearer: Mark, cheaper: Mark, usd: float
) -> None:
    assert break_even_usd(dearer, cheaper) == pytest.approx(usd)


def test_everything_is_tokens_and_poor_answers() -> None:
    found = total_costs(all_knowing(), np.array([0.0, 0.1]))
    assert found.fixed["always_cheap"].tolist() == pytest.approx([1.0, 1.0 + 500 * 0.1])
    assert found.fixed["always_premium"].tolist() == pytest.approx([10.0, 10.0])
    assert found.best_fixed.tolist() == pytest.approx([1.0, 10.0])


def test_a_router_that_knows_everything_takes_the_tiers_that_are_needed_once_poor_answers_are_dear() -> None:
    found = total_costs(all_knowing(), np.array([0.0, 0.1]))
    assert found.routed.tolist() == pytest.approx([1.0, (1 + 1 + 2 + 10) / 4])
    assert found.saved.tolist() == pytest.approx([0.0, 10.0 - 3.5])


def test_it_pays_between_two_prices_and_nowhere_where_it_never_saves_as_much() -> None:
    prices = np.geomspace(1e-4, 1.0, 41)
    found = total_costs(all_knowing(), prices)
    low, high = found.pays_between(0.05) or (np.nan, np.nan)
    assert (low, high) == (prices[found.saved > 0.05 * found.best_fixed][0], prices[-1])
    assert found.pays_between(0.9) is None


def test_a_router_that_knows_nothing_saves_next_to_nothing_at_any_price() -> None:
    model, table = skilled(600, skill=0.0)
    found = total_costs(cost_quality(model, table, resamples=5), np.geomspace(1e-4, 1.0, 41))
    assert (found.saved / found.best_fixed).max() < 0.05


def test_two_tiers_have_no_such_curve() -> None:
    model, table = skilled(50, tiers=TWO)
    with pytest.raises(EvaluationError, match="give outcomes of three"):
        total_costs(cost_quality(model, table, resamples=5), np.array([0.01]))
