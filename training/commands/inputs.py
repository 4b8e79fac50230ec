"""What several commands read, check and print."""

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from classifier import TIERS, Tier, TierPredictor
from training.errors import OutputError
from training.labelled import LabelledData, read_labelled

__all__ = [
    "load_predictor",
    "print_result",
    "read_data",
    "refuse_unwritable",
]


def load_predictor(name: str) -> TierPredictor:
    """Return the predictor of a model file; "default" is the packaged one."""
    return TierPredictor.default() if name == "default" else TierPredictor.load(name)


def read_data(
    arguments: argparse.Namespace, *, rows_per_tier: int = 0, tiers: Sequence[Tier] = TIERS
) -> LabelledData:
    """Read the labelled rows, and list the ones that were skipped on standard error.

    Args:
        arguments: `data` and `skip_bad_rows`, as `options.add_data` adds them.
        rows_per_tier: how many of each tier there must be; to be judged, any rows will do.
        tiers: the tiers that rows may have.
    """
    data = read_labelled(
        arguments.data,
        skip_bad_rows=arguments.skip_bad_rows,
        rows_per_tier=rows_per_tier,
        tiers=tiers,
    )
    for row in data.skipped:
        print(f"skipped: {row}", file=sys.stderr)
    return data


def refuse_unwritable(path: Path) -> None:
    """Refuse a file that could not be written, before minutes of work instead of after.

    Raises:
        OutputError: saying what is in the way.
    """
    if path.is_dir():
        raise OutputError(f"{path}: this is a folder; name a file to write")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path}: this is no regular file; name one to write")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent} to write it in")
    if not os.access(path.parent, os.W_OK):
        raise OutputError(f"{path}: the folder {path.parent} may not be written to")


def print_result(as_json: bool, facts: Callable[[], object], text: Callable[[], str]) -> None:
    """Print a result, as JSON or as text."""
    print(json.dumps(facts(), indent=2, ensure_ascii=False) if as_json else text())
