"""Policies with one knob, and where each prompt changes its tier as the knob is turned.

A family's knob goes over a fixed grid from the safest setting (all but everything to premium) to the
boldest (everything to cheap). The grid depends on no labelled row, which is what the promises of
`training.risk_control` rest on. Turning the knob towards bold never raises any prompt's tier: for the risk
policy by its definition; for the expected cost because risks fall from tier to tier, so that a dearer poor
answer favours the higher ones (monotone comparative statics: Topkis, 1978).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from classifier import ExpectedCostPolicy, Policy, RiskPolicy
from training.policy_choice import chosen_by_expected_cost, chosen_by_risk
from training.routed_rows import FloatArray, IntArray

__all__ = ["ExpectedCostFamily", "PolicyFamily", "RiskFamily", "crossings"]

KNOBS = 4001
WIDEST_LOG_ODDS = 12.0
DEAREST = (
    1e4  # a poor answer that costs so many premium answers buys premium at a risk of one in ten thousand
)


class PolicyFamily(Protocol):
    """Policies that differ by one number."""

    @property
    def key(self) -> str:
        """The family's name on the command line and in JSON."""

    @property
    def knobs(self) -> FloatArray:
        """The settings, safest first, shape (n_knobs,)."""

    def policy(self, knob: float) -> Policy:
        """Return the policy at a setting."""

    def chosen(self, probabilities: FloatArray, knob: float | FloatArray) -> IntArray:
        """Return what that policy chooses, shape (n,); `knob` is one for all rows, or has shape (n,)."""


@dataclass(frozen=True, slots=True, eq=False)
class RiskFamily:
    """The cheapest tier within a risk.

    Attributes:
        knobs: Each `max_risk` from 0 to 1 by thousandths, and finer steps, even in log-odds, towards the
            ends, where a model that is sure of itself has all its prompts.
    """

    knobs: FloatArray = field(default_factory=lambda: _risk_grid())
    key: str = "risk"

    def policy(self, knob: float) -> Policy:
        """Return the risk policy at a `max_risk`."""
        return RiskPolicy(float(knob))

    def chosen(self, probabilities: FloatArray, knob: float | FloatArray) -> IntArray:
        """Return the cheapest tier within the risk."""
        return chosen_by_risk(probabilities, knob)


@dataclass(frozen=True, slots=True, eq=False)
class ExpectedCostFamily:
    """The tier of least expected cost; the knob is what a poor answer costs, in US dollars.

    Attributes:
        tier_usd: US dollars for one answer from each tier, in Tier order.
        knobs: From ten thousand times the widest gap between prices down to the narrowest in even ratios,
            each rounded to four digits, then 0.
    """

    tier_usd: tuple[float, float, float]
    knobs: FloatArray = field(init=False)
    key: str = "expected-cost"

    def __post_init__(self) -> None:
        gaps = np.abs(np.subtract.outer(self.tier_usd, self.tier_usd))
        wide, narrow = (gaps.max(), gaps[gaps > 0].min()) if gaps.any() else (1.0, 1.0)
        ratios = np.geomspace(wide * DEAREST, narrow, KNOBS - 1)
        object.__setattr__(self, "knobs", np.array([*(float(f"{usd:.4g}") for usd in ratios), 0.0]))

    def policy(self, knob: float) -> Policy:
        """Return the expected-cost policy for a poor answer at that many dollars."""
        return ExpectedCostPolicy(self.tier_usd, float(knob))

    def chosen(self, probabilities: FloatArray, knob: float | FloatArray) -> IntArray:
        """Return the tier of least expected cost."""
        return chosen_by_expected_cost(probabilities, self.tier_usd, knob)


def _risk_grid() -> FloatArray:
    odds = np.exp(np.linspace(-WIDEST_LOG_ODDS, WIDEST_LOG_ODDS, KNOBS))
    fine = [float(f"{risk:.4g}") for risk in odds / (1 + odds)]
    return np.unique([*fine, *(np.arange(1001) / 1000)])


def crossings(family: PolicyFamily, probabilities: FloatArray) -> IntArray:
    """Return the first knob, by its place in the grid, at which each row gets at most balanced, and cheap.

    Since turning the knob never raises a tier, these two places tell a row's whole path; they are found by
    bisection.

    Returns:
        Shape (n, 2), values 0 to n_knobs; n_knobs where it never comes to that.
    """
    return np.column_stack([_first_at_most(family, probabilities, tier) for tier in (1, 0)])


def _first_at_most(family: PolicyFamily, probabilities: FloatArray, tier: int) -> IntArray:
    knobs = family.knobs
    low = np.zeros(len(probabilities), dtype=np.int64)
    high = np.full(len(probabilities), len(knobs), dtype=np.int64)
    while (is_open := low < high).any():
        middle = np.where(is_open, (low + high) // 2, 0)
        reached = family.chosen(probabilities, knobs[middle]) <= tier
        high = np.where(is_open & reached, middle, high)
        low = np.where(is_open & ~reached, middle + 1, low)
    return low
