"""Metrics over arrays: scikit-learn's where it has them, and routing rates.

Every function takes tiers as integers in Tier order (0 cheap, 1 balanced, 2 premium) and sample weights of
shape (n,), each above 0. Whether `predicted` is the most probable tier or a policy's choice is for the caller
to say.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from sklearn import metrics as sklearn_metrics

from training.routed_rows import TIERS, FloatArray, IntArray

__all__ = [
    "RoutingRates",
    "accuracy",
    "confusion",
    "log_loss",
    "macro_f1",
    "quadratic_kappa",
    "routing_rates",
]

LABELS = tuple(range(TIERS))


@dataclass(frozen=True, slots=True)
class RoutingRates:
    """How a choice of tiers stands to the needed tiers: weighted shares of all rows, each in [0, 1].

    Attributes:
        right: The chosen tier is the needed one.
        under: The chosen tier is below the needed one (quality is lost).
        over: The chosen tier is above the needed one (money is lost).
        cheap_premium: Cheap was chosen where premium was needed, or premium where cheap was.
    """

    right: float
    under: float
    over: float
    cheap_premium: float

    @classmethod
    def of_confusion(cls, table: FloatArray) -> RoutingRates:
        """Read the rates off a confusion table, shape (3, 3), needed tiers down and chosen tiers across.

        >>> RoutingRates.of_confusion(np.array([[2.0, 0, 0], [1, 0, 0], [0, 0, 1]])).under
        0.25
        """
        total = table.sum()
        return cls(
            right=float(np.trace(table) / total),
            under=float(np.tril(table, -1).sum() / total),
            over=float(np.triu(table, 1).sum() / total),
            cheap_premium=float((table[0, 2] + table[2, 0]) / total),
        )

    def as_dict(self) -> dict[str, float]:
        """Return the rates under stable keys, ready for JSON."""
        return {
            "right_tier": self.right,
            "under_routing": self.under,
            "over_routing": self.over,
            "cheap_premium_errors": self.cheap_premium,
        }


def accuracy(predicted: IntArray, needed: IntArray, weights: FloatArray) -> float:
    """Return the weighted share of rows whose predicted tier is the needed one, in [0, 1]."""
    return float(sklearn_metrics.accuracy_score(needed, predicted, sample_weight=weights))


def macro_f1(predicted: IntArray, needed: IntArray, weights: FloatArray) -> float:
    """Return the mean F1 over the tiers that occur, needed or predicted, in [0, 1]."""
    return float(
        sklearn_metrics.f1_score(needed, predicted, average="macro", sample_weight=weights, zero_division=0.0)
    )


def quadratic_kappa(predicted: IntArray, needed: IntArray, weights: FloatArray) -> float:
    """Return Cohen's kappa with quadratic weights, at most 1; 0 is what chance reaches.

    NaN when a single tier fills both columns: chance is then always right and kappa is 0 / 0.
    """
    if len(np.union1d(predicted, needed)) == 1:
        return float("nan")
    kappa = sklearn_metrics.cohen_kappa_score(
        needed, predicted, labels=LABELS, weights="quadratic", sample_weight=weights
    )
    return float(kappa)


def log_loss(probabilities: FloatArray, needed: IntArray, weights: FloatArray) -> float:
    """Return the weighted mean of -ln P(needed tier), natural logarithm, at least 0.

    A probability of 0 counts as the smallest step of a float (2.2e-16), as in scikit-learn.
    """
    return float(sklearn_metrics.log_loss(needed, probabilities, labels=LABELS, sample_weight=weights))


def confusion(predicted: IntArray, needed: IntArray, weights: FloatArray) -> FloatArray:
    """Return the summed weights, shape (3, 3): needed tiers down, predicted tiers across.

    What scikit-learn's `confusion_matrix` returns, in a hundredth of its time: curves take hundreds of these.
    """
    cells = np.bincount(needed * TIERS + predicted, weights, TIERS * TIERS)
    return np.asarray(cells.reshape(TIERS, TIERS), dtype=np.float64)


def routing_rates(chosen: IntArray, needed: IntArray, weights: FloatArray) -> RoutingRates:
    """Return under-routing, over-routing and their kin for a choice of tiers."""
    return RoutingRates.of_confusion(confusion(chosen, needed, weights))
