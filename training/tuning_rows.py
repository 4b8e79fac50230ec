"""What a policy is tuned on: distinct prompts, and what would have come of asking each tier.

Labelled rows and outcome tables look alike from here on. Labels know only whether an answer will do: its
quality is 1 where the tier is at least the needed one, else 0. Outcomes know how good it was; the needed
tier is the cheapest that did as well as any, so that "nobody solves it" is no under-routing.

Every distinct prompt counts once, whatever its weight or number of rows. A prompt's half, to calibrate or to
be held out, follows from a hash of its own normalised text: neither order nor added rows move it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar, cast, get_args

import numpy as np
from numpy.typing import NDArray

from classifier import Prompt
from training.costs import CostModel, input_tokens
from training.errors import EvaluationError
from training.labelled import LabelledData
from training.normal_text import normal_text
from training.outcome_costs import basis_words, usd_of
from training.outcome_labels import label_outcomes
from training.outcome_table import OutcomeTable
from training.predictors import Predictor
from training.routed_rows import TIER_NAMES, TIERS, BoolArray, FloatArray, IntArray
from training.split import SplitName, split_name

__all__ = ["LEAST_ROWS", "TuningRows", "labelled_tuning_rows", "outcome_tuning_rows"]

Values = TypeVar("Values", FloatArray, IntArray, BoolArray)

PARTS: Final[tuple[str, ...]] = get_args(SplitName)

LEAST_ROWS = 30
"""Fewer distinct prompts in a half than this tell nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class TuningRows:
    """Distinct prompts with what a model says of them and what each tier would have made of them.

    A tier without a score in an outcome table is answered by another that has one, so `answered` may differ
    from the tier that was asked.

    Attributes:
        probabilities: Shape (n, 3), columns in Tier order, rows sum to 1.
        known_vocabulary: Share of each prompt's words that the model knows, shape (n,), in [0, 1].
        answered: The tier that answers when each tier is asked, shape (n, 3), values 0 to 2.
        under: Whether that is below the needed tier, shape (n, 3).
        quality: What the answer is worth, shape (n, 3), in [0, 1].
        premium_quality: What premium's answer is worth, whoever answers, shape (n,), in [0, 1].
        usd: What it costs, US dollars, shape (n, 3).
        calibrates: Whether the prompt is in the half to calibrate on, shape (n,).
        dollars: In one sentence what the dollars rest on.
    """

    probabilities: FloatArray
    known_vocabulary: FloatArray
    answered: IntArray
    under: BoolArray
    quality: FloatArray
    premium_quality: FloatArray
    usd: FloatArray
    calibrates: BoolArray
    dollars: str

    def __len__(self) -> int:
        return len(self.probabilities)

    def where(self, mask: BoolArray | IntArray) -> TuningRows:
        """Return the rows that a mask of shape (n,) picks out, or those at some places, repeats and all."""
        return TuningRows(
            self.probabilities[mask],
            self.known_vocabulary[mask],
            self.answered[mask],
            self.under[mask],
            self.quality[mask],
            self.premium_quality[mask],
            self.usd[mask],
            self.calibrates[mask],
            self.dollars,
        )

    def halves(self) -> tuple[TuningRows, TuningRows]:
        """Return the half to calibrate on and the half that is held out.

        Raises:
            EvaluationError: When one of them has fewer than 30 prompts.
        """
        calibration, held_out = self.where(self.calibrates), self.where(~self.calibrates)
        if min(len(calibration), len(held_out)) < LEAST_ROWS:
            raise EvaluationError(
                f"{len(self):,} distinct prompts fall into {len(calibration)} to calibrate on and "
                f"{len(held_out)} to judge by; give a hundred or more, so that each half has {LEAST_ROWS}"
            )
        return calibration, held_out

    def answered_by_one(self, mask: BoolArray, tier: int) -> TuningRows:
        """Return the rows with one tier answering those of the mask, shape (n,), whichever tier is asked."""
        return TuningRows(
            self.probabilities,
            self.known_vocabulary,
            _fixed(self.answered, mask, tier),
            _fixed(self.under, mask, tier),
            _fixed(self.quality, mask, tier),
            self.premium_quality,
            _fixed(self.usd, mask, tier),
            self.calibrates,
            self.dollars,
        )


