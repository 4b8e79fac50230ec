"""Labels from outcomes: the cheapest tier that did as well as any, and how much each choice matters."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier import Tier

__all__ = ["TIE_WEIGHT", "OutcomeLabels", "label_outcomes"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

TIE_WEIGHT = 0.2
"""How much a prompt counts on which all tiers do equally well; 1 where one solves it and another does not."""

_ROUNDING = 1e-9  # a mean of three scores of 0.7 is as good as one of 0.7


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeLabels:
    """What outcomes say of each prompt.

    Attributes:
        tiers: the label, shape (n_prompts,), 0 to 2 in Tier order.
        weights: how much the choice matters, shape (n_prompts,), in [tie_weight, 1].
    """

    tiers: IntArray
    weights: FloatArray


def label_outcomes(
    scores: FloatArray,
    tiers: Sequence[Tier],
    *,
    tolerance: float = 0.0,
    tie_weight: float = TIE_WEIGHT,
) -> OutcomeLabels:
    """Label each prompt with the cheapest tier whose score is within a tolerance of the best.

    Where nobody solves a prompt the cheapest tier is the label: it fails at the least cost. A prompt's weight
    rises from `tie_weight`, where all tiers do equally well, by the spread of its scores, to 1.

    Args:
        scores: shape (n_prompts, n_tiers), in [0, 1], columns in the order of `tiers`.
        tiers: the tiers that were scored, ascending.
        tolerance: how much worse than the best still will do, in [0, 1].
        tie_weight: the least weight, in (0, 1].

    >>> found = label_outcomes(np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0]]), list(Tier))
    >>> found.tiers.tolist(), found.weights.tolist()
    ([1, 0], [1.0, 0.2])
    """
    best = scores.max(axis=1, keepdims=True)
    good_enough = scores >= best - tolerance - _ROUNDING
    labels = np.asarray([int(tier) for tier in tiers], dtype=np.int64)[np.argmax(good_enough, axis=1)]
    spread = scores.max(axis=1) - scores.min(axis=1)
    return OutcomeLabels(labels, tie_weight + (1.0 - tie_weight) * spread)
