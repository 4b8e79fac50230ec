"""Ways of choosing what to label next.

- random: every distinct prompt is as likely as any other.
- diverse: k-means finds as many clusters as there are labels to spend, and the most typical prompt of each is
  taken (Nguyen and Smeulders 2004; TypiClust, Hacohen and others, arXiv 2202.02794, for cold starts).
- uncertain: the smallest margins between the two most probable tiers (margin sampling, Settles 2012).
- both: of each such cluster the prompt with the smallest margin (Zhdanov, arXiv 1901.05954, also joins
  clusters and margins).
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from training.picking_space import SpaceArray, cluster

__all__ = ["DEFAULT_STRATEGY", "STRATEGIES", "choose"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Strategy = Callable[[SpaceArray, FloatArray, int, int], IntArray]

DEFAULT_STRATEGY: Final = "random"
"""The cheapest, and the one that no other beat on outcomes (`tests/benchmarks/picking.py`)."""


def choose(strategy: str, points: SpaceArray, uncertainty: FloatArray, n: int, *, seed: int = 0) -> IntArray:
    """Return the rows to label.

    Args:
        strategy: One of `STRATEGIES`.
        points: Where each prompt lies (`text_space`), shape (n_prompts, n_dimensions).
        uncertainty: How unsure the current model is of each, shape (n_prompts,).
        n: How many to choose; all where there are no more.
        seed: Of the clusters and of chance.

    Returns:
        Distinct row numbers, shape (min(n, n_prompts),), ascending.
    """
    if n >= len(points):
        return np.arange(len(points))
    return np.sort(STRATEGIES[strategy](points, uncertainty, n, seed))


def _random(points: SpaceArray, uncertainty: FloatArray, n: int, seed: int) -> IntArray:  # noqa: ARG001
    return np.random.default_rng(seed).permutation(len(points))[:n]


def _diverse(points: SpaceArray, uncertainty: FloatArray, n: int, seed: int) -> IntArray:  # noqa: ARG001
    labels, distance = cluster(points, n, seed)
    return _least_of_each(labels, np.asarray(distance, dtype=np.float64), n)


def _uncertain(points: SpaceArray, uncertainty: FloatArray, n: int, seed: int) -> IntArray:  # noqa: ARG001
    return np.argsort(-uncertainty, kind="stable")[:n]


def _both(points: SpaceArray, uncertainty: FloatArray, n: int, seed: int) -> IntArray:
    labels, _ = cluster(points, n, seed)
    return _least_of_each(labels, -uncertainty, n)


def _least_of_each(labels: IntArray, key: FloatArray, n: int) -> IntArray:
    """The rows with the least key of each cluster; empty clusters leave room for the second of others."""
    order = np.lexsort((key, labels))
    starts = np.searchsorted(labels[order], labels[order], side="left")
    turn = np.arange(len(order)) - starts
    return order[np.lexsort((key[order], turn))][:n]


STRATEGIES: Final[Mapping[str, Strategy]] = {
    "random": _random,
    "diverse": _diverse,
    "uncertain": _uncertain,
    "both": _both,
}
