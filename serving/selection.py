"""What the caller's `model` means: a tier to be decided on, a tier by name, or a model by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from classifier import Decision, Explanation, Tier
from serving.routing import Reasons

__all__ = ["AUTO", "Predictor", "Selection", "named"]

AUTO = "auto"

_TIERS = {tier.label: tier for tier in Tier}


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


def named(requested: str) -> Selection:
    """Return the selection of a tier by its name, or of a model by its."""
    tier = _TIERS.get(requested)
    wanted = f"the caller asked for {'' if tier is None else 'the tier '}{requested}"
    return Selection(requested, tier, None, Reasons.known(wanted))
