import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from classifier import (
    TIERS,
    AbstainingPolicy,
    BoundedPolicy,
    ClassifierError,
    ExpectedCostPolicy,
    FixedPolicy,
    Policy,
    PolicyError,
    RiskPolicy,
    Tier,
    policy_from_dict,
)
from classifier.policies import risk
from classifier.prompt_model import softmax

Triple = tuple[float, float, float]

SHARE = st.floats(0.0, 1.0)
USD = st.floats(0.0, 1e6)
TIER = st.sampled_from(TIERS)
TRIPLES = st.builds(lambda a, b: softmax((a, b)), st.floats(-60, 60), st.floats(-60, 60))
SIMPLE = st.one_of(
    st.builds(RiskPolicy, SHARE),
    st.builds(ExpectedCostPolicy, st.tuples(USD, USD, USD), USD),
    st.builds(FixedPolicy, TIER),
)
BOUNDS = st.tuples(TIER, TIER).map(sorted)
POLICIES = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds(lambda policy, bounds: BoundedPolicy(policy, *bounds), inner, BOUNDS),
        st.builds(AbstainingPolicy, inner, TIER, SHARE, SHARE),
    ),
)


@given(TRIPLES, SHARE, SHARE)
def test_a_lower_risk_never_gives_a_cheaper_tier(probabilities: Triple, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert RiskPolicy(low).choose(probabilities) >= RiskPolicy(high).choose(probabilities)


@given(TRIPLES, SHARE)
def test_the_risk_policy_takes_the_cheapest_tier_within_the_risk(
    probabilities: Triple, max_risk: float
) -> None:
    chosen = RiskPolicy(max_risk).choose(probabilities)
    assert risk(probabilities, chosen) <= max_risk
    assert all(risk(probabilities, cheaper) > max_risk for cheaper in TIERS[:chosen])


@given(TRIPLES)
@example((0.0, 0.3, 0.7000000000000002))
def test_a_risk_of_one_sends_everything_to_cheap(probabilities: Triple) -> None:
    assert RiskPolicy(1.0).choose(probabilities) == Tier.CHEAP


@given(TRIPLES)
@example((0.0, 0.3, 0.7000000000000002))
def test_a_risk_is_a_probability_that_falls_from_tier_to_tier(probabilities: Triple) -> None:
    risks = [risk(probabilities, tier) for tier in TIERS]
    assert 1.0 >= risks[0] >= risks[1] >= risks[2] == 0.0


@pytest.mark.parametrize("max_risk", [0.0, 0.2, 0.3, 0.5, 1.0])
def test_a_risk_of_exactly_the_limit_is_within_it(max_risk: float) -> None:
    probabilities = (1.0 - max_risk, max_risk, 0.0)
    assert RiskPolicy(max_risk).choose(probabilities) == Tier.CHEAP


def test_without_any_risk_the_least_doubt_goes_to_premium() -> None:
    assert RiskPolicy(0.0).choose((0.999, 0.0005, 0.0005)) == Tier.PREMIUM
    assert RiskPolicy(0.0).choose((1.0, 0.0, 0.0)) == Tier.CHEAP


@given(TRIPLES, st.tuples(USD, USD, USD), USD)
def test_the_cost_policy_takes_the_least_expected_cost(
    probabilities: Triple, usd: Triple, poor: float
) -> None:
    policy = ExpectedCostPolicy(usd, poor)
    costs = [usd[tier] + risk(probabilities, tier) * poor for tier in TIERS]
    assert costs[policy.choose(probabilities)] == min(costs)


def test_of_equal_costs_the_cheaper_tier_is_taken() -> None:
    assert ExpectedCostPolicy((0.1, 0.1, 0.1), 0.0).choose((0.0, 0.0, 1.0)) == Tier.CHEAP


def test_a_dearer_poor_answer_buys_a_better_tier() -> None:
    usd, probabilities = (0.0003, 0.0004, 0.004), (0.6, 0.3, 0.1)
    chosen = [ExpectedCostPolicy(usd, poor).choose(probabilities) for poor in (0.0, 0.01, 1.0)]
    assert chosen == [Tier.CHEAP, Tier.BALANCED, Tier.PREMIUM]


@given(TRIPLES, TIER)
def test_a_fixed_policy_looks_at_nothing(probabilities: Triple, tier: Tier) -> None:
    assert FixedPolicy(tier).choose(probabilities) is tier


@given(TRIPLES, SIMPLE, BOUNDS)
def test_a_bounded_policy_stays_within_its_bounds(
    probabilities: Triple, inner: Policy, bounds: list[Tier]
) -> None:
    floor, ceiling = bounds
    chosen = BoundedPolicy(inner, floor, ceiling).choose(probabilities)
    free = inner.choose(probabilities)
    assert floor <= chosen <= ceiling
    assert chosen == free or not floor <= free <= ceiling


@given(TRIPLES, SIMPLE, TIER, SHARE, SHARE, SHARE)
def test_an_abstaining_policy_is_the_inner_one_where_the_model_has_grounds(
    probabilities: Triple, inner: Policy, safe: Tier, least_known: float, least_top: float, known: float
) -> None:
    policy = AbstainingPolicy(inner, safe, least_known, least_top)
    grounds = known >= least_known and max(probabilities) >= least_top
    assert policy.abstains(probabilities, known) is not grounds
    assert policy.choose(probabilities, known) is (inner.choose(probabilities) if grounds else safe)


@given(TRIPLES, SIMPLE, SHARE)
def test_without_thresholds_nothing_is_abstained_from(
    probabilities: Triple, inner: Policy, known: float
) -> None:
    policy = AbstainingPolicy(inner, Tier.PREMIUM)
    assert not policy.abstains(probabilities, known)
    assert policy.describe() == inner.describe()


@given(POLICIES, TRIPLES, SHARE)
def test_every_policy_survives_json_and_decides_the_same(
    policy: Policy, probabilities: Triple, known: float
) -> None:
    again = policy_from_dict(json.loads(json.dumps(policy.as_dict(), allow_nan=False)))
    assert again == policy
    assert again.choose(probabilities, known) is policy.choose(probabilities, known)


@given(POLICIES, TRIPLES, SHARE)
def test_every_policy_says_what_it_does_in_one_line(
    policy: Policy, probabilities: Triple, known: float
) -> None:
    assert len(policy.describe().splitlines()) == 1
    assert len(policy.weigh(probabilities, known).splitlines()) == 1


@pytest.mark.parametrize(
    ("policy", "described", "weighed"),
    [
        (RiskPolicy(0.25), "risk at most 0.25", "risk of cheap 0.500 > 0.25, risk of balanced 0.200 <= 0.25"),
        (
            ExpectedCostPolicy((0.001, 0.002, 0.01), 0.02),
            "least expected cost, a poor answer costing $0.02",
            "expected cost of cheap $0.011, balanced $0.006, premium $0.01",
        ),
        (FixedPolicy(Tier.CHEAP), "always cheap", "always cheap, at a risk of 0.500"),
        (
            BoundedPolicy(FixedPolicy(Tier.CHEAP), Tier.BALANCED),
            "always cheap, between balanced and premium",
            "always cheap, at a risk of 0.500; kept between balanced and premium",
        ),
        (
            AbstainingPolicy(RiskPolicy(0.25), Tier.PREMIUM, least_known=0.2, least_top=0.6),
            "risk at most 0.25; "
            "premium where the model knows less than 20% of the words or gives no tier 60%",
            "highest probability 0.500 < 0.6: premium",
        ),
        (
            AbstainingPolicy(RiskPolicy(0.25), least_top=0.4),
            "risk at most 0.25; balanced where the model gives no tier 40%",
            "risk of cheap 0.500 > 0.25, risk of balanced 0.200 <= 0.25",
        ),
    ],
    ids=["risk", "cost", "fixed", "bounded", "abstaining", "not abstaining"],
)
def test_policies_are_worded_for_people(policy: Policy, described: str, weighed: str) -> None:
    assert policy.describe() == described
    assert policy.weigh((0.5, 0.3, 0.2)) == weighed


@pytest.mark.parametrize("max_risk", [-0.1, 1.1, float("nan"), float("inf")], ids=str)
def test_a_risk_that_is_no_probability_is_refused(max_risk: float) -> None:
    with pytest.raises(PolicyError, match=rf"max_risk is {max_risk}, but a probability lies in \[0, 1\]"):
        RiskPolicy(max_risk)


@pytest.mark.parametrize("usd", [-1.0, float("nan"), float("inf")], ids=str)
def test_a_cost_that_is_none_is_refused(usd: float) -> None:
    with pytest.raises(PolicyError, match="a cost is negative or not a number"):
        ExpectedCostPolicy((0.0, 0.0, usd), 1.0)
    with pytest.raises(PolicyError, match="a cost is negative or not a number"):
        ExpectedCostPolicy((0.0, 0.0, 0.0), usd)


def test_abstention_tells_of_unknown_words_first() -> None:
    policy = AbstainingPolicy(RiskPolicy(0.25), Tier.BALANCED, least_known=0.2, least_top=0.6)
    assert policy.weigh((0.5, 0.3, 0.2), 0.1) == "known vocabulary 0.100 < 0.2: balanced"


@pytest.mark.parametrize("name", ["least_known", "least_top"])
@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan")], ids=str)
def test_a_threshold_of_abstention_outside_its_range_is_refused(name: str, value: float) -> None:
    with pytest.raises(PolicyError, match=f"{name} is {value}, but"):
        AbstainingPolicy(FixedPolicy(Tier.CHEAP), Tier.BALANCED, **{name: value})


def test_crossed_bounds_are_refused() -> None:
    with pytest.raises(PolicyError, match="the floor, premium, is above the ceiling, balanced"):
        BoundedPolicy(FixedPolicy(Tier.CHEAP), Tier.PREMIUM, Tier.BALANCED)


@pytest.mark.parametrize(
    ("mapping", "problem"),
    [
        ({"kind": "magic"}, "kind is one of abstaining, bounded, expected_cost, fixed, risk"),
        ({}, "kind is one of"),
        ({"kind": ["risk"]}, "kind is one of"),
        (None, "kind is one of"),
        ([], "kind is one of"),
        ({"kind": "risk"}, "max_risk"),
        ({"kind": "risk", "max_risk": "much"}, "much"),
        ({"kind": "risk", "max_risk": None}, "max_risk"),
        ({"kind": "risk", "max_risk": 7}, r"in \[0, 1\]"),
        ({"kind": "expected_cost", "tier_usd": [1, 2], "poor_answer_usd": 1}, "expected 3"),
        ({"kind": "expected_cost", "tier_usd": 1, "poor_answer_usd": 1}, "tier_usd"),
        ({"kind": "fixed", "tier": "gold"}, "'gold' is no tier"),
        ({"kind": "bounded", "policy": {"kind": "magic"}, "floor": "cheap", "ceiling": "premium"}, "magic"),
        ({"kind": "bounded", "policy": None, "floor": "cheap", "ceiling": "premium"}, "None"),
        ({"kind": "bounded", "policy": {"kind": "fixed", "tier": "cheap"}, "floor": "cheap"}, "ceiling"),
    ],
    ids=str,
)
def test_a_mapping_that_is_no_policy_is_refused_with_what_is_wrong(
    mapping: dict[str, object], problem: str
) -> None:
    with pytest.raises(PolicyError, match=problem) as caught:
        policy_from_dict(mapping)
    assert isinstance(caught.value, ClassifierError)
    assert isinstance(caught.value, ValueError)


def test_equal_policies_are_one_key() -> None:
    assert len({RiskPolicy(0.2), RiskPolicy(0.2), RiskPolicy(0.3)}) == 2
