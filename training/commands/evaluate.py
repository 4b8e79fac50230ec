"""`evaluate`: judge a model on labelled prompts."""

import argparse
from pathlib import Path

from classifier.atomic_file import write_whole
from training.commands.inputs import chosen_part, load_predictor, print_result, read_data, refuse_unwritable
from training.commands.options import add_data, add_json, add_model, add_part, add_seed
from training.evaluation import evaluate_model
from training.report_html import evaluation_html
from training.report_text import evaluation_text

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "evaluate"
HELP = "judge a model on labelled prompts"
EXAMPLES = """\
examples:
  python -m training evaluate model.tierwise data/ --part test --html report.html
  python -m training evaluate default data/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    add_model(parser)
    add_data(parser)
    add_part(parser)
    add_seed(parser, "the bootstrap")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write a self-contained HTML report")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate and report."""
    predictor = load_predictor(arguments.model)
    if arguments.html:
        refuse_unwritable(arguments.html)
    data = chosen_part(read_data(arguments), arguments.part, [predictor])
    evaluation = evaluate_model(predictor, data, seed=arguments.seed)
    if arguments.html:
        write_whole(arguments.html, evaluation_html(evaluation).encode())
    print_result(arguments.json, evaluation.as_dict, lambda: evaluation_text(evaluation))
    return 0
