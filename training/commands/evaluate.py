"""`evaluate`: judge a model on labelled prompts."""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from classifier.atomic_file import write_whole
from training.commands.inputs import load_predictor, print_result, read_data, refuse_unwritable
from training.commands.options import add_data, add_json, add_model, add_part, add_seed, whole_number
from training.commands.outcome_options import (
    add_label_rule,
    add_outcome_columns,
    labels_asked_for,
    names_outcomes,
    read_outcome_arguments_fully,
)
from training.commands.parts import chosen_part
from training.evaluation import evaluate_model
from training.labelled import LabelledData
from training.outcome_labelled import labelled_outcomes, sampled_prompts
from training.report_html import evaluation_html
from training.report_text import evaluation_text
from training.text_tables import wrapped

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

MOST_PROMPTS = 50_000

NAME = "evaluate"
HELP = "judge a model on labelled prompts or outcomes"
EXAMPLES = """\
examples:
  python -m training evaluate model.tierwise data/ --part test --html report.html
  python -m training evaluate default data/
  python -m training evaluate default outcomes.csv --cheap small-model --premium large-model

Outcomes get their labels by the rule of `python -m training outcomes`: no need to write them first.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    add_model(parser)
    add_data(parser)
    add_part(parser)
    add_seed(parser, "the bootstrap")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write a self-contained HTML report")
    add_outcome_columns(parser)
    add_label_rule(parser)
    parser.add_argument(
        "--limit",
        type=whole_number(1),
        default=MOST_PROMPTS,
        metavar="N",
        help="of outcomes, judge by at most so many prompts, drawn at random (%(default)s)",
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and report."""
    predictor = load_predictor(arguments.model)
    if arguments.html:
        refuse_unwritable(arguments.html)
    rows = _labelled(arguments) if names_outcomes(arguments, arguments.data) else _Rows(read_data(arguments))
    data = chosen_part(
        rows.data, arguments.part, [predictor], outcomes=rows.outcomes_digest or arguments.data
    )
    evaluation = evaluate_model(predictor, data, seed=arguments.seed)
    if arguments.html:
        write_whole(arguments.html, evaluation_html(evaluation).encode())
    print_result(
        arguments.json,
        lambda: {**evaluation.as_dict(), **({"labels_from": rows.remark} if rows.remark else {})},
        lambda: (rows.remark and wrapped(f"labels: {rows.remark}") + "\n\n") + evaluation_text(evaluation),
    )
    return 0


@dataclass(frozen=True, slots=True)
class _Rows:
    """Labelled prompts; where outcomes gave the labels, how, and the digest of the outcomes."""

    data: LabelledData
    remark: str = ""
    outcomes_digest: str = ""


def _labelled(arguments: argparse.Namespace) -> _Rows:
    """Return outcomes as labelled prompts."""
    reading = read_outcome_arguments_fully(arguments, name="data", at_least=1)
    table = reading.table
    labels = labels_asked_for(arguments, table)
    kept = sampled_prompts(len(table), arguments.limit, seed=arguments.seed)
    models = ", ".join(f"{tier} {name}" for tier, name in zip(table.tiers, table.names, strict=True))
    drawn = "" if len(kept) == len(table) else f"; {len(kept):,} prompts of {len(table):,} drawn at random"
    if drawn:
        print("note: of a drawn part nobody can tell whether the model was fitted on it", file=sys.stderr)
    remark = f"from outcomes ({models}): the cheapest tier within {arguments.tolerance:g} of the best{drawn}"
    return _Rows(labelled_outcomes(reading.source, labels, kept), remark, table.digest)
