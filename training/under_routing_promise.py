"""The target that is a promise: under-routing of at most so much, on prompts to come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.errors import EvaluationError, TargetNotMet
from training.policy_targets import Axis, check_share, rounded_up
from training.risk_control import (
    boldest_passed,
    passes_on_average,
    passes_with_confidence,
    rows_for_promise,
    upper_bound,
)
from training.routed_rows import IntArray
from training.routing_figures import RoutingFigures

__all__ = ["MaxUnderRouting"]


@dataclass(frozen=True, slots=True)
class MaxUnderRouting:
    """A promise: the share of prompts answered by too low a tier is at most so much.

    Attributes:
        share: In [0, 1].
        confidence: How likely the promise is to hold, in (0, 1); None for the promise on average.

    Raises:
        EvaluationError: When one of them is out of its range.
    """

    share: float
    confidence: float | None = 0.9
    kind: str = "max_under_routing"
    better_by: Axis = "dollars"
    is_promise: bool = True

    def __post_init__(self) -> None:
        check_share("the under-routing to keep", self.share)
        if self.confidence is not None and not 0 < self.confidence < 1:
            raise EvaluationError(f"the confidence is {self.confidence:g}; expected a number between 0 and 1")

    def pick(self, path: RoutingFigures, families: int) -> int:
        """Return the boldest setting by fixed-sequence testing, or the boldest by conformal risk control."""
        rows, errors = int(path.at(0).prompts), _errors(path)
        confidence = self.of_one_test(families)
        if confidence is None:
            passes = passes_on_average(errors, rows, self.share)
        else:
            passes = passes_with_confidence(errors, rows, self.share, confidence)
        place = boldest_passed(passes)
        if place is None:
            raise self._not_met(int(errors[0]), rows, confidence)
        return place

    def bound(self, figures: RoutingFigures, families: int) -> float:
        """Return what the calibration rows show at a setting: the upper bound, or the corrected mean."""
        return _bound(int(_errors(figures)), int(figures.prompts), self.of_one_test(families))

    def of_one_test(self, families: int) -> float | None:
        """Return the confidence of one family's test: the error is shared out evenly (Bonferroni)."""
        return None if self.confidence is None else 1 - (1 - self.confidence) / families

    def describe(self) -> str:
        """Return the target in words."""
        how = "on average" if self.confidence is None else f"with confidence {self.confidence:g}"
        return f"under-routing of at most {self.share:g}, {how}"

    def guarantee(self) -> str:
        """Return in words what is promised, and under which condition."""
        if self.confidence is None:
            what = (
                f"The next prompt is under-routed with a probability of at most {self.share:g}, averaged "
                "over draws of calibration prompts (conformal risk control)."
            )
        else:
            what = (
                f"The true share of under-routed prompts is at most {self.share:g} in at least "
                f"{self.confidence * 100:.4g} % of draws of calibration prompts (exact binomial bound, "
                "settings tested from the safest on)."
            )
        return (
            f"{what} It holds for prompts drawn as these were (exchangeable), each distinct one counting "
            "once; it says nothing of traffic that has changed."
        )

    def as_dict(self) -> dict[str, object]:
        """Return the target under stable keys."""
        form = "on average" if self.confidence is None else "with confidence"
        return {"kind": self.kind, "value": self.share, "promise": form, "confidence": self.confidence}

    def _not_met(self, errors: int, rows: int, confidence: float | None) -> TargetNotMet:
        least = _bound(errors, rows, confidence)
        enough = rows_for_promise(errors / rows, self.share, confidence)
        why = f"the safest setting under-routes {errors} of these" if errors else "nobody can promise none"
        hint = (
            f"or give {2 * enough:,} prompts or more, half of which calibrate"
            if enough
            else f"and more prompts would not help, for {why}"
        )
        return TargetNotMet(
            f"{self.describe()}, cannot be promised with {rows:,} calibration prompts: the least is "
            f"{rounded_up(least):g}; ask for that, {hint}",
            least,
        )


def _bound(errors: int, rows: int, confidence: float | None) -> float:
    if confidence is None:
        return (errors + 1) / (rows + 1)
    return float(upper_bound(errors, rows, confidence))


def _errors(figures: RoutingFigures) -> IntArray:
    return np.asarray(np.rint(figures.under_routed), dtype=np.int64)
