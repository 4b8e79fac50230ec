"""Labels from outcomes: the cheapest tier that did as well as any, and how much each choice matters."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier import Tier

__all__ = ["OutcomeLabels", "fair_tie_weight", "label_outcomes"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_LEAST_GAIN, _MOST_GAIN = 0.05, 0.5
_ROUNDING = 1e-9  # a mean of three scores of 0.7 is as good as one of 0.7


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeLabels:
    """What outcomes say of each prompt.

    Attributes:
        tiers: the label, shape (n_prompts,), 0 to 2 in Tier order.
        weights: how much the choice matters, shape (n_prompts,): 1 where the label's tier solves a prompt
            and the cheapest does not, more where a dearer one does worse, the tie weight where all are alike.
    """

    tiers: IntArray
    weights: FloatArray


def fair_tie_weight(scores: FloatArray) -> float:
    """Return the weight of a tie at which a model asks whether the dearest tier gains more than on average.

    Say that it gains c on average, d on one prompt. Where the expected d is above c, the next call to it is
    better spent here than elsewhere; to learn where, the loss for the wrong answer is |d - c| (cost-sensitive
    learning, Elkan 2001): 1 - c where it alone solves the prompt, c where both tiers do or neither, 1 + c
    where only the cheapest does. As multiples of the first: 1, t and 1 + 2 t, with t = c / (1 - c).

    Args:
        scores: shape (n_prompts, n_tiers), in [0, 1], the cheapest tier first.

    Returns:
        t, with c held within [0.05, 0.5]: in [0.052..., 1].

    >>> fair_tie_weight(np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]))
    0.3333333333333333
    """
    gain = float(np.clip((scores[:, -1] - scores[:, 0]).mean(), _LEAST_GAIN, _MOST_GAIN))
    return gain / (1.0 - gain)


def label_outcomes(
    scores: FloatArray,
    tiers: Sequence[Tier],
    *,
    tolerance: float = 0.0,
    tie_weight: float | None = None,
) -> OutcomeLabels:
    """Label each prompt with the cheapest tier whose score is within a tolerance of the best.

    Where nobody solves a prompt the cheapest tier is the label: it fails at the least cost. A prompt's weight
    is what a wrong choice would lose: t + (1 - t) * up + (1 + t) * down, with the tie weight t, `up` by how
    much the label's tier does better than the cheapest, and `down` by how much better than the worst dearer.

    Args:
        scores: shape (n_prompts, n_tiers), in [0, 1], columns in the order of `tiers`.
        tiers: the tiers that were scored, ascending.
        tolerance: how much worse than the best still will do, in [0, 1].
        tie_weight: t, in (0, 1]; None for the `fair_tie_weight` of these scores.

    >>> scores = np.array([[0.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 1.0, 0.0]])
    >>> found = label_outcomes(scores, list(Tier), tie_weight=0.2)
    >>> found.tiers.tolist(), found.weights.tolist()
    ([1, 0, 0], [1.0, 0.2, 1.4])
    """
    tie = fair_tie_weight(scores) if tie_weight is None else tie_weight
    good_enough = scores >= scores.max(axis=1, keepdims=True) - tolerance - _ROUNDING
    column = np.argmax(good_enough, axis=1)
    chosen = np.take_along_axis(scores, column[:, None], axis=1)
    dearer = np.arange(scores.shape[1]) > column[:, None]
    up = np.maximum(chosen[:, 0] - scores[:, 0], 0.0)
    down = np.where(dearer, np.maximum(chosen - scores, 0.0), 0.0).max(axis=1)
    labels = np.asarray([int(tier) for tier in tiers], dtype=np.int64)[column]
    return OutcomeLabels(labels, tie + (1.0 - tie) * up + (1.0 + tie) * down)
