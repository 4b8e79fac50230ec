import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.routed import laws, routed_rows
from tests.training.tunable import some_tunable, tunable
from training.metrics import routing_rates
from training.policy_families import ExpectedCostFamily, PolicyFamily, RiskFamily
from training.routed_rows import RoutedRows
from training.routing_figures import FIGURES, estimates, figures_along, routing_figures

FAMILIES: list[PolicyFamily] = [RiskFamily(), ExpectedCostFamily((0.00025, 0.00028, 0.0025))]


@laws
@given(routed_rows())
def test_labelled_figures_are_what_they_are_called(rows: RoutedRows) -> None:
    found = routing_figures(tunable(rows), rows.chosen)
    unweighted = np.ones(len(rows))
    assert float(found.under_routing) == pytest.approx(
        routing_rates(rows.chosen, rows.needed, unweighted).under
    )
    assert float(found.quality_of_premium) == pytest.approx(1 - float(found.under_routing))
    assert float(found.premium_share) == pytest.approx((rows.chosen == 2).mean())
    assert found.shares.sum() == pytest.approx(1)
    assert float(found.usd_per_1000_prompts) == pytest.approx(
        1000 * tunable(rows).usd[np.arange(len(rows)), rows.chosen].mean()
    )


@pytest.mark.parametrize("family", FAMILIES, ids=["risk", "expected cost"])
@laws
@given(routed_rows(), st.data())
def test_figures_along_the_knob_are_those_of_each_setting(
    family: PolicyFamily, rows: RoutedRows, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(family.knobs) - 1))
    ready = tunable(rows)
    alone = routing_figures(ready, family.chosen(rows.probabilities, float(family.knobs[place])))
    assert figures_along(ready, family).at(place).sums == pytest.approx(alone.sums)


def test_prompts_that_one_tier_answers_do_not_move_with_the_knob() -> None:
    rows = some_tunable(50)
    everything = rows.answered_by_one(np.ones(50, dtype=bool), 1)
    shares = figures_along(everything, RiskFamily()).shares
    assert (shares == [0, 1, 0]).all()


def test_quality_is_not_defined_where_premium_has_none() -> None:
    rows = some_tunable(40)
    worthless = routing_figures(rows, np.zeros(40, dtype=np.int64))
    worthless.sums[5] = 0.0
    assert np.isnan(worthless.quality_of_premium)
    assert json.loads(json.dumps(worthless.as_dict(), allow_nan=False))["quality_of_premium"] is None


def test_intervals_hold_their_figures() -> None:
    rows = some_tunable(300)
    chosen = RiskFamily().chosen(rows.probabilities, 0.3)
    found = estimates(rows, chosen, resamples=300, seed=0)
    alone = routing_figures(rows, chosen)
    assert tuple(found) == FIGURES
    for name, estimate in found.items():
        assert estimate.value == pytest.approx(float(getattr(alone, name)))
        assert estimate.low < estimate.value < estimate.high
