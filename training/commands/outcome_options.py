"""What commands ask about a table of outcomes, and how they read it."""

import argparse
import sys
from pathlib import Path

from classifier import TIERS
from training.commands.options import share
from training.outcome_cells import UNIT_SCALE, Scale
from training.outcome_files import FEWEST_PROMPTS, OutcomeColumns, OutcomeReading, read_outcome_files
from training.outcome_labels import OutcomeLabels, label_outcomes
from training.outcome_table import OutcomeTable
from training.table_files import column_names, find_files

__all__ = [
    "add_label_rule",
    "add_outcome_columns",
    "add_outcomes",
    "labels_asked_for",
    "names_outcomes",
    "outcome_columns",
    "read_outcome_arguments",
    "read_outcome_arguments_fully",
]


def add_outcomes(parser: argparse.ArgumentParser, name: str = "outcomes") -> None:
    """Add the outcome file itself, `--skip-bad-rows`, and the names of its columns."""
    parser.add_argument(
        name,
        type=Path,
        metavar=name.upper(),
        help="CSV, JSON Lines or Parquet: a score column a model, or rows of prompt, model and score",
    )
    parser.add_argument(
        "--skip-bad-rows",
        action="store_true",
        help="leave bad rows out, count and list them, instead of stopping",
    )
    add_outcome_columns(parser)


def add_outcome_columns(parser: argparse.ArgumentParser) -> None:
    """Add which columns, or models of a long table, the tiers are; `read_outcome_arguments` obeys."""
    for tier in TIERS:
        parser.add_argument(
            f"--{tier.label}",
            metavar="COL",
            help=f"score column of the {tier.label} tier, or its model in a long table (score:{tier.label})",
        )
    parser.add_argument(
        "--usd",
        nargs="+",
        default=(),
        metavar="COL",
        help="columns with the dollars of one answer, one for each tier (COL|total_cost, usd:COL, cost:COL)",
    )
    parser.add_argument(
        "--tokens",
        nargs="+",
        default=(),
        metavar="COL",
        help="columns with the tokens of one question and answer, likewise (tokens:COL)",
    )
    parser.add_argument(
        "--scale",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="the scale of the scores, such as 1 10; it is mapped onto 0 to 1",
    )


def add_label_rule(parser: argparse.ArgumentParser) -> None:
    """Add what decides the labels; `labels_asked_for` obeys."""
    parser.add_argument(
        "--tolerance",
        type=share,
        default=0.0,
        metavar="T",
        help="how much worse than the best score still will do, in [0, 1] (%(default)s)",
    )
    parser.add_argument(
        "--tie-weight",
        type=_weight,
        metavar="W",
        help="weight of a prompt on which all tiers do equally well, above 0, up to 1 (from the mean scores)",
    )


def labels_asked_for(arguments: argparse.Namespace, table: OutcomeTable) -> OutcomeLabels:
    """Return the labels of a table by the rule that was asked for."""
    if arguments.tie_weight is None:
        return label_outcomes(table.scores, table.tiers, tolerance=arguments.tolerance)
    return label_outcomes(
        table.scores, table.tiers, tolerance=arguments.tolerance, tie_weight=arguments.tie_weight
    )


def names_outcomes(arguments: argparse.Namespace, path: Path) -> bool:
    """Return whether a file is to be read as outcomes: tiers were named, or it has scores and no labels."""
    if any(getattr(arguments, tier.label) is not None for tier in TIERS):
        return True
    header = set(column_names(find_files(path)[0]))
    scored = sum(f"score:{tier.label}" in header for tier in TIERS) >= 2 or {"model", "score"} <= header
    return "tier" not in header and scored


def _weight(text: str) -> float:
    number = share(text)
    if number == 0.0:
        raise argparse.ArgumentTypeError(f"{text!r}: a weight of 0 would drop these prompts; use one above 0")
    return number


def outcome_columns(arguments: argparse.Namespace) -> OutcomeColumns:
    """Return the columns that were asked for."""
    return OutcomeColumns(
        arguments.cheap,
        arguments.balanced,
        arguments.premium,
        usd=tuple(arguments.usd),
        tokens=tuple(arguments.tokens),
    )


def read_outcome_arguments(
    arguments: argparse.Namespace, *, name: str = "outcomes", at_least: int = FEWEST_PROMPTS
) -> OutcomeTable:
    """Read the outcomes that were asked for, and say on standard error what was left out.

    Args:
        arguments: the file under `name`, `skip_bad_rows`, and what `add_outcome_columns` adds.
        name: which argument holds the file.
        at_least: how many prompts there must be.
    """
    reading = read_outcome_arguments_fully(arguments, name=name, at_least=at_least)
    for line in _remarks(reading):
        print(f"note: {line}", file=sys.stderr)
    return reading.table


def read_outcome_arguments_fully(
    arguments: argparse.Namespace, *, name: str = "outcomes", at_least: int = FEWEST_PROMPTS
) -> OutcomeReading:
    """Read the outcomes that were asked for, with what was done to read them; list skipped rows."""
    reading = read_outcome_files(
        getattr(arguments, name),
        outcome_columns(arguments),
        scale=Scale(*arguments.scale) if arguments.scale else UNIT_SCALE,
        skip_bad_rows=arguments.skip_bad_rows,
        at_least=at_least,
    )
    for line in reading.left_out.first_bad:
        print(f"skipped: {line}", file=sys.stderr)
    more = reading.left_out.bad - len(reading.left_out.first_bad)
    if more > 0:
        print(f"skipped: {more:,} more bad rows", file=sys.stderr)
    return reading


def _remarks(reading: OutcomeReading) -> list[str]:
    found = reading.left_out
    counts = {
        "contaminated rows left out": found.contaminated,
        "without a score of every tier left out": found.incomplete,
        "prompts with different scores of one model: their mean is taken": reading.disagreeing,
    }
    return [*(f"{count:,} {text}" for text, count in counts.items() if count), *reading.notes]
