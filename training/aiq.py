"""AIQ, RouterBench's measure of a router: mean quality over a range of costs, on its best mixtures.

RouterBench (Hu and others, arXiv 2403.12031, section 3) draws a router's points (cost, quality), takes their
non-decreasing convex hull, and divides the area below it by the width of the range. The hull is what can be
had from the points by mixing two of them at random, and by never choosing a mixture that costs more for
less: the least concave, non-decreasing curve that lies nowhere below a point. To the right of its best point
it goes on flat, since one can always pay more for the same. To the left of its cheapest point nothing can be
had, so a range cannot begin there. AIQ is a mean quality, in the unit of the scores; figures compare over the
same range alone.
"""

import numpy as np
import numpy.typing as npt

from training.curve_shapes import mean_height

__all__ = ["aiq", "non_decreasing_hull"]

FloatArray = npt.NDArray[np.float64]


def aiq(
    cost: FloatArray,
    quality: FloatArray,
    low: FloatArray | float | None = None,
    high: FloatArray | float | None = None,
) -> FloatArray:
    """Return the area under the non-decreasing convex hull over the width of the cost range, shape (...).

    NaN where the range has no width (a lone point, or all costs the same) or begins below the lowest cost.

    Args:
        cost: of each point, in any order, shape (..., n_points).
        quality: of each point, likewise.
        low: where the range begins, shape (...); without it at the lowest cost.
        high: where it ends; without it at the highest cost.

    >>> float(aiq(np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.5])))
    0.75
    """
    begin = cost.min(axis=-1) if low is None else np.asarray(low, dtype=np.float64)
    end = cost.max(axis=-1) if high is None else np.asarray(high, dtype=np.float64)
    return mean_height(*non_decreasing_hull(cost, quality), begin, end)


def non_decreasing_hull(cost: FloatArray, quality: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the corners of the non-decreasing convex hull by rising cost, two arrays shaped as `cost`.

    There are as many corners as there were points: the last one stands repeated where the hull has fewer.
    All curves are walked at once, point by point (Andrew's monotone chain).
    """
    shape = cost.shape
    costs, best = _best_so_far(cost.reshape(-1, shape[-1]), quality.reshape(-1, shape[-1]))
    curves = np.arange(len(costs))
    kept = np.zeros(costs.shape, dtype=np.int64)  # places of the corners so far, a stack for each curve
    size = np.zeros(len(costs), dtype=np.int64)
    for place in range(shape[-1]):
        useless = curves
        while len(useless := useless[_last_is_below(costs, best, kept, size, useless, place)]):
            size[useless] -= 1
        kept[curves, size] = place
        size += 1
    last = kept[curves, size - 1][:, None]
    corners = np.where(np.arange(shape[-1]) < size[:, None], kept, last)
    return (
        np.take_along_axis(costs, corners, -1).reshape(shape),
        np.take_along_axis(best, corners, -1).reshape(shape),
    )


def _best_so_far(cost: FloatArray, quality: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The points by rising cost, each as good as the best that costs no more."""
    order = np.lexsort((-quality, cost), axis=-1)
    best = np.maximum.accumulate(np.take_along_axis(quality, order, -1), axis=-1)
    return np.take_along_axis(cost, order, -1), best


def _last_is_below(
    cost: FloatArray,
    quality: FloatArray,
    kept: npt.NDArray[np.int64],
    size: npt.NDArray[np.int64],
    curves: npt.NDArray[np.int64],
    place: int,
) -> npt.NDArray[np.bool_]:
    """Whether the last corner lies on or below the line from the one before it to a new point."""
    deep = size[curves] >= 2
    first, last = kept[curves, np.maximum(size[curves] - 2, 0)], kept[curves, np.maximum(size[curves] - 1, 0)]
    run, rise = cost[curves, place] - cost[curves, first], quality[curves, place] - quality[curves, first]
    run_to_last = cost[curves, last] - cost[curves, first]
    rise_to_last = quality[curves, last] - quality[curves, first]
    return np.asarray(deep & (rise * run_to_last >= rise_to_last * run))
