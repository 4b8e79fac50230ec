"""Ways of choosing what to label next.

- random: every distinct prompt is as likely as any other.
- diverse: one after the other, drawn with the squared distance to the nearest prompt drawn before it as
  weight: the seeding of k-means++ (Arthur and Vassilvitskii 2007).
- uncertain: the smallest margins between the two most probable tiers (margin sampling; Scheffer and others
  2001, Settles, Active Learning, 2012, section 2.3).
- both: as diverse, each weight times the uncertainty; what BADGE (arXiv 1906.03671) does in the space of
  gradients.

Farthest-first traversal (core-sets, arXiv 1708.00489) and the most typical prompt of each of n clusters
(TypiClust, arXiv 2202.02794) were tried and did worse than chance on the outcome tables; so did the highest
entropy, and the most uncertain of a typical few.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from training.picking_space import SpaceArray

__all__ = ["DEFAULT_STRATEGY", "STRATEGIES", "choose"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Strategy = Callable[[SpaceArray, FloatArray, int, np.random.Generator], IntArray]

DEFAULT_STRATEGY: Final = "random"
"""The cheapest, and the one that no other beat on outcomes (`tests/benchmarks/picking.py`)."""


def choose(strategy: str, points: SpaceArray, uncertainty: FloatArray, n: int, *, seed: int = 0) -> IntArray:
    """Return the rows to label.

    Args:
        strategy: One of `STRATEGIES`.
        points: Where each prompt lies (`text_space`), shape (n_prompts, n_dimensions).
        uncertainty: How unsure the current model is of each, in [0, 1], shape (n_prompts,).
        n: How many to choose; all where there are no more.
        seed: Of chance.

    Returns:
        Distinct row numbers, shape (min(n, n_prompts),), ascending.

    >>> choose("uncertain", np.zeros((3, 1), dtype=np.float32), np.array([0.2, 0.9, 0.4]), 2).tolist()
    [1, 2]
    """
    if n >= len(points):
        return np.arange(len(points))
    return np.sort(STRATEGIES[strategy](points, uncertainty, n, np.random.default_rng(seed)))


def _random(points: SpaceArray, _: FloatArray, n: int, random: np.random.Generator) -> IntArray:
    return random.permutation(len(points))[:n]


def _diverse(points: SpaceArray, _: FloatArray, n: int, random: np.random.Generator) -> IntArray:
    return _far_apart(points, np.ones(len(points)), n, random)


def _uncertain(_: SpaceArray, uncertainty: FloatArray, n: int, random: np.random.Generator) -> IntArray:  # noqa: ARG001
    return np.argsort(-uncertainty, kind="stable")[:n]


def _both(points: SpaceArray, uncertainty: FloatArray, n: int, random: np.random.Generator) -> IntArray:
    return _far_apart(points, uncertainty, n, random)


def _far_apart(points: SpaceArray, weights: FloatArray, n: int, random: np.random.Generator) -> IntArray:
    """Draw rows by weight times squared distance to the nearest row drawn before; the first by weight."""
    # A trace of weight for all: any row can be drawn, also where all points or all weights are the same.
    weights = weights + 1e-6
    squared = np.ones(len(points))
    drawn: list[int] = []
    for _ in range(n):
        mass = np.cumsum((squared + 1e-6) * weights)
        row = int(np.searchsorted(mass, random.random() * mass[-1], side="right"))
        drawn.append(row)
        squared = np.minimum(squared, ((points - points[row]) ** 2).sum(axis=1))
        weights[row] = 0.0
    return np.array(drawn, dtype=np.int64)


STRATEGIES: Final[Mapping[str, Strategy]] = {
    "random": _random,
    "diverse": _diverse,
    "uncertain": _uncertain,
    "both": _both,
}
