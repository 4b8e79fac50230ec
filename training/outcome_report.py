"""What a table of outcomes holds, and what labels it gives."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from classifier import Tier
from training.errors import DataError
from training.outcome_files import LeftOut, OutcomeReading
from training.outcome_groups import Noise
from training.outcome_labels import OutcomeLabels
from training.outcome_table import OutcomeTable

__all__ = ["SOLVED", "OutcomeReport", "TierOutcomes", "outcome_report", "refuse_one_tier", "shaky_share"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

SOLVED: Final = 0.5
"""A prompt counts as solved by a tier that scores this much on it."""


@dataclass(frozen=True, slots=True)
class TierOutcomes:
    """One tier's part in a table.

    Attributes:
        tier: which.
        model: the model behind it.
        labels: prompts with this label.
        label_weight: the sum of their weights.
        best_alone: prompts on which it scored more than every other tier.
        mean_score: in [0, 1].
        mean_usd: US dollars for one answer; None where the table does not say.
        mean_tokens: tokens of one question and answer; None where the table does not say.
        noise: standard deviation of its scores on one prompt; None where it answered none twice.
    """

    tier: Tier
    model: str
    labels: int
    label_weight: float
    best_alone: int
    mean_score: float
    mean_usd: float | None
    mean_tokens: float | None
    noise: float | None


@dataclass(frozen=True, slots=True)
class OutcomeReport:
    """What was read, and what labels came of it.

    Attributes:
        rows: rows that were used (of a long table, one for each model's answer).
        prompts: different prompts among them.
        disagreeing: prompts with different scores of one model, of which the mean was taken.
        left_out: the other rows.
        tiers: each tier's part, ascending.
        nobody: prompts that no tier solved.
        everybody: prompts that every tier solved.
        weight: the sum of all weights.
        noise: standard deviation of the scores of one model on one prompt; None without repeats.
        noise_prompts: how many prompts that comes from.
        shaky: of the labels above the lowest tier, the share whose tier beats the cheaper ones by less than
            twice the standard error of the difference; None where the noise is unknown.
        warnings: what one should know before training on this, a sentence each.
    """

    rows: int
    prompts: int
    disagreeing: int
    left_out: LeftOut
    tiers: tuple[TierOutcomes, ...]
    nobody: int
    everybody: int
    weight: float
    noise: float | None
    noise_prompts: int
    shaky: float | None
    warnings: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """Return the report under stable keys, ready for JSON."""
        found = self.left_out
        return {
            "rows": self.rows,
            "prompts": self.prompts,
            "prompts_with_different_scores": self.disagreeing,
            "left_out": {
                "bad": found.bad,
                "contaminated": found.contaminated,
                "incomplete": found.incomplete,
                "other_models": found.unnamed,
            },
            "nobody_solves_it": self.nobody,
            "everybody_solves_it": self.everybody,
            "weight": self.weight,
            "noise": self.noise,
            "noise_prompts": self.noise_prompts,
            "shaky_labels": self.shaky,
            "tiers": {
                part.tier.label: {
                    "model": part.model,
                    "labels": part.labels,
                    "label_weight": part.label_weight,
                    "best_alone": part.best_alone,
                    "mean_score": part.mean_score,
                    "mean_usd": part.mean_usd,
                    "mean_tokens": part.mean_tokens,
                    "noise": part.noise,
                }
                for part in self.tiers
            },
            "warnings": list(self.warnings),
        }


def refuse_one_tier(table: OutcomeTable, labels: OutcomeLabels) -> None:
    """Refuse labels that are all the same.

    Raises:
        DataError: saying which, and what that means.
    """
    only = np.unique(labels.tiers)
    if len(only) == 1:
        name = table.names[table.tiers.index(Tier(int(only[0])))]
        raise DataError(
            f"every label comes out as '{Tier(int(only[0]))}' ('{name}'): there is nothing to learn; send"
            " everything to it, or check the score columns and the tolerance"
        )


def outcome_report(reading: OutcomeReading, labels: OutcomeLabels) -> OutcomeReport:
    """Return what a table holds and what labels it gives.

    Args:
        reading: the table, and how it was read.
        labels: the labels of its prompts.
    """
    table = reading.table
    parts = tuple(_part(table, labels, reading.noise, column) for column in range(len(table.tiers)))
    solved = table.scores >= SOLVED
    shaky = None if reading.noise is None else shaky_share(table, labels, reading.noise, reading.answers)
    return OutcomeReport(
        rows=reading.rows,
        prompts=len(table),
        disagreeing=reading.disagreeing,
        left_out=reading.left_out,
        tiers=parts,
        nobody=int((~solved).all(axis=1).sum()),
        everybody=int(solved.all(axis=1).sum()),
        weight=float(labels.weights.sum()),
        noise=table.noise,
        noise_prompts=reading.noise.prompts if reading.noise else 0,
        shaky=shaky,
        warnings=(*reading.notes, *_warnings(table, parts, shaky)),
    )


def _part(table: OutcomeTable, labels: OutcomeLabels, noise: Noise | None, column: int) -> TierOutcomes:
    others = np.delete(table.scores, column, axis=1).max(axis=1)
    labelled = labels.tiers == int(table.tiers[column])
    deviation = float("nan") if noise is None else float(noise.by_tier[column])
    return TierOutcomes(
        tier=table.tiers[column],
        model=table.names[column],
        labels=int(labelled.sum()),
        label_weight=float(labels.weights[labelled].sum()),
        best_alone=int((table.scores[:, column] > others).sum()),
        mean_score=float(table.scores[:, column].mean()),
        mean_usd=_mean(table.usd, column),
        mean_tokens=_mean(table.tokens, column),
        noise=None if np.isnan(deviation) else deviation,
    )


def _mean(values: FloatArray | None, column: int) -> float | None:
    return None if values is None else float(values[:, column].mean())


def shaky_share(table: OutcomeTable, labels: OutcomeLabels, noise: Noise, answers: IntArray) -> float | None:
    """Return the share of labels above the lowest tier that rest on a difference below two standard errors.

    The difference is that between the best score and the best of the tiers cheaper than the label; its
    standard error is sqrt(s_a^2 / n_a + s_b^2 / n_b), with the pooled deviations s of the two tiers and the
    numbers n of answers behind their means. None where every label is the lowest tier.
    """
    variances = np.where(np.isnan(noise.by_tier), noise.overall, noise.by_tier) ** 2 / answers
    columns = table.columns_of(labels.tiers)
    rows = np.flatnonzero(columns > 0)
    if not len(rows):
        return None
    places = np.arange(len(table.tiers))
    cheaper = np.where(places < columns[rows, None], table.scores[rows], -1.0)
    best, rival = table.scores[rows].argmax(axis=1), cheaper.argmax(axis=1)
    difference = table.scores[rows, best] - table.scores[rows, rival]
    error = np.sqrt(variances[rows, best] + variances[rows, rival])
    return float((difference < 2 * error).mean())


def _warnings(table: OutcomeTable, parts: Sequence[TierOutcomes], shaky: float | None) -> list[str]:
    found = [
        f"'{part.tier}' ({part.model}) never is the label: nothing here says when to choose it;"
        " leave it out and name the others"
        for part in parts
        if not part.labels
    ]
    found += [
        f"only {part.labels:,} labels are '{part.tier}': too few to learn from with confidence"
        for part in parts
        if 0 < part.labels < 30
    ]
    for lower, upper in pairwise(parts):
        if lower.mean_score > upper.mean_score:
            found.append(
                f"'{lower.tier}' ({lower.model}) scores more on average than '{upper.tier}' ({upper.model}):"
                " is each model in its tier?"
            )
        if (
            lower.mean_usd is not None
            and upper.mean_usd is not None
            and lower.mean_usd > 1.1 * upper.mean_usd
        ):
            found.append(
                f"'{lower.tier}' costs more on average than '{upper.tier}': is each model in its tier?"
            )
    if shaky is not None and shaky > 0.5:
        found.append(
            "most labels above the lowest tier are within the noise: more answers a prompt would tell"
        )
    if len(table) < 200:
        found.append(
            f"{len(table):,} prompts are few: figures from them will be wide; a few hundred are better"
        )
    return found
