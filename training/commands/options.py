"""Arguments that several commands share."""

import argparse
from collections.abc import Callable
from pathlib import Path

__all__ = ["PARTS", "add_data", "add_json", "add_model", "add_part", "add_seed", "share", "whole_number"]

PARTS = ("auto", "all", "train", "validation", "test")


def add_model(parser: argparse.ArgumentParser, name: str = "model") -> None:
    """Add a positional argument that names a model; `inputs.load_predictor` loads it."""
    parser.add_argument(name, metavar=name.upper(), help="a model file, or 'default' for the packaged model")


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the labelled rows; `inputs.read_data` reads them."""
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="a CSV, JSON Lines or Parquet file, or a folder of them"
    )
    parser.add_argument(
        "--skip-bad-rows",
        action="store_true",
        help="leave bad rows out, count and list them, instead of stopping",
    )


def add_part(parser: argparse.ArgumentParser) -> None:
    """Add the part of the data to judge by; `inputs.chosen_part` picks it."""
    parser.add_argument(
        "--part",
        choices=PARTS,
        default="auto",
        help="the part of DATA to judge by; auto: all, or a part that no model was fitted on",
    )


def add_seed(parser: argparse.ArgumentParser, of_what: str) -> None:
    """Add the seed of everything random."""
    told = f"of {of_what} (%(default)s)"
    parser.add_argument("--seed", type=whole_number(0, 2**32 - 1), default=0, metavar="N", help=told)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the choice of JSON; `inputs.print_result` obeys it."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")


def share(text: str) -> float:
    """Read a fraction in [0, 1]."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise argparse.ArgumentTypeError(f"{text!r} is no share: it lies in [0, 1]")
    return number


def whole_number(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return what reads a whole number within bounds."""
    bounds = f"from {least} on" if most is None else f"from {least} to {most}"

    def read(text: str) -> int:
        number = int(text) if text.removeprefix("-").isdecimal() else least - 1
        if number < least or (most is not None and number > most):
            raise argparse.ArgumentTypeError(f"{text!r}: use a whole number {bounds}")
        return number

    return read
