import numpy as np
import pytest
from hypothesis import given

from tests.training.routed import laws, noisy_rows, routed_rows
from training.costs import CostModel
from training.measures import MEASURES, Measure, measure_of, summed_columns
from training.routed_rows import RoutedRows

COSTS = CostModel()
each_measure = pytest.mark.parametrize(
    "measure", MEASURES, ids=lambda measure: f"{measure.view}.{measure.key}"
)


@each_measure
@laws
@given(rows=routed_rows())
def test_scikit_learn_s_figure_is_the_one_from_sums(measure: Measure, rows: RoutedRows) -> None:
    from_sums = float(measure.of_totals(summed_columns(rows, COSTS).sum(axis=0)))
    assert from_sums == pytest.approx(measure.of_rows(rows, COSTS), nan_ok=True)


@each_measure
def test_a_stack_of_sums_gives_a_stack_of_figures(measure: Measure) -> None:
    columns = summed_columns(noisy_rows(60), COSTS)
    stack = np.stack([columns[:40].sum(axis=0), columns[20:].sum(axis=0)])
    assert measure.of_totals(stack).tolist() == pytest.approx(
        [float(measure.of_totals(sums)) for sums in stack]
    )


def test_names_are_unique_within_a_view() -> None:
    names = [(measure.view, measure.key) for measure in MEASURES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("key", ["cheap_premium_errors"])
def test_the_views_are_never_mixed(key: str) -> None:
    rows = RoutedRows.of([(1.0, 0, 0)], [2], [0])
    assert measure_of("most_probable", key).of_rows(rows, COSTS) == 0
    assert measure_of("choice", key).of_rows(rows, COSTS) == 1


def test_dollars_are_per_thousand_prompts_of_the_chosen_tier() -> None:
    rows = RoutedRows.of([(1.0, 0, 0)], [2], [0], input_tokens=[850])
    assert measure_of("choice", "usd_per_1000_prompts").of_rows(rows, COSTS) == pytest.approx(2.50)
