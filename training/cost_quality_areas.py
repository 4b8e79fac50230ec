"""One figure for a whole curve of quality against dollars: APGR and CPT, the gap recovered over cost, AIQ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.aiq import aiq, non_decreasing_hull
from training.curve_resampling import Sums, estimate_of
from training.curve_shapes import ROUNDING, by_rising_x, height_at, mean_height
from training.gap_recovered import GapCurve
from training.resampling import Estimate

__all__ = ["Area", "FixedTiers", "area_of", "area_of_mix"]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Area:
    """The measures of one way to route over all settings of its knob.

    Attributes:
        key: stable name.
        title: name for people.
        apgr: RouteLLM's average performance gap recovered; None with three tiers, where it has no meaning.
        cpt50: RouteLLM's CPT(50 %), a share of strong calls in [0, 1]; likewise None.
        cpt80: CPT(80 %).
        gap_over_cost: our generalisation of APGR to any number of tiers: mean quality over the dollars from
            always-cheapest to always-dearest, as a share of the way from the one's quality to the other's.
            0.5 is what a random mix of these two reaches.
        aiq: RouterBench's AIQ over the same dollars: the mean of the non-decreasing convex hull, in [0, 1].
            The hull keeps the luckiest points: a router that knows nothing lies a little above the mix.
        over_mix: mean quality over the same dollars, of the curve as it is, less that of the random mix of
            the tiers; 0 is what a router that knows nothing reaches. None for the mix itself.
    """

    key: str
    title: str
    apgr: Estimate | None
    cpt50: Estimate | None
    cpt80: Estimate | None
    gap_over_cost: Estimate
    aiq: Estimate
    over_mix: Estimate | None

    def as_dict(self) -> dict[str, object]:
        """Return the measures under stable keys, ready for JSON."""
        named = {
            "apgr": self.apgr,
            "cpt_50": self.cpt50,
            "cpt_80": self.cpt80,
            "gap_recovered_over_cost": self.gap_over_cost,
            "aiq": self.aiq,
            "quality_over_random_mix": self.over_mix,
        }
        return {"key": self.key, "title": self.title} | {
            name: None if estimate is None else estimate.as_dict() for name, estimate in named.items()
        }


@dataclass(frozen=True, slots=True, eq=False)
class FixedTiers:
    """Every prompt to one tier, for each tier; and the random mixes of them, which need no model.

    Attributes:
        usd: US dollars per 1,000 prompts, shape (1 + resamples, n_tiers), as in `Sums`.
        quality: mean score, likewise.
    """

    usd: FloatArray
    quality: FloatArray

    @classmethod
    def of(cls, sums: Sums) -> FixedTiers:
        """Read them off the sums of `fixed_family`."""
        return cls(sums.usd, sums.quality)

    @property
    def gap(self) -> FloatArray:
        """Quality of the dearest tier less that of the cheapest, shape (1 + resamples,)."""
        return np.asarray(self.quality[:, -1] - self.quality[:, 0], dtype=np.float64)

    def mix(self) -> tuple[FloatArray, FloatArray]:
        """Return the corners of the best random mixes, dollars and quality: the hull of the fixed tiers.

        A mix sends each prompt to one tier or another by lot, and costs no more than it must: where a dearer
        tier is no better, more money buys nothing.
        """
        return non_decreasing_hull(self.usd, self.quality)

    def mix_quality(self, usd: FloatArray) -> FloatArray:
        """Return what the best random mix reaches for the same money, shape (1 + resamples,).

        NaN for less money than the cheapest tier takes.
        """
        return height_at(*self.mix(), usd)

    def joined(self, sums: Sums) -> tuple[FloatArray, FloatArray]:
        """Return a curve's dollars and quality with the cheapest and the dearest tier for its ends.

        Whoever routes can also route everything to either; a curve of one point becomes two lines.
        """
        ends = np.array([0, -1])
        usd = np.concatenate([self.usd[:, ends], sums.usd], axis=1)
        return by_rising_x(usd, np.concatenate([self.quality[:, ends], sums.quality], axis=1))

    def mean_quality(self, usd: FloatArray, quality: FloatArray) -> FloatArray:
        """Return the mean quality over the dollars from cheapest to dearest tier, shape (1 + resamples,).

        NaN where the dearest tier is not the dearer one.
        """
        return mean_height(usd, quality, self.usd[:, 0], self.usd[:, -1])

    def gap_over_cost(self, usd: FloatArray, quality: FloatArray) -> FloatArray:
        """Return the share of the gap recovered over dollars, shape (1 + resamples,); see `Area`.

        NaN where the dearest tier is not the better one, or not the dearer one.
        """
        whole = np.where(self.gap > ROUNDING, self.gap, np.nan)
        above = self.mean_quality(usd, quality) - self.quality[:, 0]
        return np.asarray(above / whole, dtype=np.float64)

    def aiq(self, usd: FloatArray, quality: FloatArray) -> FloatArray:
        """Return AIQ between the dollars of the cheapest and of the dearest tier, shape (1 + resamples,)."""
        return aiq(usd, quality, self.usd[:, 0], self.usd[:, -1])


def area_of(key: str, title: str, curve: Sums, fixed: FixedTiers, deciles: Sums | None) -> Area:
    """Return the measures of a curve.

    APGR's thresholds are the deciles on all prompts, in every draw: what is resampled is the prompts, not the
    router's settings.

    Args:
        key: stable name.
        title: name for people.
        curve: its means at each setting.
        fixed: the tiers by themselves, over the same draws.
        deciles: its eleven points by RouteLLM's rule; None where APGR is not to be had.
    """
    usd, quality = fixed.joined(curve)
    gaps = None if deciles is None else _gap_curve(deciles, fixed)
    return Area(
        key,
        title,
        None if gaps is None else estimate_of(gaps.apgr()),
        None if gaps is None else estimate_of(gaps.cpt(0.5)),
        None if gaps is None else estimate_of(gaps.cpt(0.8)),
        estimate_of(fixed.gap_over_cost(usd, quality)),
        estimate_of(fixed.aiq(usd, quality)),
        estimate_of(fixed.mean_quality(usd, quality) - fixed.mean_quality(*fixed.mix())),
    )


def area_of_mix(fixed: FixedTiers) -> Area:
    """Return the measures of the best random mixes of the tiers.

    With two tiers APGR is 0.5, CPT(50 %) 0.5 and CPT(80 %) 0.8, whichever way the lot falls.
    """
    two_tier = fixed.usd.shape[1] == 2
    straight = np.where(fixed.gap > ROUNDING, 1.0, np.nan)
    usd, quality = fixed.mix()
    return Area(
        "random_mix",
        "random mix",
        estimate_of(0.5 * straight) if two_tier else None,
        estimate_of(0.5 * straight) if two_tier else None,
        estimate_of(0.8 * straight) if two_tier else None,
        estimate_of(fixed.gap_over_cost(usd, quality)),
        estimate_of(fixed.aiq(usd, quality)),
        None,
    )


def _gap_curve(deciles: Sums, fixed: FixedTiers) -> GapCurve:
    return GapCurve(deciles.dearest, deciles.quality, fixed.quality[:, 0], fixed.quality[:, -1])
