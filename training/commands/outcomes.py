"""`outcomes`: make labels from how well each tier answered each prompt."""

import argparse
from dataclasses import replace
from pathlib import Path

from training.commands.inputs import (
    print_result,
    refuse_other_than_json_lines,
    refuse_overwriting,
    refuse_unwritable,
)
from training.commands.options import add_json
from training.commands.outcome_options import (
    add_label_rule,
    add_outcomes,
    labels_asked_for,
    read_outcome_arguments_fully,
)
from training.outcome_report import outcome_report, refuse_one_tier
from training.outcome_report_text import next_commands, outcome_report_text
from training.outcome_writing import write_labelled_outcomes
from training.table_files import column_names, find_files

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "outcomes"
HELP = "make labels from how well each tier answered each prompt"
EXAMPLES = """\
examples:
  python -m training outcomes scores.csv --cheap small --balanced middle --premium large
  python -m training outcomes ratings.parquet --cheap small --premium large --scale 1 10

A label is the cheapest tier whose score is within the tolerance of the best; where nobody solves a
prompt, the cheapest. Its weight is what a wrong choice would lose: 1 where the cheapest tier fails
and the label solves, the tie weight where all do equally well. A repeated prompt counts once, with
the mean of its scores. What is written is a labelled set for `train`, and an outcome table for
`curve`.
"""
_SIMULATED = "these outcomes are simulated: no model answered, so labels made of them teach nothing"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    add_outcomes(parser, "file")
    add_label_rule(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("labels.jsonl"),
        metavar="FILE",
        help="the labelled set to write, as JSON Lines (%(default)s)",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read, label, write and report."""
    refuse_unwritable(arguments.out)
    refuse_other_than_json_lines(arguments.out)
    refuse_overwriting(arguments.out, arguments.file)
    reading = read_outcome_arguments_fully(arguments, name="file")
    table = reading.table
    labels = labels_asked_for(arguments, table)
    refuse_one_tier(table, labels)
    report = outcome_report(reading, labels)
    if _is_simulated(arguments.file):
        report = replace(report, warnings=(_SIMULATED, *report.warnings))
    write_labelled_outcomes(arguments.out, table, reading.source.described(), labels)
    commands = next_commands(str(arguments.out), "model.tierwise", [tier.label for tier in table.tiers])
    print_result(
        arguments.json,
        lambda: {**report.as_dict(), "written": str(arguments.out), "next": commands},
        lambda: outcome_report_text(report, str(arguments.out), commands),
    )
    return 0


def _is_simulated(path: Path) -> bool:
    """Whether the rows say so themselves, as those of a rehearsal of `python -m serving label` do."""
    return any("simulated" in column_names(file) for file in find_files(path))
