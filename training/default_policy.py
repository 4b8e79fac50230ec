"""The expected-cost policy that keeps under-routing within a target: a candidate for what `train` stores.

The risk policy treats the step from cheap to balanced like the one from balanced to premium. At prices of
0.25, 0.28 and 2.50 the first costs next to nothing and the second ninefold, and a policy that knows it
under-routes less for the same dollars. What it gives up is cheap's saving, which is small at these prices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from classifier import ExpectedCostPolicy
from training.errors import EvaluationError
from training.metrics import RoutingRates, routing_rates
from training.policy_choice import DEFAULT_UNDER_ROUTING, ROUNDING
from training.policy_families import ExpectedCostFamily, crossings
from training.routed_rows import TIERS, FloatArray, IntArray, RoutedRows

__all__ = ["CostChoice", "least_poor_answer_usd"]


@dataclass(frozen=True, slots=True)
class CostChoice:
    """What a poor answer is taken to cost, chosen on labelled rows, and what that achieves there.

    Attributes:
        policy: The policy.
        target: The under-routing that was to be kept, a fraction in [0, 1].
        shares: Weighted share of rows that each tier gets, in Tier order.
        rates: Under-routing, over-routing and their kin, on the rows that it was chosen on.
        rows: How many rows those were.
    """

    policy: ExpectedCostPolicy
    target: float
    shares: tuple[float, float, float]
    rates: RoutingRates
    rows: int

    @property
    def is_met(self) -> bool:
        """Whether the target is kept."""
        return self.rates.under <= self.target + ROUNDING

    def as_dict(self) -> Mapping[str, object]:
        """Return the choice under stable keys, the ones that `PolicyChoice` and `tune` use."""
        return {
            "target": {"kind": "under_routing", "value": self.target},
            "family": "expected-cost",
            "knob": self.policy.poor_answer_usd,
            "target_under_routing": self.target,
            "is_met": self.is_met,
            "rows": self.rows,
            "achieved": {"shares": list(self.shares), **self.rates.as_dict()},
        }


def least_poor_answer_usd(
    rows: RoutedRows,
    tier_usd: tuple[float, float, float],
    under_routing: float = DEFAULT_UNDER_ROUTING,
) -> CostChoice:
    """Choose the least cost of a poor answer at which under-routing keeps within a target on these rows.

    The counterpart of `policy_choice.largest_max_risk`; a lower cost never makes any row's tier higher.

    Args:
        rows: The labelled rows, with their weights.
        tier_usd: US dollars for one answer from each tier; only their ratios to a poor answer's matter.
        under_routing: The target, a fraction in [0, 1].

    Returns:
        The choice; where even the dearest poor answer on the grid breaks the target, that one, not met.

    Raises:
        EvaluationError: When the target is no fraction.
    """
    if not 0 <= under_routing <= 1:
        raise EvaluationError(f"the under-routing target is {under_routing:g}; expected a fraction in [0, 1]")
    family = ExpectedCostFamily(tier_usd)
    under = _under_routing_along(rows, family)
    within = np.flatnonzero(under <= under_routing + ROUNDING)
    knob = float(family.knobs[within[-1] if within.size else 0])
    chosen = family.chosen(rows.probabilities, knob)
    cheap, balanced, premium = np.bincount(chosen, rows.weights, TIERS) / rows.weights.sum()
    return CostChoice(
        ExpectedCostPolicy(tier_usd, knob),
        under_routing,
        (float(cheap), float(balanced), float(premium)),
        routing_rates(chosen, rows.needed, rows.weights),
        len(rows),
    )


def _under_routing_along(rows: RoutedRows, family: ExpectedCostFamily) -> FloatArray:
    """Return the weighted share of under-routed rows at each knob, safest first; it only grows."""
    knobs = len(family.knobs)
    never = np.full(len(rows), knobs, dtype=np.int64)
    to_balanced, to_cheap = crossings(family, rows.probabilities).T
    onsets: IntArray = np.choose(rows.needed, [never, to_cheap, to_balanced])
    under = np.bincount(onsets, rows.weights, knobs + 1)[:knobs]
    return np.asarray(np.cumsum(under) / rows.weights.sum(), dtype=np.float64)
