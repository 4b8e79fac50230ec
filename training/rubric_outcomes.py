"""Labelled prompts read as outcomes: for want of measured ones, what the labels' rubric says of each tier."""

import numpy as np

from classifier import TIERS
from training.costs import CostModel, input_tokens
from training.labelled import LabelledData
from training.outcome_table import OutcomeTable

__all__ = ["rubric_outcomes"]


def rubric_outcomes(data: LabelledData, cost_model: CostModel | None = None) -> OutcomeTable:
    """Return labelled prompts as a table of outcomes: 1 for a tier at or above the needed one, else 0.

    Nothing is measured here. A label says which tier's answer would do; so the premium tier is always right,
    no tier is ever lucky, and half an answer is worth nothing. Tokens are those of the text and the assumed
    length of an answer to a prompt that needs its tier, whichever tier answers, as in `training.costs`.

    Args:
        data: labelled prompts; their weights are not used.
        cost_model: the assumed lengths; the project's without.
    """
    frame = data.frame
    needed = frame["tier"].to_numpy(dtype=np.int64)
    prompts = frame["prompt"].tolist()
    answers = np.asarray((cost_model or CostModel()).output_tokens, dtype=np.float64)[needed]
    tokens = input_tokens(prompts) + answers
    return OutcomeTable(
        tiers=TIERS,
        names=tuple(tier.label for tier in TIERS),
        prompts=prompts,
        scores=(np.arange(len(TIERS)) >= needed[:, None]).astype(np.float64),
        usd=None,
        tokens=np.repeat(tokens[:, None], len(TIERS), axis=1),
        repeats=np.ones(len(frame), dtype=np.int64),
        noise=None,
        digest=data.digest,
    )
