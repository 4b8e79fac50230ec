import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import AbstainingPolicy, BoundedPolicy, Policy, PolicyError, RiskPolicy, Tier
from serving.spending.paced_policy import PacedPolicy

RISK = RiskPolicy(0.2)
PROBABILITIES = st.tuples(*[st.floats(0.01, 1)] * 3).map(
    lambda each: tuple(value / sum(each) for value in each)
)
POLICIES = st.one_of(
    st.builds(RiskPolicy, st.floats(0, 1)),
    st.builds(AbstainingPolicy, st.builds(RiskPolicy, st.floats(0, 1)), st.just(Tier.PREMIUM), st.just(0.5)),
)


def test_premium_goes_to_those_who_need_it_enough_and_balanced_to_the_others() -> None:
    paced = PacedPolicy(RISK, 0.6)
    assert paced.choose((0.1, 0.2, 0.7)) is Tier.PREMIUM
    assert paced.choose((0.1, 0.3, 0.6)) is Tier.PREMIUM
    assert paced.choose((0.1, 0.4, 0.5)) is Tier.BALANCED


@given(POLICIES, st.floats(0, 1.5), PROBABILITIES, st.floats(0, 1))
def test_pacing_only_ever_withholds_premium(
    policy: Policy, threshold: float, probabilities: tuple[float, float, float], known: float
) -> None:
    wanted = policy.choose(probabilities, known)
    given_tier = PacedPolicy(policy, threshold).choose(probabilities, known)
    assert given_tier is wanted or (wanted is Tier.PREMIUM and given_tier is Tier.BALANCED)


@given(POLICIES, PROBABILITIES, st.floats(0, 1))
def test_at_no_price_it_is_the_policy(
    policy: Policy, probabilities: tuple[float, float, float], known: float
) -> None:
    assert PacedPolicy(policy, 0.0).choose(probabilities, known) is policy.choose(probabilities, known)


@given(st.floats(0, 1), st.floats(0, 1), PROBABILITIES)
def test_a_higher_price_never_gives_a_higher_tier(
    one: float, other: float, probabilities: tuple[float, float, float]
) -> None:
    low, high = sorted((one, other))
    assert PacedPolicy(RISK, high).choose(probabilities) <= PacedPolicy(RISK, low).choose(probabilities)


def test_a_floor_stands_above_the_rationing() -> None:
    assert BoundedPolicy(PacedPolicy(RISK, 0.9), floor=Tier.PREMIUM).choose((0.8, 0.1, 0.1)) is Tier.PREMIUM


def test_it_says_that_and_why_premium_is_rationed() -> None:
    paced = PacedPolicy(RISK, 0.61)
    assert paced.describe() == (
        "risk at most 0.2; the day's premium budget is being rationed: "
        "premium from P(premium needed) 0.610 on"
    )
    assert paced.weigh((0.1, 0.4, 0.5)).endswith(
        "; the day's premium budget is being rationed: P(premium needed) 0.500 < 0.610: balanced"
    )
    assert paced.weigh((0.9, 0.1, 0.0)) == RISK.weigh((0.9, 0.1, 0.0))
    assert paced.as_dict() == {"kind": "paced", "policy": RISK.as_dict(), "threshold": 0.61}


@pytest.mark.parametrize("threshold", [-0.1, float("nan")])
def test_a_threshold_that_is_none_is_refused(threshold: float) -> None:
    with pytest.raises(PolicyError, match="threshold is"):
        PacedPolicy(RISK, threshold)
