"""Dollars for a share of premium's quality."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.cost_quality_areas import FixedTiers
from training.curve_resampling import estimate_of
from training.curve_shapes import by_rising_x, first_crossing
from training.resampling import Estimate

__all__ = ["TARGETS", "Price", "Target", "targets"]

FloatArray = npt.NDArray[np.float64]
Curves = Mapping[str, tuple[FloatArray, FloatArray]]

TARGETS = (0.90, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Price:
    """The least dollars at which one way to route reaches a target.

    Attributes:
        key: of the way to route.
        usd_per_1000: US dollars per 1,000 prompts; NaN where the target is not reached.
        reached: share of the bootstrap draws that reach it, in [0, 1]; the interval rests on these alone.
        under_premium: what is saved, as a share of the dollars of always the dearest tier.
        under_balanced: the same against always balanced, negative where it is dearer; None where balanced is
            not a tier between two others.
    """

    key: str
    usd_per_1000: Estimate
    reached: float
    under_premium: Estimate
    under_balanced: Estimate | None

    @property
    def is_reached(self) -> bool:
        """Whether the target is reached on all prompts."""
        return bool(np.isfinite(self.usd_per_1000.value))

    def as_dict(self) -> dict[str, object]:
        """Return the price under stable keys, ready for JSON; None stands for what is not reached."""
        balanced = self.under_balanced
        return {
            "key": self.key,
            "usd_per_1000_prompts": self.usd_per_1000.as_dict(),
            "reached_in_share_of_resamples": self.reached,
            "saved_against_always_premium": self.under_premium.as_dict(),
            "saved_against_always_balanced": None if balanced is None else balanced.as_dict(),
        }


@dataclass(frozen=True, slots=True)
class Target:
    """A share of the dearest tier's quality, and what each way to route pays for it.

    Attributes:
        share: of the dearest tier's mean score, in [0, 1].
        quality: the mean score to reach.
        prices: one for each way to route.
    """

    share: float
    quality: float
    prices: tuple[Price, ...]

    def price(self, key: str) -> Price:
        """Return the price of one way to route."""
        return next(price for price in self.prices if price.key == key)

    def as_dict(self) -> dict[str, object]:
        """Return the target under stable keys, ready for JSON."""
        return {
            "share_of_premium_quality": self.share,
            "quality": self.quality,
            "prices": [price.as_dict() for price in self.prices],
        }


def targets(curves: Curves, fixed: FixedTiers) -> tuple[Target, ...]:
    """Return what each curve pays for 90, 95 and 99 % of the dearest tier's quality.

    A curve is taken as straight between neighbouring settings, in order of their dollars: two of them mixed
    by lot give what lies between. The least dollars at which it reaches the target count, even where it falls
    below the target again further on.

    Args:
        curves: dollars and quality, each shape (1 + resamples, n_settings), by key.
        fixed: the tiers by themselves, over the same draws.
    """
    return tuple(_target(share, curves, fixed) for share in TARGETS)


def _target(share: float, curves: Curves, fixed: FixedTiers) -> Target:
    level = share * fixed.quality[:, -1]
    return Target(share, float(level[0]), tuple(_prices(level, curves, fixed)))


def _prices(level: FloatArray, curves: Curves, fixed: FixedTiers) -> Iterator[Price]:
    for key, (usd, quality) in curves.items():
        least = first_crossing(*by_rising_x(usd, quality), level)
        three_tier = fixed.usd.shape[1] == 3
        yield Price(
            key,
            estimate_of(least),
            float(np.isfinite(least[1:]).mean()),
            estimate_of(_saved(least, fixed.usd[:, -1])),
            estimate_of(_saved(least, fixed.usd[:, 1])) if three_tier else None,
        )


def _saved(usd: FloatArray, against: FloatArray) -> FloatArray:
    ratio = np.divide(usd, against, out=np.full_like(usd, np.nan), where=against > 0)
    return np.asarray(1.0 - ratio, dtype=np.float64)
