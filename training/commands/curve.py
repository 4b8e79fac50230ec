"""`curve`: quality against dollars, judged by outcomes."""

import argparse
from pathlib import Path

from tqdm import tqdm

from classifier import TierPredictor
from classifier.atomic_file import write_whole
from training.commands.inputs import load_predictor, print_result, refuse_overwriting, refuse_unwritable
from training.commands.options import PARTS, add_json, add_model, add_seed, whole_number
from training.commands.outcome_options import add_outcomes, read_outcome_arguments
from training.commands.parts import fitted_parts_of_outcomes, part_to_judge_by, warn_of_tuning
from training.cost_quality import RESAMPLES, cost_quality
from training.cost_quality_result import CostQuality, Seen
from training.costs import TIER_USD_PER_MILLION, CostModel
from training.curve_parts import part_of_table
from training.curve_plots import cost_quality_figure
from training.curve_remarks import remarks
from training.curve_table import points_csv
from training.curve_text import cost_quality_text
from training.errors import OutputError
from training.outcome_table import OutcomeTable
from training.picture_style import png, svg

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "curve"
HELP = "show what a model's routing is worth on outcomes: quality against dollars"
EXAMPLES = """\
examples:
  python -m training curve default outcomes.parquet --cheap score:small --premium score:large
  python -m training curve model.tierwise labels.jsonl --part test --plot curve.png --csv points.csv
  python -m training curve model.tierwise outcomes.csv --cheap a --balanced b --premium c \\
      --usd-per-million 0.15 0.60 2.50
"""
_PICTURES = (".png", ".svg")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    add_model(parser)
    add_outcomes(parser)
    parser.add_argument(
        "--part",
        choices=PARTS,
        default="auto",
        help="the part of OUTCOMES to judge by, as `train` splits it; auto: all, or one it was not fitted on",
    )
    parser.add_argument(
        "--usd-per-million",
        nargs=3,
        type=float,
        default=TIER_USD_PER_MILLION,
        metavar=("CHEAP", "BALANCED", "PREMIUM"),
        help="US dollars per million tokens, used where OUTCOMES has no dollars of its own (0.25 0.28 2.50)",
    )
    parser.add_argument(
        "--resamples",
        type=whole_number(1, 100_000),
        default=RESAMPLES,
        metavar="N",
        help="bootstrap draws behind the intervals (%(default)s)",
    )
    add_seed(parser, "the bootstrap")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="also write the points of all curves")
    parser.add_argument("--plot", type=_picture, metavar="FILE", help="also draw it, as .png or .svg")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Judge and report."""
    prices = CostModel(tuple(arguments.usd_per_million))
    predictor = load_predictor(arguments.model)
    for file in filter(None, (arguments.csv, arguments.plot)):
        refuse_unwritable(file)
        refuse_overwriting(file, arguments.outcomes)
    _refuse_one_file_for_both(arguments.csv, arguments.plot)
    table, seen = _chosen_rows(arguments, predictor)
    with tqdm(total=2 * len(table), unit=" prompts", disable=None, leave=False) as bar:
        found = cost_quality(
            predictor,
            table,
            cost_model=prices,
            resamples=arguments.resamples,
            seed=arguments.seed,
            seen=seen,
            progress=bar.update,
        )
    if arguments.csv:
        write_whole(arguments.csv, points_csv(found).encode())
    if arguments.plot:
        write_whole(arguments.plot, _drawn(found, arguments.plot))
    facts = lambda: found.as_dict() | {"remarks": list(remarks(found))}  # noqa: E731
    print_result(arguments.json, facts, lambda: cost_quality_text(found))
    return 0


def _refuse_one_file_for_both(points: Path | None, picture: Path | None) -> None:
    if points and picture and points.resolve() == picture.resolve():
        raise OutputError(f"{picture}: --csv and --plot name this one file; name two")


def _picture(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in _PICTURES:
        raise argparse.ArgumentTypeError(f"{text!r}: use a file name that ends in .png or .svg")
    return path


def _drawn(found: CostQuality, path: Path) -> bytes:
    figure = cost_quality_figure(found)
    return png(figure) if path.suffix.lower() == ".png" else svg(figure).encode()


def _chosen_rows(arguments: argparse.Namespace, predictor: TierPredictor) -> tuple[OutcomeTable, Seen]:
    """The outcomes to judge by, and whether the model was fitted on some of them.

    Raises:
        EvaluationError: when the part that was asked for is empty, or nothing is left that the model has not
            seen.
    """
    table = read_outcome_arguments(arguments)
    fitted = fitted_parts_of_outcomes(predictor, table, arguments.outcomes)
    part = part_to_judge_by(arguments.part, fitted)
    warn_of_tuning(predictor, table.digest)
    seen: Seen = "unknown"
    if fitted:
        seen = "yes" if part == "all" or part in fitted else "no"
    return (table if part == "all" else part_of_table(table, part)), seen
