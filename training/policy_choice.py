"""The risk policy over arrays: its curve as `max_risk` moves, and the largest `max_risk` for a target.

The risk of a tier is P(the needed tier is above it). The policy takes the cheapest tier whose risk is at most
`max_risk`, so raising `max_risk` moves rows down and never up: under-routing can only grow, in steps, at the
risks of the rows themselves. That is why the choice below is exact and needs no search.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.errors import EvaluationError
from training.metrics import RoutingRates, routing_rates
from training.routed_rows import TIERS, FloatArray, IntArray, check_probabilities, check_tiers

__all__ = [
    "DEFAULT_UNDER_ROUTING",
    "PolicyChoice",
    "RiskCurve",
    "RiskPoint",
    "chosen_by_expected_cost",
    "chosen_by_risk",
    "largest_max_risk",
    "risk_curve",
    "tier_risks",
]

DEFAULT_UNDER_ROUTING = 0.10
CURVE_POINTS = 101
ROUNDING = 1e-12  # ten rows of weight 0.1 are a tenth of a hundred, whatever their sums round to


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """The risk policy at one setting.

    Attributes:
        max_risk: The setting, a probability in [0, 1].
        shares: Weighted share of rows that each tier gets, in Tier order, summing to 1.
        rates: Under-routing, over-routing and their kin.
    """

    max_risk: float
    shares: tuple[float, float, float]
    rates: RoutingRates

    def as_dict(self) -> dict[str, object]:
        """Return the point under stable keys, ready for JSON."""
        return {"max_risk": self.max_risk, "shares": list(self.shares), **self.rates.as_dict()}


@dataclass(frozen=True, slots=True)
class RiskCurve:
    """The risk policy over a range of settings, lowest `max_risk` first."""

    points: tuple[RiskPoint, ...]

    def as_dict(self) -> list[dict[str, object]]:
        """Return the points in order, ready for JSON."""
        return [point.as_dict() for point in self.points]


@dataclass(frozen=True, slots=True)
class PolicyChoice:
    """A `max_risk` chosen on labelled data, and what it achieves there.

    Attributes:
        max_risk: The chosen setting, a probability in [0, 1].
        target: The under-routing that was to be kept, a fraction in [0, 1].
        achieved: Shares and rates at the setting, on the data that it was chosen on.
        rows: How many rows that data had.
    """

    max_risk: float
    target: float
    achieved: RiskPoint
    rows: int

    @property
    def is_met(self) -> bool:
        """Whether the target is kept; it can be missed only where a risk of exactly 0 was wrong."""
        return self.achieved.rates.under <= self.target + ROUNDING

    def as_dict(self) -> dict[str, object]:
        """Return the choice under stable keys, ready for JSON."""
        return {
            "target": {"kind": "under_routing", "value": self.target},
            "family": "risk",
            "knob": self.max_risk,
            "max_risk": self.max_risk,
            "target_under_routing": self.target,
            "is_met": self.is_met,
            "rows": self.rows,
            "achieved": self.achieved.as_dict(),
        }


def tier_risks(probabilities: FloatArray) -> FloatArray:
    """Return P(needed tier is above each tier), shape (n, 3); the last column is 0.

    >>> tier_risks(np.array([[0.5, 0.25, 0.25]])).tolist()
    [[0.5, 0.25, 0.0]]
    """
    premium = probabilities[:, 2]
    return np.column_stack([probabilities[:, 1] + premium, premium, np.zeros(len(premium))])


def chosen_by_risk(probabilities: FloatArray, max_risk: float | FloatArray) -> IntArray:
    """Return the cheapest tier whose risk is at most `max_risk` for each row, shape (n,).

    `max_risk` is one for all rows, or has shape (n,).

    >>> chosen_by_risk(np.array([[0.9, 0.05, 0.05], [0.1, 0.2, 0.7]]), 0.2).tolist()
    [0, 2]
    """
    within = tier_risks(probabilities) <= np.asarray(max_risk)[..., None]
    return np.asarray(np.argmax(within, axis=1), dtype=np.int64)


def chosen_by_expected_cost(
    probabilities: FloatArray, tier_usd: tuple[float, float, float], poor_answer_usd: float | FloatArray
) -> IntArray:
    """Return the tier of the least expected cost for each row, shape (n,); the cheaper one on a tie.

    The expected cost of a tier is its price for a prompt plus its risk times what a poor answer costs: one
    cost for all rows, or one for each, shape (n,).

    >>> chosen_by_expected_cost(np.array([[0.6, 0.3, 0.1]]), (0.001, 0.002, 0.02), 0.01).tolist()
    [1]
    """
    expected = np.asarray(tier_usd) + np.asarray(poor_answer_usd)[..., None] * tier_risks(probabilities)
    return np.asarray(np.argmin(expected, axis=1), dtype=np.int64)


def risk_curve(
    probabilities: FloatArray,
    needed: IntArray,
    weights: FloatArray,
    max_risks: FloatArray | None = None,
) -> RiskCurve:
    """Return tier shares and routing rates of the risk policy at each setting.

    Args:
        probabilities: Shape (n, 3), columns in Tier order, rows sum to 1.
        needed: The labels, shape (n,).
        weights: Sample weights, shape (n,).
        max_risks: The settings, each in [0, 1]; without them 101 even steps from 0 to 1.

    Raises:
        EvaluationError: When the arrays are not what they should be.
    """
    _check(probabilities, needed, weights)
    settings = np.linspace(0.0, 1.0, CURVE_POINTS) if max_risks is None else np.sort(max_risks)
    return RiskCurve(tuple(_point(probabilities, needed, weights, float(setting)) for setting in settings))


def largest_max_risk(
    probabilities: FloatArray,
    needed: IntArray,
    weights: FloatArray,
    under_routing: float = DEFAULT_UNDER_ROUTING,
) -> PolicyChoice:
    """Choose the largest `max_risk` that keeps under-routing at or below a target on these rows.

    A row begins to be under-routed when `max_risk` reaches the risk of the tier below its needed one. Sorting
    those risks gives the first one, r, at which the target is broken; every setting below r keeps it. Between
    r and the next lower risk of any row all settings decide alike, so the one with the fewest decimals near
    the middle of that gap is taken: it reads well, and the last bits of a probability cannot move a row.

    Args:
        probabilities: Shape (n, 3), columns in Tier order, rows sum to 1.
        needed: The labels, shape (n,).
        weights: Sample weights, shape (n,), each above 0.
        under_routing: The target, a fraction in [0, 1].

    Returns:
        The setting, 1.0 where no setting breaks the target, and what it achieves.

    Raises:
        EvaluationError: When the arrays are not what they should be or the target is no fraction.
    """
    _check(probabilities, needed, weights)
    if not 0 <= under_routing <= 1:
        raise EvaluationError(f"the under-routing target is {under_routing:g}; expected a fraction in [0, 1]")
    risks = tier_risks(probabilities)
    breaking = _first_breaking_risk(risks, needed, weights, under_routing)
    max_risk = 1.0 if breaking is None else _setting_below(breaking, risks)
    achieved = _point(probabilities, needed, weights, max_risk)
    return PolicyChoice(max_risk=max_risk, target=under_routing, achieved=achieved, rows=len(needed))


def _first_breaking_risk(
    risks: FloatArray, needed: IntArray, weights: FloatArray, under_routing: float
) -> float | None:
    can_be_under = needed > 0
    onsets = risks[can_be_under, needed[can_be_under] - 1]
    order = np.argsort(onsets, kind="stable")
    under = np.cumsum(weights[can_be_under][order]) / weights.sum()
    breaking = np.flatnonzero(under > under_routing + ROUNDING)
    return float(onsets[order][breaking[0]]) if breaking.size else None


def _setting_below(breaking: float, risks: FloatArray) -> float:
    lower = risks[risks < breaking]
    return shortest_decimal(float(lower.max()), breaking) if lower.size else 0.0


def shortest_decimal(low: float, high: float) -> float:
    """Return a number between two others, near the middle, with the fewest decimals; `low` where none fits.

    >>> shortest_decimal(0.2291, 0.2344)
    0.23
    """
    middle = low + (high - low) / 2
    for digits in range(1, 17):
        rounded = round(middle, digits)
        if low < rounded < high:
            return rounded
    return low


def _point(probabilities: FloatArray, needed: IntArray, weights: FloatArray, max_risk: float) -> RiskPoint:
    chosen = chosen_by_risk(probabilities, max_risk)
    cheap, balanced, premium = np.bincount(chosen, weights, TIERS) / weights.sum()
    return RiskPoint(
        max_risk=max_risk,
        shares=(float(cheap), float(balanced), float(premium)),
        rates=routing_rates(chosen, needed, weights),
    )


def _check(probabilities: FloatArray, needed: IntArray, weights: FloatArray) -> None:
    check_probabilities(probabilities)
    check_tiers("needed", needed)
    if not len(probabilities) == len(needed) == len(weights) > 0:
        raise EvaluationError(
            f"{len(probabilities)} probabilities, {len(needed)} labels and {len(weights)} weights; "
            "expected as many of each, and at least one"
        )
