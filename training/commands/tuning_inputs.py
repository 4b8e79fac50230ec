"""What `tune` reads: labelled rows or outcomes, of a part that the model was not fitted on."""

import argparse
from dataclasses import dataclass

from classifier import TierPredictor
from training.commands.inputs import read_data
from training.commands.outcome_options import names_outcomes, read_outcome_arguments
from training.commands.parts import fitted_parts_of_outcomes, part_to_judge_by
from training.costs import CostModel
from training.routed_rows import TIER_NAMES
from training.table_files import column_names, find_files
from training.tuning_rows import LEAST_ROWS, TuningRows, labelled_tuning_rows, outcome_tuning_rows
from training.unseen_rows import fitted_parts

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
        part = part_to_judge_by(arguments.part, fitted_parts_of_outcomes(predictor, table, arguments.data))
        rows = outcome_tuning_rows(predictor, table, cost_model, tolerance=arguments.tolerance, part=part)
        return TuningData(rows, table.digest, part, "outcomes")
    data = read_data(arguments)
    part = part_to_judge_by(arguments.part, fitted_parts([predictor.provenance], {data.digest}))
    rows = labelled_tuning_rows(predictor, data, cost_model, part=part)
    return TuningData(rows, data.digest, part, "labelled rows")


def _is_outcome_table(arguments: argparse.Namespace) -> bool:
    """Whether DATA holds outcomes; where it has labels too, these know nothing of scores and dollars."""
    scored = {f"score:{name}" for name in TIER_NAMES} & set(column_names(find_files(arguments.data)[0]))
    return len(scored) >= 2 or names_outcomes(arguments, arguments.data)
