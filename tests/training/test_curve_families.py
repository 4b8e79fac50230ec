import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import ExpectedCostPolicy, RiskPolicy, Tier
from tests.training.curve_tables import BALANCED, CHEAP, PREMIUM, outcome_table
from tests.training.routed import TRIPLES, laws
from training.baselines import LengthRule
from training.curve_families import (
    SETTINGS,
    Family,
    decile_family,
    expected_cost_family,
    fixed_family,
    length_family,
    marked_family,
    oracle_family,
    risk_family,
)
from training.gap_recovered import routing_curve
from training.routed_rows import FloatArray, IntArray

PAIRS = [(CHEAP, PREMIUM), (CHEAP, BALANCED), (BALANCED, PREMIUM)]
ALL_TIERS = [*PAIRS, (CHEAP, BALANCED, PREMIUM)]
TIER_USD = np.array([0.001, 0.002, 0.01])


@st.composite
def probabilities(draw: st.DrawFn) -> FloatArray:
    shares = np.array(draw(st.lists(TRIPLES, min_size=1, max_size=20)))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def whole(family: Family) -> IntArray:
    return family.columns(slice(None))


def by_policy(policies: list[RiskPolicy] | list[ExpectedCostPolicy], rows: FloatArray) -> IntArray:
    return np.array([[int(policy.choose(row)) for row in rows.tolist()] for policy in policies])


@laws
@given(probabilities(), st.sampled_from(ALL_TIERS))
def test_the_risk_curve_is_the_risk_policy_at_each_setting(rows: FloatArray, tiers: tuple[Tier, ...]) -> None:
    table = outcome_table(np.zeros((len(rows), len(tiers))), tiers=tiers)
    family = risk_family(table, rows)
    policies = [RiskPolicy(setting) for setting in family.settings.tolist()]
    assert whole(family).tolist() == table.columns_of(by_policy(policies, rows)).tolist()


@laws
@given(probabilities(), st.sampled_from(ALL_TIERS))
def test_the_risk_curve_ends_at_always_cheapest(rows: FloatArray, tiers: tuple[Tier, ...]) -> None:
    family = risk_family(outcome_table(np.zeros((len(rows), len(tiers))), tiers=tiers), rows)
    assert (family.settings[0], family.settings[-1]) == (0.0, 1.0)
    assert (whole(family)[-1] == 0).all()
    assert (np.diff(whole(family), axis=0) <= 0).all()


def test_few_distinct_risks_are_all_settings_and_many_give_their_quantiles() -> None:
    few = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25]])
    assert risk_family(outcome_table(np.zeros((2, 3))), few).settings.tolist() == [0, 0.25, 0.5, 0.75, 1]
    many = np.random.default_rng(0).dirichlet([1, 1, 1], size=1000)
    assert len(risk_family(outcome_table(np.zeros((1000, 3))), many)) == SETTINGS


@laws
@given(probabilities())
def test_the_expected_cost_curve_is_that_policy_at_each_setting(rows: FloatArray) -> None:
    family = expected_cost_family(outcome_table(np.zeros((len(rows), 3))), rows, TIER_USD)
    cheap, balanced, premium = TIER_USD.tolist()
    policies = [ExpectedCostPolicy((cheap, balanced, premium), usd) for usd in family.settings.tolist()]
    assert whole(family).tolist() == by_policy(policies, rows).tolist()
    assert (whole(family)[0] == 0).all()


def test_the_length_curve_goes_from_all_dear_to_all_cheap_through_the_rule() -> None:
    characters = np.array([0, 100, 200, 500])
    rule = LengthRule(150, 400)
    family = length_family(outcome_table(np.zeros((4, 3))), characters, rule)
    chosen = whole(family)
    assert chosen[0].tolist() == [2, 2, 2, 2]
    assert chosen[-1].tolist() == [0, 0, 0, 0]
    at_one = int(np.searchsorted(family.settings, 1.0, side="right")) - 1
    assert chosen[at_one + 1].tolist() == rule.choose(["x" * count for count in characters]).tolist()


@pytest.mark.parametrize(
    ("tiers", "settings"),
    [
        ((CHEAP, PREMIUM), [0, 1, 2, 5]),
        ((CHEAP, BALANCED), [0, 1, 2, 5]),
        ((BALANCED, PREMIUM), [0, 0.25, 0.5, 2]),
    ],
    ids=str,
)
def test_with_two_tiers_the_length_rule_has_one_threshold(
    tiers: tuple[Tier, ...], settings: list[float]
) -> None:
    family = length_family(
        outcome_table(np.zeros((2, 2)), tiers=tiers), np.array([100, 200]), LengthRule(100, 400)
    )
    assert family.settings.tolist() == settings
    assert whole(family).tolist() == [[1, 1], [1, 1], [0, 1], [0, 0]]


def test_the_oracle_buys_what_a_dollar_brings_the_most_first() -> None:
    table = outcome_table([[0.0, 0.5], [0.0, 1.0], [1.0, 0.0]])
    usd = np.array([[1.0, 2.0]] * 3)
    chosen = whole(oracle_family(table, usd))
    assert chosen[0].tolist() == [0, 0, 0]
    assert chosen[-1].tolist() == [1, 1, 0]
    assert [0, 1, 0] in chosen.tolist()


def test_the_oracle_knows_that_a_dearer_column_may_be_the_cheap_one() -> None:
    table = outcome_table([[1.0, 0.0]])
    chosen = whole(oracle_family(table, np.array([[2.0, 1.0]])))
    assert (chosen[0].tolist(), chosen[-1].tolist()) == ([1], [0])


@laws
@given(st.integers(1, 12), st.integers(0, 1000))
def test_nobody_beats_the_oracle_for_the_same_money(rows: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    table = outcome_table(random.integers(0, 5, size=(rows, 3)) / 4)
    usd = random.integers(1, 9, size=(rows, 3)).astype(np.float64)
    place = np.arange(rows)
    oracle = whole(oracle_family(table, usd))
    spent = [usd[place, columns].sum() for columns in oracle]
    scored = [table.scores[place, columns].sum() for columns in oracle]
    anybody = random.integers(0, 3, size=rows)
    reach = np.interp(usd[place, anybody].sum(), spent, scored)
    assert table.scores[place, anybody].sum() <= reach + 1e-9


def test_fixed_tiers_are_columns() -> None:
    assert fixed_family(outcome_table(np.zeros((5, 3)))).columns(slice(1, 4)).tolist() == [
        [0, 0, 0],
        [1, 1, 1],
        [2, 2, 2],
    ]


def test_what_is_marked_is_answered_as_the_table_can_and_the_oracle_s_choice_comes_last() -> None:
    table = outcome_table([[0.0, 1.0], [1.0, 1.0]])
    chosen = whole(marked_family(table, (np.array([0, 1]), np.array([2, 2]))))
    assert chosen.tolist() == [[0, 1], [1, 1], [1, 0]]


def test_the_deciles_are_those_of_the_measure() -> None:
    random = np.random.default_rng(3)
    win_rate, weak, strong = random.random(57), random.random(57), random.random(57)
    columns = whole(decile_family("a", win_rate))
    curve = routing_curve(win_rate, weak, strong)
    assert columns.mean(axis=1) == pytest.approx(curve.share)
    assert np.where(columns, strong, weak).mean(axis=1) == pytest.approx(curve.quality)
