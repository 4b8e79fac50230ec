"""Outcomes as labelled prompts in memory, to evaluate a model on."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from classifier import read
from training.errors import Place
from training.labelled import LabelledData, labelled_data
from training.labelled_rows import LabelledRow
from training.normal_text import normal_text
from training.outcome_labels import OutcomeLabels
from training.outcome_prompts import DescribedPrompt, OutcomePrompts
from training.outcome_writing import rounded_weight

__all__ = ["labelled_outcomes", "sampled_prompts"]

IntArray = npt.NDArray[np.int64]


def sampled_prompts(count: int, limit: int, *, seed: int) -> IntArray:
    """Return which prompts to keep, ascending: all of them, or `limit` drawn at random.

    >>> sampled_prompts(3, 5, seed=0).tolist()
    [0, 1, 2]
    """
    if count <= limit:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, limit, replace=False))


def labelled_outcomes(prompts: OutcomePrompts, labels: OutcomeLabels, kept: IntArray) -> LabelledData:
    """Return prompts with the labels that their outcomes give; the same rows as the written labelled set has.

    Args:
        prompts: the prompts of the table.
        labels: their labels.
        kept: which of them to hold in memory, ascending.
    """
    described = prompts.where(kept).described()
    return labelled_data(
        [
            _row(each, int(labels.tiers[place]), rounded_weight(labels.weights[place]), place)
            for each, place in zip(described, kept.tolist(), strict=True)
        ]
    )


def _row(described: DescribedPrompt, tier: int, weight: float, place: int) -> LabelledRow:
    return LabelledRow(
        place=Place(Path(), place + 1),
        id=described.id,
        prompt=described.prompt,
        text=normal_text(described.prompt),
        tier=tier,
        weight=weight,
        source=described.source,
        language=described.language,
        domain=described.domain,
        characters=sum(len(turn) for turn in read(described.prompt).turns),
    )
