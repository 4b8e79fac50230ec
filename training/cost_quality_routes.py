"""What a model and the rules make of the prompts of an outcome table, read once and kept as numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from classifier import Policy, Prompt, read
from training.abstention import without_abstaining
from training.baselines import KeywordRule
from training.errors import EvaluationError
from training.outcome_table import OutcomeTable
from training.predictors import Predictor

__all__ = ["OutcomeRoutes", "route_outcomes"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_AT_ONCE = 4096


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeRoutes:
    """What was decided for each prompt of an outcome table; of the prompts themselves nothing is kept.

    Attributes:
        probabilities: P(needs each tier), shape (n_prompts, 3), columns in Tier order, rows sum to 1.
        known_vocabulary: share of each prompt's tokens that the model knows, shape (n_prompts,), in [0, 1].
        chosen: the tier that the model's own policy chooses, shape (n_prompts,), 0 to 2.
        unabstained: the tier that it would choose if it never abstained, likewise; None where it never does.
        by_keyword: the keyword rule's tier, likewise.
        characters: length of what the rules get to see, shape (n_prompts,).
    """

    probabilities: FloatArray
    known_vocabulary: FloatArray
    chosen: IntArray
    unabstained: IntArray | None
    by_keyword: IntArray
    characters: IntArray

    def __len__(self) -> int:
        return len(self.chosen)


def route_outcomes(
    predictor: Predictor, table: OutcomeTable, *, progress: Callable[[int], object] | None = None
) -> OutcomeRoutes:
    """Let a model, its policy and the keyword rule judge the prompts of an outcome table, streaming.

    The rules see of a conversation the human's last turn, as in `training.evaluation`.

    Args:
        predictor: the model with its policy.
        table: the prompts; read once from the first to the last, a few thousand in memory at a time.
        progress: called with the number of prompts done, batch by batch.

    Raises:
        EvaluationError: when the prompts are not as many as the scores.
        PromptError: when a prompt is neither text nor messages.
    """
    inner = without_abstaining(predictor.policy)
    parts = []
    for batch in _batches(iter(table.prompts)):
        parts.append(_routed(predictor, inner, batch))
        if progress is not None:
            progress(len(batch))
    routes = OutcomeRoutes(
        np.concatenate([part.probabilities for part in parts]),
        np.concatenate([part.known_vocabulary for part in parts]),
        np.concatenate([part.chosen for part in parts]),
        None if inner is None else np.concatenate([_abstention_free(part) for part in parts]),
        np.concatenate([part.by_keyword for part in parts]),
        np.concatenate([part.characters for part in parts]),
    )
    if len(routes) != len(table):
        raise EvaluationError(
            f"the outcome table has {len(table):,} rows of scores but {len(routes):,} prompts"
        )
    return routes


def _batches(prompts: Iterator[Prompt]) -> Iterator[list[Prompt]]:
    while batch := list(islice(prompts, _AT_ONCE)):
        yield batch


def _routed(predictor: Predictor, inner: Policy | None, prompts: Sequence[Prompt]) -> OutcomeRoutes:
    decisions = [predictor.decide(prompt) for prompt in prompts]
    texts = [read(prompt).turns[-1] for prompt in prompts]
    grounds = [(decision.probabilities, decision.known_vocabulary) for decision in decisions]
    return OutcomeRoutes(
        np.array([probabilities for probabilities, _ in grounds], dtype=np.float64),
        np.array([known for _, known in grounds], dtype=np.float64),
        np.array([int(decision.tier) for decision in decisions], dtype=np.int64),
        None if inner is None else np.array([int(inner.choose(*ground)) for ground in grounds]),
        KeywordRule().choose(texts),
        np.array([len(text) for text in texts], dtype=np.int64),
    )


def _abstention_free(part: OutcomeRoutes) -> IntArray:
    return part.chosen if part.unabstained is None else part.unabstained
