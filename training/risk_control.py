"""Promises about under-routing that hold in finite samples.

**With high probability.** Let g_1, g_2, ... be the settings of a policy from the safest to the boldest, fixed
before any label is seen, and R(g) the true share of prompts that g under-routes. For each in turn test the
hypothesis R(g) > A on the n calibration rows by the exact binomial tail, P(Bin(n, A) <= k) <= delta for k
rows under-routed (the same as a Clopper-Pearson upper bound at level 1 - delta of at most A); stop at the
first that is not rejected, and take the one before. Let g_j be the first with R(g_j) > A. To end up at any
setting that breaks the promise, g_j must have been passed, and that one test errs with probability delta at
most. So no correction for many tests is due, and

    P(R(chosen) <= A) >= 1 - delta over the draw of the calibration rows.

It takes neither monotone losses nor a fine grid; where losses are monotone, stopping early loses nothing.
(Bates, Angelopoulos, Lei, Malik and Jordan, "Distribution-free, risk-controlling prediction sets", 2021;
Angelopoulos, Bates, Candès, Jordan and Lei, "Learn then test", 2021, on fixed-sequence testing.)

**On average.** The boldest setting with (n / (n + 1)) R_hat + 1 / (n + 1) <= A, where R_hat is the share of
calibration rows that are under-routed: the chance that the next prompt is under-routed is at most A, on
average over draws of calibration rows and prompt together (a refusal to choose counts as no error). It asks
for losses that only grow towards bold, which under-routing does. (Angelopoulos, Bates, Fisch, Lei and
Schuster, "Conformal risk control", arXiv 2208.02814.)

Both need the calibration prompts and those to come to be exchangeable: drawn alike, each counted once.
Neither says anything of traffic that has changed since.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from training.routed_rows import BoolArray, FloatArray, IntArray

__all__ = [
    "boldest_passed",
    "passes_on_average",
    "passes_with_confidence",
    "rows_for_promise",
    "upper_bound",
]

MOST_ROWS = 10**9


def upper_bound(errors: int | IntArray, rows: int, confidence: float) -> FloatArray:
    """Return the exact upper confidence bound of a binomial share, in [0, 1] (Clopper and Pearson, 1934).

    Args:
        errors: How many of the rows, 0 to `rows`; one number or an array.
        rows: At least 1.
        confidence: In (0, 1).

    >>> round(float(upper_bound(0, 300, 0.9)), 5)
    0.00765
    """
    counts = np.asarray(errors)
    bound = stats.beta.ppf(confidence, counts + 1, np.maximum(rows - counts, 1))
    return np.asarray(np.where(counts >= rows, 1.0, bound), dtype=np.float64)


def passes_with_confidence(errors: IntArray, rows: int, share: float, confidence: float) -> BoolArray:
    """Return for each setting whether its true share is shown to be at most `share`.

    Args:
        errors: Calibration rows under-routed at each setting, shape (n_settings,).
        rows: How many calibration rows there are.
        share: What is to be promised, in [0, 1].
        confidence: Of one test, in (0, 1).
    """
    return np.asarray(stats.binom.cdf(errors, rows, share) <= 1 - confidence)


def passes_on_average(errors: IntArray, rows: int, share: float) -> BoolArray:
    """Return for each setting whether (errors + 1) / (rows + 1) is at most `share`.

    >>> passes_on_average(np.array([4, 5]), 50, 0.1).tolist()
    [True, False]
    """
    return np.asarray((errors + 1) <= share * (rows + 1))


def boldest_passed(passes: BoolArray) -> int | None:
    """Return the place of the last setting before the first that fails; None where the safest fails.

    >>> boldest_passed(np.array([True, True, False, True]))
    1
    """
    failed = np.flatnonzero(~passes)
    last = int(failed[0]) - 1 if failed.size else len(passes) - 1
    return last if last >= 0 else None


def rows_for_promise(rate: float, share: float, confidence: float | None) -> int | None:
    """Return how many calibration rows a promise takes when a given share of them is under-routed.

    Args:
        rate: The share under-routed at the safest setting, in [0, 1].
        share: What is to be promised, in [0, 1].
        confidence: In (0, 1); None for the promise on average.

    Returns:
        The number; None where no number will do, or none below a thousand million.

    >>> rows_for_promise(0.0, 0.01, 0.9)
    230
    """
    if share <= rate:
        return None
    low, high = 0, 1
    while not _is_enough(high, rate, share, confidence):
        low, high = high, 2 * high
        if high > MOST_ROWS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _is_enough(middle, rate, share, confidence) else (middle, high)
    return high


def _is_enough(rows: int, rate: float, share: float, confidence: float | None) -> bool:
    errors = np.array([math.ceil(rate * rows)])
    if confidence is None:
        return bool(passes_on_average(errors, rows, share)[0])
    return bool(passes_with_confidence(errors, rows, share, confidence)[0])
