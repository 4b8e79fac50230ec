"""How far predicted probabilities can be taken at their word.

scikit-learn has reliability curves for two classes, but no expected calibration error; these are the usual
definitions, with sample weights.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.routed_rows import TIERS, FloatArray, IntArray

__all__ = [
    "CALIBRATION_BINS",
    "Calibration",
    "ReliabilityBin",
    "calibration_of",
    "chance_calibration_errors",
    "classwise_calibration_error",
    "expected_calibration_error",
    "reliability_bins",
]

CALIBRATION_BINS = 15
CHANCE_DRAWS = 1000


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """The rows whose top probability lies in one bin.

    Attributes:
        above: Lower edge of the bin, left out, a probability.
        to: Upper edge, kept in, a probability.
        share: Weighted share of all rows, in [0, 1].
        confidence: Their weighted mean top probability; None in an empty bin.
        accuracy: The weighted share of them whose most probable tier is the needed one; None in an empty bin.
        rows: How many rows.
    """

    above: float
    to: float
    share: float
    confidence: float | None
    accuracy: float | None
    rows: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far probabilities can be taken at their word.

    Attributes:
        error: Top-label expected calibration error over 15 equal-width bins (Guo et al. 2017), in [0, 1].
        by_chance: What a perfectly calibrated model would show on these rows on average.
        by_chance_high: What it would exceed in one case of twenty.
        classwise: The mean calibration error of the three tiers' own probabilities.
        bins: The bins of the top-label error, lowest first.
    """

    error: float
    by_chance: float
    by_chance_high: float
    classwise: float
    bins: tuple[ReliabilityBin, ...]

    def as_dict(self) -> dict[str, object]:
        """Return the errors and bins under stable keys, ready for JSON."""
        return {
            "expected_calibration_error": self.error,
            "definition": "top label, 15 equal-width bins (Guo et al. 2017)",
            "by_chance_mean": self.by_chance,
            "by_chance_95th_percentile": self.by_chance_high,
            "classwise_calibration_error": self.classwise,
            "bins": [
                {
                    "above": part.above,
                    "to": part.to,
                    "rows": part.rows,
                    "share": part.share,
                    "confidence": part.confidence,
                    "accuracy": part.accuracy,
                }
                for part in self.bins
            ],
        }


def calibration_of(
    probabilities: FloatArray, needed: IntArray, weights: FloatArray, *, seed: int
) -> Calibration:
    """Return the calibration errors of shape (n, 3) probabilities, with what chance alone would show."""
    by_chance = chance_calibration_errors(probabilities, weights, draws=CHANCE_DRAWS, seed=seed)
    return Calibration(
        error=expected_calibration_error(probabilities, needed, weights),
        by_chance=float(by_chance.mean()),
        by_chance_high=float(np.quantile(by_chance, 0.95)),
        classwise=classwise_calibration_error(probabilities, needed, weights),
        bins=reliability_bins(probabilities, needed, weights),
    )


def expected_calibration_error(
    probabilities: FloatArray, needed: IntArray, weights: FloatArray, bins: int = CALIBRATION_BINS
) -> float:
    """Return the top-label expected calibration error, in [0, 1].

    Rows fall into equal-width bins of (0, 1] by the probability of their most probable tier; the error is the
    sum over bins of (share of rows) * |accuracy - mean top probability|. Source: Guo, Pleiss, Sun and
    Weinberger, "On Calibration of Modern Neural Networks", ICML 2017, equation 3, with their 15 bins.
    """
    hits = np.argmax(probabilities, axis=1) == needed
    return _binned_gap(probabilities.max(axis=1), hits.astype(np.float64), weights, bins)


def classwise_calibration_error(
    probabilities: FloatArray, needed: IntArray, weights: FloatArray, bins: int = CALIBRATION_BINS
) -> float:
    """Return the calibration error of each tier's own probability, averaged over the tiers, in [0, 1].

    Unlike the top-label error it also sees the probabilities that policies compare. Source: Kull and others,
    "Beyond temperature scaling", NeurIPS 2019, section 2, with equal-width bins.
    """
    gaps = [
        _binned_gap(probabilities[:, tier], (needed == tier).astype(np.float64), weights, bins)
        for tier in range(TIERS)
    ]
    return float(np.mean(gaps))


def chance_calibration_errors(
    probabilities: FloatArray, weights: FloatArray, *, draws: int, seed: int, bins: int = CALIBRATION_BINS
) -> FloatArray:
    """Return the top-label errors that a perfectly calibrated model would show on such rows, shape (draws,).

    The error is a sum of absolute values, so that it is above 0 by chance alone, the more so with few rows.
    Labels are drawn from the probabilities themselves: consistency resampling, after Broecker and Smith,
    "Increasing the Reliability of Reliability Diagrams", Weather and Forecasting 2007.
    """
    random = np.random.default_rng(seed)
    confidence = probabilities.max(axis=1)
    hits = (random.random(len(confidence)) < confidence for _ in range(draws))
    return np.array([_binned_gap(confidence, hit.astype(np.float64), weights, bins) for hit in hits])


def reliability_bins(
    probabilities: FloatArray, needed: IntArray, weights: FloatArray, bins: int = CALIBRATION_BINS
) -> tuple[ReliabilityBin, ...]:
    """Return the bins of the top-label calibration error, lowest first, empty ones included."""
    confidence = probabilities.max(axis=1)
    hits = np.argmax(probabilities, axis=1) == needed
    places = bin_places(confidence, bins)
    weight = np.bincount(places, weights, bins)
    sure = np.bincount(places, weights * confidence, bins)
    right = np.bincount(places, weights * hits, bins)
    rows = np.bincount(places, minlength=bins)
    return tuple(
        ReliabilityBin(
            above=place / bins,
            to=(place + 1) / bins,
            share=float(weight[place] / weight.sum()),
            confidence=float(sure[place] / weight[place]) if rows[place] else None,
            accuracy=float(right[place] / weight[place]) if rows[place] else None,
            rows=int(rows[place]),
        )
        for place in range(bins)
    )


def bin_places(values: FloatArray, bins: int) -> IntArray:
    """Return the equal-width bin of each value in [0, 1], from 0: (lower, upper], and 0 is in the first."""
    return np.asarray(np.clip(np.ceil(values * bins) - 1, 0, bins - 1), dtype=np.int64)


def _binned_gap(predicted: FloatArray, observed: FloatArray, weights: FloatArray, bins: int) -> float:
    gaps = np.bincount(bin_places(predicted, bins), weights * (observed - predicted), bins)
    return float(np.abs(gaps).sum() / weights.sum())
