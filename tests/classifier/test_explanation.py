import json
from math import fsum, log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import (
    TIERS,
    BoundedPolicy,
    ExpectedCostPolicy,
    Explanation,
    FixedPolicy,
    Policy,
    RiskPolicy,
    Tier,
    TierPredictor,
)
from classifier.model_file import Model
from tests.classifier.small_model import small_model
from tests.classifier.texts import MESSAGES, TEXTS

SMALL = TierPredictor(small_model())
POLICIES: list[Policy] = [
    RiskPolicy(0.0),
    RiskPolicy(0.3),
    ExpectedCostPolicy((0.0003, 0.0004, 0.004), 0.01),
    BoundedPolicy(RiskPolicy(1.0), floor=Tier.BALANCED),
    *map(FixedPolicy, TIERS),
]


def check_sum(explanation: Explanation) -> None:
    """Contributions sum to the log-odds of the chosen tier against the most probable other one."""
    decision, against = explanation.decision, explanation.against
    others = [tier for tier in TIERS if tier != decision.tier]
    assert against in others
    assert decision.probabilities[against] == max(decision.probabilities[tier] for tier in others)
    expected = log(decision.probabilities[decision.tier]) - log(decision.probabilities[against])
    assert explanation.log_odds == pytest.approx(expected, abs=1e-9)
    assert fsum(c.value for c in explanation.contributions) == pytest.approx(expected, abs=1e-9)
    sizes = [abs(c.value) for c in explanation.contributions]
    assert sizes == sorted(sizes, reverse=True)


@given(TEXTS, st.sampled_from(POLICIES))
def test_contributions_sum_to_the_log_odds_for_any_text_and_policy(text: str, policy: Policy) -> None:
    check_sum(SMALL.with_policy(policy).explain(text))


@given(MESSAGES, st.sampled_from(POLICIES))
def test_so_they_do_for_conversations(messages: list[dict[str, str]], policy: Policy) -> None:
    check_sum(SMALL.with_policy(policy).explain(messages))


@settings(max_examples=40)
@given(st.one_of(TEXTS, MESSAGES), st.sampled_from(POLICIES))
def test_so_they_do_with_the_packaged_model(
    predictor: TierPredictor, prompt: str | list[dict[str, str]], policy: Policy
) -> None:
    check_sum(predictor.with_policy(policy).explain(prompt))


@given(st.one_of(TEXTS, MESSAGES), st.sampled_from(POLICIES))
def test_an_explanation_explains_the_decision(prompt: str | list[dict[str, str]], policy: Policy) -> None:
    predictor = SMALL.with_policy(policy)
    explanation = predictor.explain(prompt)
    assert explanation.decision == predictor.decide(prompt)
    assert explanation.comparison == policy.weigh(explanation.decision.probabilities)


def names(explanation: Explanation) -> list[str]:
    return [contribution.name for contribution in explanation.contributions]


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("Prove that 2 > 1", "'prove that'"),
        ("prove it", "'prove'"),
        ("all finite rings", "'finit…'"),
        ("so … what", "'…'"),
        ("证明它", "'证明'"),
        ("in 365 days", "'365'"),
        ("{[()]}", "many symbols"),
        ("capital " * 200, "many words"),
        ("", "what prompts need on average"),
    ],
)
def test_features_are_named_as_a_person_would(small: Model, prompt: str, name: str) -> None:
    assert name in names(TierPredictor(small).explain(prompt))


def test_reasons_are_the_strongest_features_in_favour(small: Model) -> None:
    predictor = TierPredictor(small).with_policy(FixedPolicy(Tier.PREMIUM))
    explanation = predictor.explain("prove that it is the capital")
    assert explanation.reasons() == ("'prove that'", "'prove'")
    assert explanation.reasons(0) == ()
    favourable = [c.name for c in explanation.contributions if c.value > 0]
    assert list(explanation.reasons(100)) == [
        name for name in favourable if name != "what prompts need on average"
    ]


def test_a_feature_of_several_turns_is_told_once(small: Model) -> None:
    turns = [{"role": "user", "content": "prove that"}] * 3
    found = names(TierPredictor(small).explain(turns))
    assert len(found) == len(set(found))


@given(st.one_of(TEXTS, MESSAGES))
def test_an_explanation_is_told_in_json(prompt: str | list[dict[str, str]]) -> None:
    explanation = SMALL.explain(prompt)
    told = json.loads(json.dumps(explanation.as_dict(), allow_nan=False))
    assert told["tier"] == explanation.decision.tier.label
    assert told["against"] == explanation.against.label
    assert fsum(entry["value"] for entry in told["contributions"]) == pytest.approx(
        told["log_odds"], abs=1e-9
    )
    assert [entry["name"] for entry in told["contributions"]] == names(explanation)
