"""What a policy is to achieve, and which setting of a family does."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np

from training.errors import EvaluationError, TargetNotMet
from training.routed_rows import FloatArray
from training.routing_figures import RoutingFigures

__all__ = [
    "Axis",
    "PremiumShare",
    "Quality",
    "Target",
    "UsdPer1000",
    "check_share",
    "rounded_up",
]

Axis: TypeAlias = Literal["quality", "dollars"]
"""By what the better of two policies that meet a target is told: the higher quality, or the fewer dollars."""

ROUNDING = 1e-12  # a share of exactly a fifth is at most 0.2, whatever its sums round to


NO_PROMISE = (
    "No promise: the setting meets the target on the calibration prompts, and may miss it elsewhere; "
    "see the held-out figures and their intervals."
)


class Target(Protocol):
    """What a policy is to achieve on the calibration rows."""

    @property
    def kind(self) -> str:
        """Its name in the model file."""

    @property
    def better_by(self) -> Axis:
        """By what to choose between families that meet it."""

    @property
    def is_promise(self) -> bool:
        """Whether it holds for prompts to come, with a known error, and not just where it was chosen."""

    def pick(self, path: RoutingFigures, families: int) -> int:
        """Return the place of the setting that meets the target.

        Args:
            path: Figures on the calibration rows at each setting, safest first.
            families: How many families are tried on the same rows; a promise must hold for all of them.

        Raises:
            TargetNotMet: With the nearest target that can be met.
        """

    def describe(self) -> str:
        """Return the target in words."""

    def guarantee(self) -> str:
        """Return in words what is promised, or that nothing is."""

    def as_dict(self) -> dict[str, object]:
        """Return the target under stable keys, for the model file."""


@dataclass(frozen=True, slots=True)
class PremiumShare:
    """At most such a share of prompts goes to premium, and as near to it as the settings allow."""

    share: float
    kind: str = "premium_share"
    better_by: Axis = "quality"
    is_promise: bool = False

    def __post_init__(self) -> None:
        check_share("the premium share", self.share)

    def pick(self, path: RoutingFigures, families: int) -> int:  # noqa: ARG002
        """Return the safest setting within the share."""
        return _safest_within(path.premium_share, self.share, self.describe(), "the least premium share is")

    def describe(self) -> str:
        """Return the target in words."""
        return f"a premium share of at most {self.share:g}"

    def guarantee(self) -> str:
        """Return that nothing is promised."""
        return NO_PROMISE

    def as_dict(self) -> dict[str, object]:
        """Return the target under stable keys."""
        return {"kind": self.kind, "value": self.share}


@dataclass(frozen=True, slots=True)
class UsdPer1000:
    """At most so many US dollars per 1,000 prompts, and as near to it as the settings allow."""

    usd: float
    kind: str = "usd_per_1000_prompts"
    better_by: Axis = "quality"
    is_promise: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.usd) and self.usd >= 0):
            raise EvaluationError(f"the budget is {self.usd:g}; expected US dollars of 0 or more")

    def pick(self, path: RoutingFigures, families: int) -> int:  # noqa: ARG002
        """Return the safest setting within the dollars."""
        return _safest_within(path.usd_per_1000_prompts, self.usd, self.describe(), "the least is USD")

    def describe(self) -> str:
        """Return the target in words."""
        return f"at most USD {self.usd:g} per 1,000 prompts"

    def guarantee(self) -> str:
        """Return that nothing is promised."""
        return NO_PROMISE

    def as_dict(self) -> dict[str, object]:
        """Return the target under stable keys."""
        return {"kind": self.kind, "value": self.usd}


@dataclass(frozen=True, slots=True)
class Quality:
    """At least such a fraction of always-premium's mean quality, for the fewest dollars."""

    fraction: float
    kind: str = "quality_of_premium"
    better_by: Axis = "dollars"
    is_promise: bool = False

    def __post_init__(self) -> None:
        check_share("the quality", self.fraction)

    def pick(self, path: RoutingFigures, families: int) -> int:  # noqa: ARG002
        """Return the cheapest setting with the quality, the safest of those that cost the same."""
        quality = path.quality_of_premium
        if not np.isfinite(quality).all():
            raise TargetNotMet("premium's mean quality here is 0, so no fraction of it can be had", 0.0)
        enough = quality >= self.fraction - ROUNDING
        if not enough.any():
            most = float(quality.max())
            raise TargetNotMet(
                f"{self.describe()} cannot be had: the most is {-rounded_up(-most):g} on the calibration "
                "prompts",
                -most,
            )
        return int(np.argmin(np.where(enough, path.usd_per_1000_prompts, np.inf)))

    def describe(self) -> str:
        """Return the target in words."""
        return f"a quality of at least {self.fraction:g} of always-premium's"

    def guarantee(self) -> str:
        """Return that nothing is promised."""
        return NO_PROMISE

    def as_dict(self) -> dict[str, object]:
        """Return the target under stable keys."""
        return {"kind": self.kind, "value": self.fraction}


def _safest_within(values: FloatArray, most: float, target: str, least_words: str) -> int:
    within = np.flatnonzero(values <= most + ROUNDING)
    if not within.size:
        least = float(values.min())
        raise TargetNotMet(
            f"{target} cannot be had: {least_words} {rounded_up(least):g} on the calibration prompts", least
        )
    return int(within[0])


def rounded_up(value: float) -> float:
    """Return the next number up with four digits, so that asking for it can be met.

    >>> rounded_up(0.00765332), rounded_up(-0.98765)
    (0.007654, -0.9876)
    """
    if not value:
        return 0.0
    digits = 3 - math.floor(math.log10(abs(value)))
    return math.ceil(value * 10.0**digits) / 10.0**digits


def check_share(what: str, value: float) -> None:
    """Refuse what is no fraction.

    Raises:
        EvaluationError: When the value does not lie in [0, 1].
    """
    if not 0 <= value <= 1:
        raise EvaluationError(f"{what} is {value:g}; expected a fraction in [0, 1]")