def labelled_tuning_rows(
    predictor: Predictor, data: LabelledData, cost_model: CostModel, *, part: str = "all"
) -> TuningRows:
    """Let a model judge labelled prompts, each distinct one once.

    Args:
        predictor: The model.
        data: The labelled prompts.
        cost_model: Prices and assumed lengths.
        part: Keep the prompts of this part of the split alone ("train", "validation", "test"), or "all".

    Raises:
        EvaluationError: When there are no prompts.
    """
    distinct = data.where(~data.frame["text"].duplicated().to_numpy())
    prompts, needed = list(distinct.frame["prompt"]), distinct.frame["tier"].to_numpy(dtype=np.int64)
    if not prompts:
        raise EvaluationError("there are no labelled prompts to tune on; give a hundred or more")
    judged = _judged(predictor, prompts)
    under = np.arange(TIERS) < needed[:, None]
    rows = TuningRows(
        judged.probabilities,
        judged.known_vocabulary,
        answered=np.tile(np.arange(TIERS, dtype=np.int64), (len(prompts), 1)),
        under=under,
        quality=np.where(under, 0.0, 1.0),
        premium_quality=np.ones(len(prompts)),
        usd=cost_model.usd_by_tier(needed, input_tokens(prompts)),
        calibrates=judged.calibrates,
        dollars=cost_model.assumptions(),
    )
    return rows if part == "all" else rows.where(judged.parts == part)


def outcome_tuning_rows(
    predictor: Predictor,
    table: OutcomeTable,
    cost_model: CostModel,
    *,
    tolerance: float = 0.0,
    part: str = "all",
) -> TuningRows:
    """Let a model judge the prompts of an outcome table.

    Args:
        predictor: The model.
        table: Outcomes, each distinct prompt once; premium among the tiers.
        cost_model: Prices and assumed tokens, for a table without bills.
        tolerance: How much below the best score an answer will do, in [0, 1].
        part: Keep the prompts of this part of the split alone ("train", "validation", "test"), or "all".

    Raises:
        EvaluationError: When premium, which everything is measured against, was not scored.
    """
    if int(table.tiers[-1]) != TIERS - 1:
        raise EvaluationError(
            f"the outcome table scores {' and '.join(map(str, table.tiers))}; quality is measured against "
            f"always-{TIER_NAMES[-1]}, so name its column too (--premium COL)"
        )
    columns = table.columns_of(np.arange(TIERS, dtype=np.int64))
    answered = np.array([int(table.tiers[column]) for column in columns], dtype=np.int64)
    needed = label_outcomes(table.scores, table.tiers, tolerance=tolerance).tiers
    judged = _judged(predictor, table.prompts)
    found = usd_of(table, cost_model)
    rows = TuningRows(
        judged.probabilities,
        judged.known_vocabulary,
        answered=np.tile(answered, (len(table), 1)),
        under=answered < needed[:, None],
        quality=table.scores[:, columns],
        premium_quality=table.scores[:, -1],
        usd=found.usd[:, columns],
        calibrates=judged.calibrates,
        dollars=basis_words(found.basis, cost_model),
    )
    return rows if part == "all" else rows.where(judged.parts == part)


class _Judged(NamedTuple):
    """What one pass over the prompts found; arrays of shape (n, ...)."""

    probabilities: FloatArray
    known_vocabulary: FloatArray
    calibrates: BoolArray
    parts: NDArray[np.str_]


def _judged(predictor: Predictor, prompts: Iterable[Prompt]) -> _Judged:
    judged = ((predictor.decide(prompt), _text_of(prompt)) for prompt in prompts)
    rows = (
        (*found.probabilities, found.known_vocabulary, _calibrates(text), PARTS.index(split_name(text)))
        for found, text in judged
    )
    numbers = cast("FloatArray", np.fromiter(rows, dtype=np.dtype((np.float64, TIERS + 3))))
    parts = np.asarray(PARTS)[numbers[:, 5].astype(np.int64)]
    return _Judged(numbers[:, :TIERS], numbers[:, TIERS], numbers[:, 4] == 1, parts)


def _text_of(prompt: Prompt) -> str:
    return normal_text(cast("str | Sequence[Mapping[str, object]]", prompt))


def _calibrates(text: str) -> bool:
    encoded = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(encoded, digest_size=8, person=b"tierwise-tune").digest()[0] % 2 == 0


def _fixed(values: Values, mask: BoolArray, tier: int) -> Values:
    return np.where(mask[:, None], values[:, tier : tier + 1], values)
