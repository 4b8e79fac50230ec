"""Curves that are straight between their points: where they cross a level, and the area below them.

Every function takes one curve, shape (n_points,), or many at once, shape (n_curves, n_points): the bootstrap
has a curve for each resample.
"""

import numpy as np
import numpy.typing as npt

__all__ = ["ROUNDING", "by_rising_x", "first_crossing", "height_at", "mean_height"]

FloatArray = npt.NDArray[np.float64]

ROUNDING = 1e-12
"""How far apart two sums of the same numbers may lie."""


def by_rising_x(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the points of each curve by rising x; where x is the same, by rising y."""
    order = np.lexsort((y, x), axis=-1)
    return np.take_along_axis(x, order, -1), np.take_along_axis(y, order, -1)


def first_crossing(x: FloatArray, y: FloatArray, level: FloatArray) -> FloatArray:
    """Return the least x at which y reaches a level, shape (...); NaN where it never does.

    Args:
        x: rising, shape (..., n_points).
        y: likewise; where it is not monotone, its first crossing counts.
        level: shape (...).

    >>> round(float(first_crossing(np.array([0.0, 1.0]), np.array([2.0, 6.0]), np.array(3.0))), 3)
    0.25
    """
    reached = y >= level[..., None] - ROUNDING
    at = np.argmax(reached, axis=-1)[..., None]
    before = np.maximum(at - 1, 0)
    low, high = np.take_along_axis(y, before, -1), np.take_along_axis(y, at, -1)
    start, end = np.take_along_axis(x, before, -1), np.take_along_axis(x, at, -1)
    rise = high - low
    part = np.divide(level[..., None] - low, rise, out=np.ones_like(rise), where=rise > 0)
    found = start + np.clip(part, 0.0, 1.0) * (end - start)
    return np.where(reached.any(axis=-1), found[..., 0], np.nan)


def height_at(x: FloatArray, y: FloatArray, at: FloatArray) -> FloatArray:
    """Return y at an abscissa, shape (...): flat to the right of the last point, NaN left of the first.

    Args:
        x: rising, shape (..., n_points).
        y: likewise.
        at: shape (...).

    >>> height_at(np.array([1.0, 3.0]), np.array([0.0, 1.0]), np.array(2.0)).tolist()
    0.5
    """
    inside = np.clip(at, x[..., 0], x[..., -1])[..., None]
    begin = np.maximum((x <= inside).sum(axis=-1)[..., None] - 1, 0)
    end = np.minimum(begin + 1, x.shape[-1] - 1)
    start, width = np.take_along_axis(x, begin, -1), np.take_along_axis(x, end, -1)
    width = width - start
    part = np.divide(inside - start, width, out=np.zeros_like(width), where=width > 0)
    low, high = np.take_along_axis(y, begin, -1), np.take_along_axis(y, end, -1)
    known = at >= x[..., 0] - ROUNDING * np.abs(x[..., 0])
    return np.where(known, (low + part * (high - low))[..., 0], np.nan)


def mean_height(x: FloatArray, y: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Return the mean of y between two abscissae: the area there over the width, shape (...).

    To the right of its last point a curve goes on flat. NaN where the range has no width, or begins to the
    left of the first point.

    Args:
        x: rising, shape (..., n_points).
        y: likewise.
        low: where the range begins, shape (...).
        high: where it ends.

    >>> float(mean_height(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array(0.0), np.array(2.0)))
    0.75
    """
    low, high = np.asarray(low)[..., None], np.asarray(high)[..., None]
    x = np.concatenate([x, np.maximum(x[..., -1:], high)], axis=-1)
    y = np.concatenate([y, y[..., -1:]], axis=-1)
    start, end = np.clip(x[..., :-1], low, high), np.clip(x[..., 1:], low, high)
    width = x[..., 1:] - x[..., :-1]
    slope = np.divide(np.diff(y, axis=-1), width, out=np.zeros_like(width), where=width > 0)
    middle = y[..., :-1] + slope * ((start + end) / 2 - x[..., :-1])
    area = ((end - start) * middle).sum(axis=-1)
    reach = (high - low)[..., 0]
    defined = (reach > 0) & (x[..., 0] <= low[..., 0] + ROUNDING * np.abs(low[..., 0]))
    return np.asarray(np.divide(area, reach, out=np.full_like(area, np.nan), where=defined))
