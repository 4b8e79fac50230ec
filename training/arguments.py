"""The command line of `python -m training`: what can be asked for."""

import argparse
from pathlib import Path

from training.policy_choice import DEFAULT_UNDER_ROUTING

__all__ = ["PARTS", "build_parser"]

PARTS = ("auto", "all", "train", "validation", "test")

_EXAMPLES = """\
examples:
  python -m training train data/ --out model.tierwise
  python -m training train prompts.csv --tune --jobs 2 --under-routing 0.05
  python -m training evaluate model.tierwise data/ --part test --html report.html
  python -m training compare default model.tierwise data/
  python -m training card data/
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train a tier classifier on labelled prompts, and judge it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_train(commands.add_parser("train", help="fit a model on labelled prompts and write its file"))
    _add_evaluate(commands.add_parser("evaluate", help="judge a model on labelled prompts"))
    _add_compare(commands.add_parser("compare", help="say whether one model is better than another"))
    card = commands.add_parser("card", help="print the tables of a data card")
    _add_data(card)
    return parser


def _add_train(parser: argparse.ArgumentParser) -> None:
    _add_data(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("model.tierwise"),
        metavar="FILE",
        help="the model file to write; the scikit-learn pipeline goes beside it as FILE.joblib (%(default)s)",
    )
    parser.add_argument("--settings", type=Path, metavar="FILE", help="settings to fit with, as JSON")
    parser.add_argument(
        "--tune", action="store_true", help="search the settings first, with whole sources held out"
    )
    parser.add_argument(
        "--no-refit",
        action="store_true",
        help="leave the validation rows out of the last fit, so that models can be compared on them",
    )
    parser.add_argument(
        "--final", action="store_true", help="report on the test split too: look at it rarely"
    )
    parser.add_argument(
        "--under-routing",
        type=_share,
        default=DEFAULT_UNDER_ROUTING,
        metavar="SHARE",
        help="share of prompts that may get too low a tier, in [0, 1]; sets max_risk (%(default)s)",
    )
    parser.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="of search and bootstrap (%(default)s)"
    )
    parser.add_argument(
        "--jobs", type=_jobs, default=2, metavar="N", help="processes of the search (%(default)s)"
    )
    parser.add_argument(
        "--no-tracking",
        action="store_true",
        help="do not store the run in MLflow (its place: MLFLOW_TRACKING_URI, or else mlflow.db here)",
    )
    parser.add_argument(
        "--experiment", default="tierwise", metavar="NAME", help="MLflow experiment (%(default)s)"
    )
    _add_json(parser)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    _add_model(parser, "model")
    _add_data(parser)
    _add_part(parser)
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write a self-contained HTML report")
    _add_json(parser)


def _add_compare(parser: argparse.ArgumentParser) -> None:
    _add_model(parser, "first")
    _add_model(parser, "second")
    _add_data(parser)
    _add_part(parser)
    _add_json(parser)


def _add_model(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument(name, metavar=name.upper(), help="a model file, or 'default' for the packaged model")


def _add_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="a CSV, JSON Lines or Parquet file, or a folder of them"
    )
    parser.add_argument(
        "--skip-bad-rows",
        action="store_true",
        help="leave bad rows out, count and list them, instead of stopping",
    )


def _add_part(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--part",
        choices=PARTS,
        default="auto",
        help="the part of DATA to judge by; auto: all, or a part that no model was fitted on",
    )
    parser.add_argument("--seed", type=_seed, default=0, metavar="N", help="of the bootstrap (%(default)s)")


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def _share(text: str) -> float:
    number = float(text)
    if not 0.0 <= number <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is no share: it lies in [0, 1]")
    return number


def _seed(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**32:
        raise argparse.ArgumentTypeError(f"{text} is no seed: use a whole number from 0 on")
    return number


def _jobs(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} processes cannot work: use 1 or more")
    return number
