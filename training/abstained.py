"""The prompts of an evaluation on which the policy abstained, and how they fared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from classifier import Policy
from training.abstention import abstaining_rows, without_abstaining
from training.costs import CostModel
from training.measures import measure_of
from training.metrics import RoutingRates, routing_rates
from training.routed_rows import IntArray, RoutedRows

__all__ = ["Abstained", "Fare", "abstained", "choices_without_abstaining"]


@dataclass(frozen=True, slots=True)
class Fare:
    """How the abstaining prompts fare under one choice of tiers.

    Attributes:
        rates: Under-routing, over-routing and their kin, shares of these prompts.
        usd_per_1000: US dollars per 1,000 of these prompts.
    """

    rates: RoutingRates
    usd_per_1000: float

    def as_dict(self) -> dict[str, float]:
        """Return the figures under stable keys, ready for JSON."""
        return {**self.rates.as_dict(), "usd_per_1000_prompts": self.usd_per_1000}


@dataclass(frozen=True, slots=True)
class Abstained:
    """What abstaining does to the prompts that it concerns.

    Attributes:
        rows: How many there are.
        share: Their share of all weight, in [0, 1].
        sent: How they fare where they were sent; None where there are none.
        otherwise: How they would fare if the policy never abstained; None where there are none.
    """

    rows: int
    share: float
    sent: Fare | None
    otherwise: Fare | None

    def as_dict(self) -> dict[str, object]:
        """Return the figures under stable keys, ready for JSON."""
        return {
            "rows": self.rows,
            "share": self.share,
            "sent": self.sent and self.sent.as_dict(),
            "otherwise": self.otherwise and self.otherwise.as_dict(),
        }


def choices_without_abstaining(rows: RoutedRows, policy: Policy) -> IntArray | None:
    """Return what the policy would choose if it never abstained, shape (n,); None where it never does."""
    inner = without_abstaining(policy)
    if inner is None:
        return None
    judged = zip(rows.probabilities.tolist(), rows.known_vocabulary.tolist(), strict=True)
    return np.array([int(inner.choose(triple, known)) for triple, known in judged], dtype=np.int64)


def abstained(rows: RoutedRows, policy: Policy, cost_model: CostModel) -> Abstained | None:
    """Return how the prompts fare on which the policy abstains; None where it never does."""
    otherwise = choices_without_abstaining(rows, policy)
    if otherwise is None:
        return None
    mask = abstaining_rows(policy, rows.probabilities, rows.known_vocabulary)
    share = float(rows.weights[mask].sum() / rows.weights.sum())
    if not mask.any():
        return Abstained(0, 0.0, None, None)
    sent = rows.where(mask)
    instead = rows.with_choice(otherwise).where(mask)
    return Abstained(len(sent), share, _fare(sent, cost_model), _fare(instead, cost_model))


def _fare(rows: RoutedRows, cost_model: CostModel) -> Fare:
    usd = measure_of("choice", "usd_per_1000_prompts").of_rows(rows, cost_model)
    return Fare(routing_rates(rows.chosen, rows.needed, rows.weights), usd)
