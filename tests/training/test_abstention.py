import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import AbstainingPolicy, BoundedPolicy, FixedPolicy, Policy, RiskPolicy, Tier
from tests.training.routed import laws, routed_rows
from training.abstention import AbstentionRule, without_abstaining
from training.errors import EvaluationError
from training.routed_rows import RoutedRows

PLAIN = RiskPolicy(0.2)


@laws
@given(routed_rows(), st.floats(0.01, 1), st.floats(0, 1), st.floats(0, 1))
def test_the_rule_abstains_where_its_policy_does(
    rows: RoutedRows, known: float, top: float, seen: float
) -> None:
    rule = AbstentionRule(Tier.BALANCED, known, top)
    policy = rule.around(PLAIN)
    expected = [policy.abstains(triple, seen) for triple in rows.probabilities.tolist()]
    assert rule.abstains(rows.probabilities, np.full(len(rows), seen)).tolist() == expected


@pytest.mark.parametrize("top", [0.0, 0.3, 1 / 3])
def test_a_rule_that_never_abstains_is_refused(top: float) -> None:
    with pytest.raises(EvaluationError, match="of three, the highest is at least 1/3"):
        AbstentionRule(least_top=top)


@pytest.mark.parametrize(
    ("policy", "inner"),
    [
        (PLAIN, None),
        (FixedPolicy(Tier.CHEAP), None),
        (AbstainingPolicy(PLAIN, least_known=0.1), PLAIN),
        (AbstainingPolicy(AbstainingPolicy(PLAIN, least_top=0.5), least_known=0.1), PLAIN),
        (BoundedPolicy(PLAIN, ceiling=Tier.BALANCED), None),
        (
            BoundedPolicy(AbstainingPolicy(PLAIN, least_known=0.1), ceiling=Tier.BALANCED),
            BoundedPolicy(PLAIN, ceiling=Tier.BALANCED),
        ),
    ],
    ids=["plain", "fixed", "abstaining", "twice", "bounded", "bounded abstaining"],
)
def test_a_policy_without_its_abstaining(policy: Policy, inner: Policy | None) -> None:
    assert without_abstaining(policy) == inner
