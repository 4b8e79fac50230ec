"""`card`: print the tables of a data card."""

import argparse

from training.agreement import read_votes
from training.commands.inputs import read_data
from training.commands.options import add_data
from training.data_card import render_card_tables

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "card"
HELP = "print the tables of a data card"
EXAMPLES = """\
examples:
  python -m training card data/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    add_data(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the tables."""
    print(render_card_tables(read_data(arguments), read_votes(arguments.data)))
    return 0
