import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.routed import laws, routed_rows
from training.policy_families import ExpectedCostFamily, PolicyFamily, RiskFamily, crossings
from training.routed_rows import RoutedRows

PRICES = (0.00025, 0.00028, 0.0025)
FAMILIES: list[PolicyFamily] = [
    RiskFamily(),
    ExpectedCostFamily(PRICES),
    ExpectedCostFamily((0.002, 0.001, 0.01)),  # bills in which cheap is not the cheapest
    ExpectedCostFamily((0.001, 0.004, 0.004)),
]
IDS = ["risk", "expected cost", "cheap dearer than balanced", "balanced as dear as premium"]


@pytest.mark.parametrize("family", FAMILIES, ids=IDS)
@laws
@given(routed_rows(), st.data())
def test_turning_the_knob_towards_bold_never_raises_a_tier(
    family: PolicyFamily, rows: RoutedRows, data: st.DataObject
) -> None:
    places = st.integers(0, len(family.knobs) - 1)
    safe, bold = sorted([data.draw(places), data.draw(places)])
    chosen = [family.chosen(rows.probabilities, float(family.knobs[place])) for place in (safe, bold)]
    assert (chosen[0] >= chosen[1]).all()


@pytest.mark.parametrize("family", FAMILIES, ids=IDS)
@laws
@given(routed_rows(max_size=6))
def test_crossings_tell_the_whole_path(family: PolicyFamily, rows: RoutedRows) -> None:
    to_balanced, to_cheap = crossings(family, rows.probabilities).T
    for place in range(0, len(family.knobs), 211):
        chosen = family.chosen(rows.probabilities, float(family.knobs[place]))
        told = 2 - (to_balanced <= place).astype(int) - (to_cheap <= place).astype(int)
        assert chosen.tolist() == told.tolist()


@pytest.mark.parametrize("family", FAMILIES, ids=IDS)
@laws
@given(routed_rows(max_size=6), st.data())
def test_a_family_chooses_as_its_policy_does(
    family: PolicyFamily, rows: RoutedRows, data: st.DataObject
) -> None:
    knob = float(data.draw(st.sampled_from(family.knobs.tolist())))
    policy = family.policy(knob)
    expected = [policy.choose(triple) for triple in rows.probabilities.tolist()]
    assert family.chosen(rows.probabilities, knob).tolist() == expected


@pytest.mark.parametrize("family", FAMILIES[:2], ids=IDS[:2])
def test_the_safest_setting_sends_the_least_doubt_to_premium_and_the_boldest_all_to_cheap(
    family: PolicyFamily,
) -> None:
    doubtful = np.array([[0.99, 0.005, 0.005], [0.3, 0.4, 0.3], [0.0, 0.0, 1.0]])
    assert family.chosen(doubtful, float(family.knobs[0])).tolist() == [2, 2, 2]
    assert family.chosen(doubtful, float(family.knobs[-1])).tolist() == [0, 0, 0]


def test_the_grid_depends_on_prices_alone_and_reads_well() -> None:
    knobs = ExpectedCostFamily(PRICES).knobs
    assert (np.diff(knobs) < 0).all()
    assert knobs[-1] == 0
    assert all(len(f"{knob:.4g}") <= 9 and float(f"{knob:.4g}") == knob for knob in knobs)


def test_the_risk_grid_is_fine_where_a_model_is_sure_of_itself() -> None:
    knobs = RiskFamily().knobs
    assert (knobs[0], knobs[-1]) == (0, 1)
    assert (np.diff(knobs) > 0).all()
    assert np.diff(knobs).max() <= 0.001 + 1e-12
    assert ((knobs > 0.001) & (knobs < 0.01)).sum() > 300


def test_prices_that_are_all_alike_give_a_family_too() -> None:
    family = ExpectedCostFamily((0.0, 0.0, 0.0))
    assert family.chosen(np.eye(3), float(family.knobs[0])).tolist() == [0, 1, 2]
