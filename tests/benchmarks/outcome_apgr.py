"""How well a router spends calls to a strong model, from outcomes: APGR, and labels to train one on.

APGR (average performance gap recovered) is RouteLLM's measure (Ong and others, arXiv 2406.18665, section
3.2): the area under mean quality against the share of strong calls, as a share of the way from the weak
model's to the strong model's. 0.5 is what chance reaches.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from training.normal_text import normal_text

__all__ = ["TIE_WEIGHT", "apgr", "cheapest_best", "prompt_folds", "routing_curve", "sample_weights"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

TIE_WEIGHT = 0.2
"""How much a prompt counts on which all tiers do equally well; 1 where they differ."""

_THRESHOLDS = 11


def cheapest_best(scores: FloatArray) -> IntArray:
    """Return the cheapest tier whose score equals the best that any tier reached.

    Args:
        scores: shape (n_prompts, n_tiers), the cheapest tier first.

    Returns:
        Shape (n_prompts,), from 0. Where nobody solves a prompt, the cheapest tier fails at the least cost.
    """
    best = scores == scores.max(axis=1, keepdims=True)
    return np.asarray(np.argmax(best, axis=1), dtype=np.int64)


def sample_weights(scores: FloatArray, tie_weight: float = TIE_WEIGHT) -> FloatArray:
    """Return 1 for prompts on which the tiers differ and `tie_weight` for others, shape (n_prompts,)."""
    return np.where(scores.max(axis=1) > scores.min(axis=1), 1.0, tie_weight)


def prompt_folds(prompts: Sequence[str], folds: int = 5) -> IntArray:
    """Return the fold of each prompt, shape (n_prompts,), by a hash of its normalised text.

    Repeated prompts share a fold, so none is predicted by a model that has seen it.
    """
    texts = (normal_text(prompt).encode("utf-8", "surrogatepass") for prompt in prompts)
    digests = (hashlib.blake2b(text, digest_size=8).digest() for text in texts)
    return np.array([int.from_bytes(digest) % folds for digest in digests], dtype=np.int64)


def routing_curve(
    win_rate: FloatArray, weak: FloatArray, strong: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the shares of strong calls and the mean qualities at the deciles of the win rate.

    A prompt goes to the strong model when its win rate reaches the threshold.

    Args:
        win_rate: how probably the strong model is needed, shape (n_prompts,).
        weak: the weak model's score of each prompt, likewise.
        strong: the strong model's.

    Returns:
        Two arrays of shape (11,), by rising share.
    """
    thresholds = np.quantile(win_rate, np.linspace(0.0, 1.0, _THRESHOLDS))
    to_strong = win_rate >= thresholds[::-1, None]
    return to_strong.mean(axis=1), np.where(to_strong, strong, weak).mean(axis=1)


def apgr(win_rate: FloatArray, weak: FloatArray, strong: FloatArray) -> float:
    """Return the average performance gap recovered, 0.5 by chance.

    NaN where the models are equally good, or every prompt has the same win rate.
    """
    share, quality = routing_curve(win_rate, weak, strong)
    gap = (strong.mean() - weak.mean()) * (share[-1] - share[0])
    if gap == 0:
        return float("nan")
    recovered = np.trapezoid(quality - weak.mean(), share)
    return float(recovered / gap)
