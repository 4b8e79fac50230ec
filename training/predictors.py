"""What can be evaluated, and how labelled prompts are put to it."""

from __future__ import annotations

from typing import Protocol

from classifier import Decision, Policy, Prompt
from training.costs import input_tokens
from training.labelled import LabelledData
from training.routed_rows import RoutedRows

__all__ = ["Predictor", "route_rows"]


class Predictor(Protocol):
    """What can be evaluated: `classifier.TierPredictor`, or anything of its shape."""

    @property
    def version(self) -> str:
        """The model's own name."""

    @property
    def policy(self) -> Policy:
        """The policy that the model would route by."""

    def decide(self, prompt: Prompt, /) -> Decision:
        """Return the tier that the policy chose for a prompt, and what it was decided on."""


def route_rows(predictor: Predictor, data: LabelledData) -> RoutedRows:
    """Let a model and its policy judge labelled prompts.

    Raises:
        EvaluationError: When there are no prompts, or the model's answers are no probabilities.
    """
    prompts = list(data.frame["prompt"])
    decisions = [predictor.decide(prompt) for prompt in prompts]
    return RoutedRows.of(
        [decision.probabilities for decision in decisions],
        [int(decision.tier) for decision in decisions],
        data.frame["tier"].to_numpy(),
        data.frame["weight"].to_numpy(),
        input_tokens(prompts),
        [decision.known_vocabulary for decision in decisions],
    )
