"""What can be evaluated, and how labelled prompts are put to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from classifier import Policy, Prompt
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

    def predict_proba(self, prompts: Sequence[Prompt], /) -> Sequence[tuple[float, float, float]]:
        """Return tier probabilities, one triple a prompt, in Tier order."""


def route_rows(predictor: Predictor, data: LabelledData) -> RoutedRows:
    """Let a model and its policy judge labelled prompts.

    Raises:
        EvaluationError: When there are no prompts, or the model's answers are no probabilities.
    """
    prompts = list(data.frame["prompt"])
    probabilities = predictor.predict_proba(prompts)
    return RoutedRows.of(
        probabilities,
        [int(predictor.policy.choose(triple)) for triple in probabilities],
        data.frame["tier"].to_numpy(),
        data.frame["weight"].to_numpy(),
        input_tokens(prompts),
    )
