"""Arguments that several commands share."""

import argparse
from pathlib import Path

__all__ = [
    "KEYS",
    "add_config",
    "add_json",
    "add_model_file",
    "add_simulated",
    "dollars",
    "fraction",
    "positive",
    "seconds",
]

KEYS = "Keys come from the environment alone: GLOBAL_API_KEY, and GLOBAL_API_PRO_KEY for Pro/... models"


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the settings file; `surroundings.config_of` reads it."""
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="TOML with models, prices, chains and times (default: built in)",
    )


def add_model_file(parser: argparse.ArgumentParser) -> None:
    """Add the model file."""
    parser.add_argument(
        "--model-file", type=Path, metavar="FILE", help="a trained model file (default: the packaged one)"
    )


def add_simulated(parser: argparse.ArgumentParser) -> None:
    """Add the choice of simulated answers."""
    parser.add_argument(
        "--sandbox",
        action="store_true",
        help="use a simulated upstream on this machine, whatever keys are set",
    )


def add_json(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the choice of JSON."""
    parser.add_argument("--json", action="store_true", help=what)


def positive(text: str) -> int:
    """Read a whole number above 0."""
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return number


def dollars(text: str) -> float:
    """Read US dollars above 0."""
    try:
        dollars = float(text)
    except ValueError:
        dollars = 0.0
    if not 0 < dollars < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of US dollars above 0")
    return dollars


def fraction(text: str) -> float:
    """Read a fraction in [0, 1]."""
    try:
        fraction = float(text)
    except ValueError:
        fraction = -1.0
    if not 0 <= fraction <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a fraction from 0 to 1")
    return fraction


def seconds(text: str) -> float:
    """Read seconds, 0 to 3600."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 3600")
    return seconds
