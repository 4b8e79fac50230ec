"""The part of the data to judge by: what was asked for, or one that no model was fitted on."""

import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from classifier import TierPredictor
from training.errors import DataError
from training.labelled import LabelledData, read_labelled
from training.outcome_table import OutcomeTable
from training.split import split_data
from training.table_files import column_names, find_files
from training.unseen_rows import Part, fitted_parts, unseen_part

__all__ = ["chosen_part", "fitted_parts_of_outcomes", "part_to_judge_by", "rows_of_part", "warn_of_tuning"]


def chosen_part(data: LabelledData, asked: str, predictors: Sequence[TierPredictor]) -> LabelledData:
    """Return the rows to judge models by, and say on standard error what that means for the figures.

    Raises:
        EvaluationError: when the models were fitted on every part between them, and no part was asked for.
    """
    fitted = fitted_parts([predictor.provenance for predictor in predictors], {data.digest})
    part = part_to_judge_by(asked, fitted)
    for predictor in predictors:
        warn_of_tuning(predictor, data.digest)
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
    rows = predictor.provenance.get("training_data", {}).get("rows")
    if rows is not None and 2 * sum(rows.values()) < len(table):
        return frozenset()  # of other data, then: a million labels need not be read to know that
    return fitted_parts([predictor.provenance], {table.digest, *_labelled_digest(path)})


def warn_of_tuning(predictor: TierPredictor, digest: str) -> None:
    """Say on standard error where the model's policy was chosen on this very data, labelled or outcomes."""
    chosen_for = predictor.provenance.get("policy_chosen_for", {})
    tuned_on = chosen_for.get("data") if isinstance(chosen_for, dict) else None
    if isinstance(tuned_on, dict) and tuned_on.get("digest") == digest:
        print("note: the policy was tuned on half of this data, or of a part of it", file=sys.stderr)


def _labelled_digest(path: Path) -> Collection[str]:
    if not all("tier" in column_names(file) for file in find_files(path)):
        return ()
    try:
        return (read_labelled(path, skip_bad_rows=True, rows_per_tier=0).digest,)
    except DataError:
        return ()  # no labels that a model could have been fitted on
