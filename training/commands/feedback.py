"""`feedback`: make labels of what users did with the answers."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from classifier.atomic_file import write_whole
from training import feedback_rows, feedback_rules
from training.commands.inputs import (
    print_result,
    refuse_other_than_json_lines,
    refuse_overwriting,
    refuse_unwritable,
)
from training.commands.options import add_json, share
from training.errors import DataError, RowError
from training.feedback_labels import LabelledPrompt, label_feedback
from training.feedback_merge import PREFERENCES, Merged, merge
from training.feedback_rows import FeedbackRow, feedback_files, read_feedback
from training.feedback_rules import DEFAULT_RULES, FeedbackRules
from training.feedback_text import feedback_facts, feedback_text
from training.labelled import read_labelled
from training.table_files import Report

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "feedback"
HELP = "make labels of what users did with the answers"
EXAMPLES = f"""\
{feedback_rows.__doc__}
{feedback_rules.__doc__}
examples:
  python -m training feedback decisions.jsonl --out labels.jsonl
  python -m training feedback logs/ --with data/ --out all.jsonl
  python -m training train all.jsonl --out model.tierwise
  python -m training evaluate model.tierwise data/ --part test
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument(
        "log", type=Path, metavar="LOG", help="a JSON Lines file of decisions, or a folder of them; see below"
    )
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the labelled set to write, as JSON Lines"
    )
    parser.add_argument(
        "--with",
        dest="data",
        type=Path,
        metavar="DATA",
        help="write this labelled set into FILE too, so that no prompt has two labels and `train` takes it",
    )
    parser.add_argument(
        "--prefer",
        choices=PREFERENCES,
        default="data",
        help="whose label stays where DATA and feedback differ (%(default)s)",
    )
    parser.add_argument(
        "--weight",
        type=float,
        default=DEFAULT_RULES.most,
        metavar="W",
        help="the largest weight of a label from feedback; labelled rows have 1 (%(default)s)",
    )
    parser.add_argument(
        "--trust",
        type=share,
        default=DEFAULT_RULES.trust,
        metavar="SHARE",
        help="how far to believe the logged probabilities, in [0, 1] (%(default)s)",
    )
    parser.add_argument(
        "--silence",
        type=float,
        default=DEFAULT_RULES.silence,
        metavar="ODDS",
        help="odds of silence that the tier was enough; 1: it says nothing, 1.2: a little (%(default)s)",
    )
    parser.add_argument(
        "--skip-bad-rows",
        action="store_true",
        help="leave bad rows out, count and list them, instead of stopping",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Read, label, write and report."""
    rules = FeedbackRules(silence=arguments.silence, trust=arguments.trust, most=arguments.weight)
    refuse_unwritable(arguments.out)
    refuse_other_than_json_lines(arguments.out)
    refuse_overwriting(arguments.out, arguments.log, arguments.data)
    files = feedback_files(arguments.log)
    skipped: list[RowError] = []
    report = _lister(skipped) if arguments.skip_bad_rows else _raise
    feedback = label_feedback(_rows(files, report), rules)
    if not feedback.labels:
        raise DataError(f"{arguments.log}: no prompt can be labelled: {_why(feedback.counts.rows)}")
    merged = _merged(arguments, feedback.labels)
    rows = merged.rows if merged else [label.as_row() for label in feedback.labels]
    write_whole(arguments.out, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())
    told = (feedback, merged, len(skipped), arguments.out)
    print_result(arguments.json, lambda: feedback_facts(*told), lambda: feedback_text(*told))
    return 0


def _merged(arguments: argparse.Namespace, labels: Sequence[LabelledPrompt]) -> Merged | None:
    if arguments.data is None:
        return None
    data = read_labelled(arguments.data, skip_bad_rows=arguments.skip_bad_rows, rows_per_tier=0)
    for row in data.skipped:
        print(f"skipped: {row}", file=sys.stderr)
    return merge(data, labels, arguments.prefer)


def _rows(files: Sequence[Path], report: Report) -> Iterator[FeedbackRow]:
    return (row for file in files for row in read_feedback(file, report))


def _why(rows: int) -> str:
    if not rows:
        return "it has no usable row"
    return f"none of its {rows:,} rows has a thumb, a retry or an escalation that tells what tier is needed"


def _raise(error: RowError) -> None:
    raise error


def _lister(skipped: list[RowError]) -> Report:
    def note(error: RowError) -> None:
        skipped.append(error)
        print(f"skipped: {error}", file=sys.stderr)

    return note
