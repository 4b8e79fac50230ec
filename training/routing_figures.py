"""What a policy achieves on prompts, as one reads it: under-routing, quality, dollars and tier shares.

Every figure is a ratio of sums over prompts. So the sums serve three times: on all rows for the figure, over
bootstrap draws for its interval, and along a policy's knob for the whole trade.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.costs import PROMPTS_PER_FIGURE
from training.policy_families import PolicyFamily, crossings
from training.resampling import Estimate, json_number, percentile_interval, resampled_sums
from training.routed_rows import TIER_NAMES, TIERS, FloatArray, IntArray
from training.tuning_rows import TuningRows

__all__ = [
    "FIGURES",
    "RoutingFigures",
    "estimates",
    "figures_along",
    "routing_figures",
    "tier_columns",
]

UNDER, QUALITY, PREMIUM_QUALITY, USD, PROMPTS = range(TIERS, TIERS + 5)
COLUMNS = TIERS + 5

FIGURES = ("under_routing", "quality_of_premium", "usd_per_1000_prompts", "premium_share")
"""The names of the figures that get an interval, in the order of reports."""


@dataclass(frozen=True, slots=True, eq=False)
class RoutingFigures:
    """Figures from sums over prompts; each has the shape of the sums without their last axis.

    Attributes:
        sums: Shape (..., 8): prompts answered by each tier, under-routed, quality, premium's quality, US
            dollars, prompts.
    """

    sums: FloatArray

    @property
    def prompts(self) -> FloatArray:
        """How many prompts there are."""
        return self.sums[..., PROMPTS]

    @property
    def shares(self) -> FloatArray:
        """Share of prompts that each tier answers, shape (..., 3)."""
        return self.sums[..., :TIERS] / self.sums[..., PROMPTS, None]

    @property
    def premium_share(self) -> FloatArray:
        """Share of prompts that premium answers."""
        return self.sums[..., TIERS - 1] / self.prompts

    @property
    def under_routed(self) -> FloatArray:
        """How many prompts are answered by too low a tier."""
        return self.sums[..., UNDER]

    @property
    def under_routing(self) -> FloatArray:
        """Share of prompts answered by too low a tier."""
        return self.sums[..., UNDER] / self.prompts

    @property
    def quality_of_premium(self) -> FloatArray:
        """Mean quality as a fraction of always-premium's; NaN where premium has none."""
        premium = self.sums[..., PREMIUM_QUALITY]
        return np.divide(
            self.sums[..., QUALITY], premium, out=np.full_like(premium, np.nan), where=premium > 0
        )

    @property
    def usd_per_1000_prompts(self) -> FloatArray:
        """US dollars per 1,000 prompts."""
        return self.sums[..., USD] / self.prompts * PROMPTS_PER_FIGURE

    def at(self, place: int) -> RoutingFigures:
        """Return the figures of one setting."""
        return RoutingFigures(self.sums[place])

    def as_dict(self) -> dict[str, object]:
        """Return the figures of one setting under stable keys, ready for JSON."""
        shares = dict(zip(TIER_NAMES, map(float, self.shares), strict=True))
        return {"rows": int(self.prompts), "shares": shares} | {
            name: json_number(float(getattr(self, name))) for name in FIGURES
        }


def tier_columns(rows: TuningRows) -> FloatArray:
    """Return what each tier, if asked, would add to the sums, shape (n, 3, 8)."""
    columns = np.empty((len(rows), TIERS, COLUMNS))
    columns[..., :TIERS] = np.eye(TIERS)[rows.answered]
    columns[..., UNDER] = rows.under
    columns[..., QUALITY] = rows.quality
    columns[..., PREMIUM_QUALITY] = rows.premium_quality[:, None]
    columns[..., USD] = rows.usd
    columns[..., PROMPTS] = 1.0
    return columns


def routing_figures(rows: TuningRows, chosen: IntArray) -> RoutingFigures:
    """Return the figures of a choice of tiers, shape (n,)."""
    return RoutingFigures(_chosen_columns(rows, chosen).sum(axis=0))


def estimates(rows: TuningRows, chosen: IntArray, *, resamples: int, seed: int) -> dict[str, Estimate]:
    """Return `FIGURES` of a choice of tiers, shape (n,), with 95 % bootstrap intervals."""
    columns = _chosen_columns(rows, chosen)
    found = RoutingFigures(columns.sum(axis=0))
    drawn = RoutingFigures(resampled_sums(columns, resamples=resamples, seed=seed))
    return {
        name: Estimate(float(getattr(found, name)), *percentile_interval(getattr(drawn, name)))
        for name in FIGURES
    }


def figures_along(rows: TuningRows, family: PolicyFamily) -> RoutingFigures:
    """Return the figures of a family at each of its knobs, safest first, in one pass over the rows."""
    columns = tier_columns(rows)
    to_balanced, to_cheap = crossings(family, rows.probabilities).T
    knobs = len(family.knobs)
    changes = _summed_at(to_balanced, columns[:, 1] - columns[:, 2], knobs)
    changes += _summed_at(to_cheap, columns[:, 0] - columns[:, 1], knobs)
    return RoutingFigures(columns[:, 2].sum(axis=0) + np.cumsum(changes, axis=0))


def _chosen_columns(rows: TuningRows, chosen: IntArray) -> FloatArray:
    return np.asarray(tier_columns(rows)[np.arange(len(rows)), chosen])


def _summed_at(places: IntArray, values: FloatArray, knobs: int) -> FloatArray:
    """Sum values, shape (n, k), by the place of the knob at which they come in, shape (knobs, k)."""
    each = [np.bincount(places, column, knobs + 1)[:knobs] for column in values.T]
    return np.column_stack(each)
