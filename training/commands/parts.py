"""The part of the data to judge by: what was asked for, or one that no model was fitted on."""

import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from classifier import TierPredictor
from training.errors import DataError
from training.labelled import LabelledData, read_labelled
from training.outcome_files import read_outcomes
from training.outcome_table import OutcomeTable
from training.split import split_data
from training.table_files import column_names, find_files
from training.unseen_rows import Part, fitted_parts, unseen_part

__all__ = ["chosen_part", "fitted_parts_of_outcomes", "part_to_judge_by", "rows_of_part", "warn_of_tuning"]


def chosen_part(
    data: LabelledData, asked: str, predictors: Sequence[TierPredictor], *, outcomes: Path | str | None = None
) -> LabelledData:
    """Return the rows to judge models by, and say on standard error what that means for the figures.

    Args:
        data: the labelled rows.
        asked: a part, or "auto".
        predictors: the models.
        outcomes: the digest of the outcomes that the labels come from, or the file that may hold scores
            beside the labels: a policy tuned on outcomes knows the data by these.

    Raises:
        EvaluationError: when the models were fitted on every part between them, and no part was asked for.
    """
    fitted = fitted_parts([predictor.provenance for predictor in predictors], {data.digest})
    part = part_to_judge_by(asked, fitted)
    if any(map(_tuned_on, predictors)):
        scores = _scores_digest(outcomes) if isinstance(outcomes, Path) else outcomes
        for predictor in predictors:
            warn_of_tuning(predictor, data.digest, *([scores] if scores else []))
    return rows_of_part(data, part)


def part_to_judge_by(asked: str, fitted: Collection[str]) -> Part:
    """Return the part that was asked for; on "auto" one that was not fitted on, said on standard error.

    Raises:
        EvaluationError: when nothing is left.
    """
    if asked != "auto":
        if asked in fitted or (asked == "all" and fitted):
            print("note: some of these rows were fitted on; the figures flatter the model", file=sys.stderr)
        return asked  # type: ignore[return-value]  # the parser takes no others
    part = unseen_part(fitted)
    if fitted:
        print(f"note: fitted on parts of this data: judged by its {part} rows", file=sys.stderr)
    return part


def rows_of_part(data: LabelledData, part: Part) -> LabelledData:
    """Return the rows of a part."""
    return data if part == "all" else getattr(split_data(data), part)


def fitted_parts_of_outcomes(predictor: TierPredictor, table: OutcomeTable, path: Path) -> frozenset[str]:
    """Return the parts of outcomes that a model was fitted on; it may know them by their labels."""
    facts = predictor.provenance.get("training_data", {})
    if "rows" in facts and 2 * _rows_seen(facts) < len(table):
        return frozenset()  # of other data, then: a million labels need not be read to know that
    return fitted_parts([predictor.provenance], {table.digest, *_labelled_digest(path)})


def warn_of_tuning(predictor: TierPredictor, *digests: str) -> None:
    """Say on standard error where the model's policy was chosen on this very data, labelled or outcomes."""
    if _tuned_on(predictor) in digests:
        print("note: the policy was tuned on half of this data, or of a part of it", file=sys.stderr)


def _tuned_on(predictor: TierPredictor) -> str | None:
    """Return the digest of the data that the policy was tuned on; None where it was not, or nobody knows."""
    chosen_for = predictor.provenance.get("policy_chosen_for", {})
    data = chosen_for.get("data") if isinstance(chosen_for, dict) else None
    digest = data.get("digest") if isinstance(data, dict) else None
    return digest if isinstance(digest, str) else None


def _scores_digest(path: Path) -> str | None:
    """Return the digest of the scores that stand beside labels; None without any that could be tuned on."""
    try:
        return read_outcomes(path, skip_bad_rows=True, at_least=1).digest
    except DataError:
        return None


def _rows_seen(facts: Mapping[str, Any]) -> int:
    """How many rows a model's data had, with those that nearly repeat held-out ones and so were left out."""
    left_out: int = facts.get("near_duplicates_left_out", 0)
    kept: int = sum(facts["rows"].values())
    return kept + left_out


def _labelled_digest(path: Path) -> Collection[str]:
    if not all("tier" in column_names(file) for file in find_files(path)):
        return ()
    try:
        return (read_labelled(path, skip_bad_rows=True, rows_per_tier=0).digest,)
    except DataError:
        return ()  # no labels that a model could have been fitted on
