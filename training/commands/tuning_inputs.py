"""What `tune` reads: labelled rows or outcomes, of a part that the model was not fitted on."""

import argparse
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from classifier import TierPredictor
from training.commands.inputs import read_data
from training.commands.outcome_options import names_outcomes, read_outcome_arguments
from training.costs import CostModel
from training.errors import DataError, EvaluationError
from training.labelled import read_labelled
from training.routed_rows import TIER_NAMES
from training.table_files import column_names, find_files
from training.tuning_rows import LEAST_ROWS, TuningRows, labelled_tuning_rows, outcome_tuning_rows

__all__ = ["TuningData", "read_tuning_data"]


@dataclass(frozen=True, slots=True, eq=False)
class TuningData:
    """What a policy is tuned on, and where it comes from.

    Attributes:
        rows: The prompts.
        digest: SHA-256 of the data, in hexadecimal.
        part: The part of the data that was taken, or "all".
        kind: "labelled rows" or "outcomes".
    """

    rows: TuningRows
    digest: str
    part: str
    kind: str


def read_tuning_data(
    arguments: argparse.Namespace, predictor: TierPredictor, cost_model: CostModel
) -> TuningData:
    """Read the data, and let the model judge it.

    Args:
        arguments: `data`, `part`, `skip_bad_rows` and what `outcome_options.add_outcome_columns` adds.
        predictor: The model.
        cost_model: Prices and assumed tokens.

    Raises:
        DataError: When the data cannot be used.
        EvaluationError: When the model was fitted on all of it.
    """
    if _is_outcome_table(arguments):
        table = read_outcome_arguments(arguments, name="data", at_least=2 * LEAST_ROWS)
        part = _part(arguments.part, predictor, {table.digest, *_labelled_digest(arguments.data)})
        rows = outcome_tuning_rows(predictor, table, cost_model, tolerance=arguments.tolerance, part=part)
        return TuningData(rows, table.digest, part, "outcomes")
    data = read_data(arguments)
    part = _part(arguments.part, predictor, {data.digest})
    rows = labelled_tuning_rows(predictor, data, cost_model, part=part)
    return TuningData(rows, data.digest, part, "labelled rows")


def _is_outcome_table(arguments: argparse.Namespace) -> bool:
    """Whether DATA holds outcomes; where it has labels too, these know nothing of scores and dollars."""
    scored = {f"score:{name}" for name in TIER_NAMES} & set(column_names(find_files(arguments.data)[0]))
    return len(scored) >= 2 or names_outcomes(arguments, arguments.data)


def _labelled_digest(path: Path) -> Collection[str]:
    """The digest under which a model would know an outcome table that has labels too."""
    if not all("tier" in column_names(file) for file in find_files(path)):
        return ()
    try:
        return (read_labelled(path, skip_bad_rows=True, rows_per_tier=0).digest,)
    except DataError:
        return ()  # its labels are none that a model could be fitted on


def _part(asked: str, predictor: TierPredictor, digests: Collection[str]) -> str:
    facts = predictor.provenance.get("training_data", {})
    fitted = facts.get("fitted_on", []) if facts.get("digest") in digests else []
    if asked != "auto":
        if asked in fitted or (asked == "all" and fitted):
            print("note: the model was fitted on some of these rows; the figures flatter it", file=sys.stderr)
        return asked
    if not fitted:
        return "all"
    unseen = [part for part in ("validation", "test") if part not in fitted]
    if not unseen:
        raise EvaluationError(
            "the model was fitted on every part of this data: give rows that it has not seen"
        )
    print(f"note: fitted on parts of this data: only its {unseen[0]} rows are used", file=sys.stderr)
    return unseen[0]
