from collections.abc import Sequence
from typing import Any

import pytest

from classifier import ClassifierError, Decision, Explanation, FixedPolicy, Tier, TierPredictor
from serving.alarms import Alarms
from serving.selection import Predictor, Selection
from serving.selector import Selector

MESSAGES = [{"role": "user", "content": "Please prove it."}]


def select(requested: str, messages: Any, predictor: Predictor) -> Selection:
    return Selector(predictor, Alarms(), 5.0).select(requested, messages)


class Failing:
    """A classifier whose methods raise."""

    def __init__(self, decide: Exception | None, explain: Exception) -> None:
        self._decide, self._explain = decide, explain

    def decide(self, prompt: Sequence[Any], /) -> Decision:
        if self._decide is not None:
            raise self._decide
        return Decision(Tier.PREMIUM, (0.1, 0.2, 0.7), 0.0, float(len(prompt)), "fixed", "0")

    def explain(self, _prompt: Sequence[Any], /) -> Explanation:
        raise self._explain


def test_auto_means_what_the_classifier_decides(predictor: TierPredictor) -> None:
    selection = select("auto", MESSAGES, predictor)
    assert selection.tier is Tier.PREMIUM
    assert selection.decision == predictor.decide(MESSAGES)
    assert selection.reasons() == predictor.explain(MESSAGES).reasons()


def test_the_predictors_policy_is_the_routers(predictor: TierPredictor) -> None:
    assert select("auto", MESSAGES, predictor.with_policy(FixedPolicy(Tier.CHEAP))).tier is Tier.CHEAP


def test_messages_may_come_as_an_iterator(predictor: TierPredictor) -> None:
    assert select("auto", iter(MESSAGES), predictor).tier is Tier.PREMIUM


@pytest.mark.parametrize("name", ["cheap", "balanced", "premium"])
def test_a_tiers_name_means_that_tier(predictor: TierPredictor, name: str) -> None:
    selection = select(name, MESSAGES, predictor)
    assert (selection.tier, selection.decision) == (Tier.parse(name), None)


@pytest.mark.parametrize("name", ["Auto", "Cheap", "vendor/model", ""])
def test_anything_else_is_a_models_name(predictor: TierPredictor, name: str) -> None:
    selection = select(name, MESSAGES, predictor)
    assert (selection.requested, selection.tier) == (name, None)


@pytest.mark.parametrize(
    "error",
    [
        ClassifierError("x"),
        ZeroDivisionError("x"),
        KeyError("x"),
        RecursionError("x"),
        TypeError("x"),
        OSError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_classifier_that_fails_means_balanced(error: Exception) -> None:
    selection = select("auto", MESSAGES, Failing(error, error))
    assert (selection.tier, selection.decision) == (Tier.BALANCED, None)
    assert selection.reasons()[0].startswith(
        f"the classifier failed, so balanced answers: {type(error).__name__}: "
    )


@pytest.mark.parametrize("messages", [[], [5], "text"], ids=["none", "no messages", "a string"])
def test_messages_that_are_none_are_no_reason_to_stop(predictor: TierPredictor, messages: Any) -> None:
    assert select("auto", messages, predictor).tier is not None


def test_an_explanation_that_fails_is_told_in_its_place() -> None:
    selection = select("auto", MESSAGES, Failing(None, ValueError("no words")))
    assert selection.tier is Tier.PREMIUM
    assert selection.reasons() == ("the classifier could not explain itself: ValueError: no words",)
