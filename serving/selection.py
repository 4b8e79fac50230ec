"""What the caller's `model` means: a tier to be decided on, a tier by name, or a model by name."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from classifier import ClassifierError, Decision, Explanation, Tier
from serving.routing import Reasons

__all__ = ["AUTO", "Predictor", "Selection", "later_reasons", "select"]

AUTO = "auto"

_TIERS = {tier.label: tier for tier in Tier}
_CLASSIFIER_FAILURES = (
    ClassifierError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


class Predictor(Protocol):
    """What a router asks for a tier: a `classifier.TierPredictor`, or anything with these two methods."""

    def decide(self, prompt: Sequence[Any], /) -> Decision:
        """Return the tier for OpenAI messages."""

    def explain(self, prompt: Sequence[Any], /) -> Explanation:
        """Return why."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a call is to be answered by.

    Attributes:
        requested: what the caller gave as `model`.
        tier: the tier, or None when the caller named a model.
        decision: the classifier's, where it was asked and answered.
        reasons: why.
    """

    requested: str
    tier: Tier | None
    decision: Decision | None
    reasons: Reasons


def select(requested: str, messages: Iterable[Any], predictor: Predictor) -> Selection:
    """Choose for one call; a classifier that fails costs its judgement, never the call.

    Args:
        requested: "auto", a tier's name, or any model's.
        messages: OpenAI messages.
        predictor: who decides on "auto".
    """
    if requested == AUTO:
        return _decided(messages if isinstance(messages, Sequence) else tuple(messages), predictor)
    tier = _TIERS.get(requested)
    wanted = f"the caller asked for {'' if tier is None else 'the tier '}{requested}"
    return Selection(requested, tier, None, Reasons.known(wanted))


def _decided(messages: Sequence[Any], predictor: Predictor) -> Selection:
    try:
        decision = predictor.decide(messages)
    except _CLASSIFIER_FAILURES as error:
        why = Reasons.known(f"the classifier failed, so balanced answers: {type(error).__name__}: {error}")
        return Selection(AUTO, Tier.BALANCED, None, why)
    copied = tuple(messages)  # callers append the answer to theirs
    return Selection(AUTO, decision.tier, decision, later_reasons(lambda: predictor.explain(copied)))


def later_reasons(explain: Callable[[], Explanation]) -> Reasons:
    """Return the reasons of an explanation that is made when they are asked for, and may fail."""

    def reasons() -> tuple[str, ...]:
        try:
            return explain().reasons()
        except _CLASSIFIER_FAILURES as error:
            return (f"the classifier could not explain itself: {type(error).__name__}: {error}",)

    return Reasons(reasons)
