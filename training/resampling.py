"""Bootstrap intervals for everything that is a function of sums over rows.

`scipy.stats.bootstrap` serves one statistic at a time. Here one draw of rows serves all measures, of one
model or of two on the same rows (so that their difference is paired), and the sums of a whole batch of draws
come from one matrix product: 10,000 resamples of 1,000 rows take seconds. Intervals are percentiles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.errors import EvaluationError
from training.routed_rows import FloatArray

__all__ = ["LEVEL", "Estimate", "effective_rows", "percentile_interval", "resampled_sums", "wilson_interval"]

LEVEL = 0.95
NORMAL_QUANTILE = 1.959963984540054  # two-sided, for LEVEL
BATCH_CELLS = 2_000_000  # counts held at a time: 16 MB


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval; NaN where it is not defined.

    Attributes:
        value: The figure on all rows.
        low: Lower end of the interval.
        high: Upper end.
    """

    value: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float | None]:
        """Return value and ends, ready for JSON: None stands for what is not defined."""
        return {
            "value": json_number(self.value),
            "low": json_number(self.low),
            "high": json_number(self.high),
        }


def json_number(value: float) -> float | None:
    """Return the number, or None for NaN and infinity, which JSON does not have."""
    return value if np.isfinite(value) else None


def resampled_sums(columns: FloatArray, *, resamples: int, seed: int) -> FloatArray:
    """Return column sums over bootstrap draws of the rows, shape (resamples, k).

    Every draw takes n rows with replacement, each equally likely; weights travel with their rows.

    Args:
        columns: Shape (n, k), n at least 1.
        resamples: How many draws, at least 1.
        seed: Same seed, same draws.

    Raises:
        EvaluationError: When there is not even one draw or one row.
    """
    rows = len(columns)
    if resamples < 1 or rows < 1:
        raise EvaluationError(f"{resamples} resamples of {rows} rows; expected at least 1 of each")
    random = np.random.default_rng(seed)
    batch = max(1, BATCH_CELLS // rows)
    sizes = [min(batch, resamples - start) for start in range(0, resamples, batch)]
    return np.concatenate([_draw_counts(random, rows, size) @ columns for size in sizes])


def percentile_interval(values: FloatArray) -> tuple[float, float]:
    """Return the middle 95 % of the resampled values; NaN, NaN where the measure was nowhere defined."""
    defined = values[np.isfinite(values)]
    if not defined.size:
        return (float("nan"), float("nan"))
    low, high = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return (float(low), float(high))


def effective_rows(weights: FloatArray) -> float:
    """Return how many equally weighted rows say as much: (sum w)^2 / sum w^2 (Kish, 1965)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def wilson_interval(share: float, rows: float) -> tuple[float, float]:
    """Return the 95 % score interval of a share (Wilson, JASA 1927), which holds up on a handful of rows.

    >>> low, high = wilson_interval(1.0, 5)
    >>> round(low, 3), high
    (0.566, 1.0)
    """
    square = NORMAL_QUANTILE**2 / rows
    centre = (share + square / 2) / (1 + square)
    reach = np.sqrt(square * share * (1 - share) + square**2 / 4) / (1 + square)
    return (max(0.0, float(centre - reach)), min(1.0, float(centre + reach)))


def _draw_counts(random: np.random.Generator, rows: int, size: int) -> FloatArray:
    picks = random.integers(rows, size=(size, rows)) + np.arange(size)[:, None] * rows
    return np.bincount(picks.ravel(), minlength=size * rows).reshape(size, rows).astype(np.float64)
