"""The part of an outcome table that training did not see: the same split by text that `train` makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import compress

import numpy as np
import numpy.typing as npt

from classifier import Prompt
from training.errors import EvaluationError
from training.normal_text import normal_text
from training.outcome_table import OutcomeTable
from training.split import SplitName, split_name

__all__ = ["part_of_table"]

BoolArray = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Some:
    """Some of the prompts, read anew each time."""

    prompts: Iterable[Prompt]
    taken: BoolArray

    def __iter__(self) -> Iterator[Prompt]:
        return compress(self.prompts, self.taken)


def part_of_table(table: OutcomeTable, part: SplitName) -> OutcomeTable:
    """Return the rows that `training.split` puts into a part, by the text of each prompt; read once for it.

    Raises:
        EvaluationError: when there are none.
    """
    names = (split_name(normal_text(prompt)) == part for prompt in table.prompts)  # type: ignore[arg-type]
    taken = np.fromiter(names, np.bool_, count=len(table))
    if not taken.any():
        raise EvaluationError(
            f"none of the {len(table):,} prompts belongs to the {part} part: take --part all"
        )
    return replace(
        table,
        prompts=_Some(table.prompts, taken),
        scores=table.scores[taken],
        usd=None if table.usd is None else table.usd[taken],
        tokens=None if table.tokens is None else table.tokens[taken],
        repeats=table.repeats[taken],
    )
