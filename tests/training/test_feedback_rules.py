"""What signs say: each rule by itself, and together as Bayes has it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import TIERS, Tier
from training.errors import SettingsError
from training.feedback_rows import FeedbackRow, Probabilities
from training.feedback_rules import Evidence, FeedbackLabel, FeedbackRules, label_of, signs_of

BLIND = FeedbackRules(trust=0.0)
CHEAP, BALANCED, PREMIUM = TIERS
CALM: dict[str, Any] = {"thumb": 0, "retried": False, "escalated_to": None, "escalated_thumb": 0}


def row(tier: Tier, probabilities: Probabilities | None = None, **signs: object) -> FeedbackRow:
    return FeedbackRow(
        request_id="",
        prompt="hi",
        text="hi",
        tier=tier,
        probabilities=probabilities,
        chosen_by="",
        propensity=None,
        language="",
        domain="",
        **{**CALM, **signs},
    )


def evidence(*rows: FeedbackRow, rules: FeedbackRules = BLIND) -> Evidence:
    found = Evidence()
    for one in rows:
        found.add(signs_of(one, rules), one.probabilities)
    return found


def label(*rows: FeedbackRow, rules: FeedbackRules = BLIND) -> FeedbackLabel:
    found = label_of(evidence(*rows, rules=rules), rules)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("given", "tier"),
    [
        pytest.param(row(CHEAP, thumb=1), CHEAP, id="up at cheap: cheap"),
        pytest.param(row(BALANCED, thumb=1), BALANCED, id="up at balanced: at most balanced"),
        pytest.param(row(CHEAP, thumb=-1), BALANCED, id="down at cheap: the next at least"),
        pytest.param(row(BALANCED, thumb=-1), PREMIUM, id="down at balanced: premium"),
        pytest.param(row(CHEAP, retried=True), BALANCED, id="retried at cheap: the next, weakly"),
        pytest.param(
            row(CHEAP, escalated_to=BALANCED, escalated_thumb=1), BALANCED, id="escalated and content"
        ),
        pytest.param(
            row(CHEAP, escalated_to=PREMIUM, escalated_thumb=1), PREMIUM, id="what is known to be enough"
        ),
        pytest.param(
            row(CHEAP, escalated_to=BALANCED, escalated_thumb=-1), PREMIUM, id="escalated, not far enough"
        ),
    ],
)
def test_without_any_belief_the_label_is_next_to_what_was_seen(given: FeedbackRow, tier: Tier) -> None:
    assert label(given).tier is tier


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(row(PREMIUM, thumb=1), id="up at premium: anything would have done"),
        pytest.param(row(PREMIUM, thumb=-1), id="down at premium: nobody solves it"),
        pytest.param(row(PREMIUM, retried=True), id="retried at premium"),
        pytest.param(row(CHEAP), id="silence"),
    ],
)
def test_some_signs_teach_nothing(given: FeedbackRow) -> None:
    assert label_of(evidence(given), BLIND) is None


def test_certain_signs_weigh_more_than_bounds_and_bounds_more_than_retries() -> None:
    weights = [
        label(given).weight
        for given in (row(CHEAP, thumb=1), row(BALANCED, thumb=1), row(BALANCED, retried=True))
    ]
    bracketed = label(row(CHEAP, thumb=-1, escalated_to=BALANCED, escalated_thumb=1)).weight
    assert weights[0] > weights[2] > 0
    assert weights[0] > weights[1] > 0
    assert bracketed > weights[1]


def test_silence_counts_only_with_odds() -> None:
    rules = FeedbackRules(silence=1.5, trust=0.0)
    assert label(row(CHEAP), rules=rules).tier is CHEAP
    assert label(row(CHEAP), rules=rules).weight < 0.2


def test_contradicting_signs_cancel_and_are_noticed() -> None:
    several = (row(CHEAP, thumb=1), row(CHEAP, thumb=-1))
    assert evidence(*several).contradicts
    assert label_of(evidence(*several), BLIND) is None
    assert label(*several, row(CHEAP, thumb=1)).tier is CHEAP


def test_signs_that_can_both_be_true_do_not_contradict() -> None:
    assert not evidence(row(CHEAP, thumb=-1), row(BALANCED, thumb=1)).contradicts


def test_a_thumb_down_and_its_escalation_count_once() -> None:
    down = row(CHEAP, thumb=-1)
    both = row(CHEAP, thumb=-1, escalated_to=BALANCED)
    assert label(both).probabilities == label(down).probabilities


def test_what_the_router_believed_decides_among_the_tiers_that_a_sign_allows() -> None:
    rules = FeedbackRules(trust=1.0)
    up = row(BALANCED, (0.6, 0.3, 0.1), thumb=1)
    assert label(up, rules=rules).tier is CHEAP
    assert label(up).tier is BALANCED


def test_the_formula_by_hand() -> None:
    rules = FeedbackRules(up=4.0, trust=1.0)
    found = label(row(CHEAP, (0.2, 0.5, 0.3), thumb=1), rules=rules)
    assert found.probabilities == pytest.approx((0.8 / 1.6, 0.5 / 1.6, 0.3 / 1.6))


ANY_ROW = st.builds(
    row,
    st.sampled_from(TIERS[:2]),
    st.sampled_from([None, (0.2, 0.5, 0.3), (0.0, 0.0, 1.0)]),
    thumb=st.sampled_from([-1, 0, 1]),
    retried=st.booleans(),
    escalated_to=st.sampled_from([None, PREMIUM]),
)


@given(st.lists(ANY_ROW, max_size=60), st.sampled_from([0.0, 0.5, 1.0]))
def test_weights_are_bounded_and_probabilities_sum_to_one(rows: list[FeedbackRow], trust: float) -> None:
    rules = FeedbackRules(trust=trust, most=0.7)
    found = label_of(evidence(*rows, rules=rules), rules)
    weight, total = (found.weight, sum(found.probabilities)) if found else (0.7, 1.0)
    assert 0 < weight <= 0.7
    assert total == pytest.approx(1.0)


@given(st.lists(ANY_ROW, max_size=8))
def test_the_order_of_rows_changes_nothing(rows: list[FeedbackRow]) -> None:
    straight, turned = evidence(*rows), evidence(*reversed(rows))
    assert straight.posterior(0.5) == pytest.approx(turned.posterior(0.5))
    assert straight.contradicts == turned.contradicts


@given(st.lists(ANY_ROW, max_size=8), st.sampled_from([CHEAP, BALANCED]))
def test_a_thumb_up_never_makes_dearer_tiers_likelier(rows: list[FeedbackRow], tier: Tier) -> None:
    before = evidence(*rows).posterior(0.0)
    after = evidence(*rows, row(tier, thumb=1)).posterior(0.0)
    assert sum(after[: tier + 1]) >= sum(before[: tier + 1]) - 1e-12


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"up": 0.5}, "odds of up are 0.5"),
        ({"silence": float("nan")}, "odds of silence"),
        ({"trust": 2.0}, "trust is 2.0"),
        ({"most": 0.0}, "the largest weight is 0.0"),
    ],
    ids=str,
)
def test_rules_that_make_no_sense_are_refused(settings: dict[str, float], problem: str) -> None:
    with pytest.raises(SettingsError, match=problem):
        FeedbackRules(**settings)
