"""`compare`: say whether one model is better than another."""

import argparse

from training.commands.inputs import load_predictor, print_result, read_data
from training.commands.options import add_data, add_json, add_model, add_part, add_seed
from training.commands.parts import chosen_part
from training.comparison import compare_models
from training.report_text import comparison_text

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "compare"
HELP = "say whether one model is better than another"
EXAMPLES = """\
examples:
  python -m training compare default model.tierwise data/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    add_model(parser, "first")
    add_model(parser, "second")
    add_data(parser)
    add_part(parser)
    add_seed(parser, "the bootstrap")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compare and report."""
    first, second = load_predictor(arguments.first), load_predictor(arguments.second)
    rows = read_data(arguments)
    data = chosen_part(rows, arguments.part, [first, second], outcomes=arguments.data)
    comparison = compare_models(first, second, data, seed=arguments.seed)
    print_result(arguments.json, comparison.as_dict, lambda: comparison_text(comparison))
    return 0
