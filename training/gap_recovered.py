"""How well a router spends calls to a strong model: APGR and CPT, as RouteLLM defines them.

RouteLLM (Ong and others, arXiv 2406.18665, section 3.2) orders prompts by the win rate, the probability that
the strong model is needed, and sends those from a threshold on to it. The gap is the strong model's mean
quality less the weak one's. APGR, the average performance gap recovered, is the area between the router's
curve and always-weak, over the area between always-strong and always-weak: 0.5 is what chance reaches.
CPT(q), the call-performance threshold, is the share of strong calls at which a share q of the gap is
recovered: q is what chance needs, lower is better. Both are undefined where the strong model is not the
better one.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.curve_shapes import ROUNDING, first_crossing

__all__ = ["GapCurve", "apgr", "cpt", "decile_thresholds", "routing_curve"]

FloatArray = npt.NDArray[np.float64]

_DECILES = 10


@dataclass(frozen=True, slots=True, eq=False)
class GapCurve:
    """Mean quality against the share of strong calls; or many such curves, one a resample.

    Attributes:
        share: share of strong calls at each threshold, rising, shape (..., n_points), in [0, 1].
        quality: mean score at each threshold, likewise.
        weak: the weak model's mean score, shape (...).
        strong: the strong model's.
    """

    share: FloatArray
    quality: FloatArray
    weak: FloatArray
    strong: FloatArray

    def apgr(self) -> FloatArray:
        """Return the average performance gap recovered, shape (...); NaN where there is no gap to recover.

        The curve is taken as straight between its points (trapezoid).
        """
        recovered = np.trapezoid(self.quality - self.weak[..., None], self.share, axis=-1)
        whole = self._gap() * (self.share[..., -1] - self.share[..., 0])
        return np.asarray(np.divide(recovered, whole, out=np.full_like(whole, np.nan), where=whole > 0))

    def cpt(self, share: float) -> FloatArray:
        """Return the least share of strong calls that recovers a share of the gap, shape (...).

        The curve is taken as straight between its points. Where it is not monotone, the first crossing
        counts: the fewest calls that do. Where it never reaches the target, or there is no gap, NaN.

        Args:
            share: of the gap, in [0, 1].
        """
        return first_crossing(self.share, self.quality, self.weak + share * self._gap())

    def _gap(self) -> FloatArray:
        gap = np.asarray(self.strong - self.weak, dtype=np.float64)
        return np.where(gap > ROUNDING, gap, np.nan)


def routing_curve(win_rate: FloatArray, weak: FloatArray, strong: FloatArray) -> GapCurve:
    """Return the curve at the deciles of the win rate, from no strong call to all of them.

    A prompt goes to the strong model when its win rate reaches the threshold, and only when it exceeds it at
    the highest, so that the curve begins at always-weak. Where many prompts share a win rate, neighbouring
    points are far apart or the same: one win rate for all gives the straight line of the random mix.

    Args:
        win_rate: how probably the strong model is needed, shape (n_prompts,); only its order counts.
        weak: the weak model's score of each prompt, likewise.
        strong: the strong model's.

    Returns:
        Eleven points, by rising share.
    """
    thresholds = decile_thresholds(win_rate)[:, None]
    to_strong = np.concatenate([win_rate > thresholds[:1], win_rate >= thresholds[1:]])
    quality = np.where(to_strong, strong, weak).mean(axis=1)
    return GapCurve(to_strong.mean(axis=1), quality, np.asarray(weak.mean()), np.asarray(strong.mean()))


def decile_thresholds(win_rate: FloatArray) -> FloatArray:
    """Return the deciles of the win rate from the highest to the lowest, shape (11,)."""
    return np.asarray(np.quantile(win_rate, np.arange(_DECILES, -1, -1) / _DECILES), dtype=np.float64)


def apgr(win_rate: FloatArray, weak: FloatArray, strong: FloatArray) -> float:
    """Return the average performance gap recovered, 0.5 by chance; arguments as `routing_curve`.

    NaN where the strong model is not better on the whole.

    >>> solved = np.array([1.0, 1.0, 0.0, 0.0])
    >>> round(apgr(np.array([0.1, 0.2, 0.3, 0.4]), solved, np.ones(4)), 3)
    0.75
    """
    return float(routing_curve(win_rate, weak, strong).apgr())


def cpt(win_rate: FloatArray, weak: FloatArray, strong: FloatArray, share: float) -> float:
    """Return the share of strong calls, in [0, 1], that recovers a share of the gap; `share` by chance.

    The first crossing of weak + share * (strong - weak) by the curve of `routing_curve`, straight between its
    points; NaN where the strong model is not better on the whole.

    >>> solved = np.array([1.0, 1.0, 0.0, 0.0])
    >>> round(cpt(np.array([0.1, 0.2, 0.3, 0.4]), solved, np.ones(4), 0.5), 3)
    0.25
    """
    return float(routing_curve(win_rate, weak, strong).cpt(share))
