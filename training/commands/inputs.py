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
from training.table_files import find_files

__all__ = [
    "load_predictor",
    "print_result",
    "read_data",
    "refuse_other_than_json_lines",
    "refuse_overwriting",
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


def refuse_overwriting(path: Path, *sources: Path | None) -> None:
    """Refuse to write over what is read.

    Args:
        path: the file to write.
        sources: the files that are read, or folders of which every file is; None for what was not given.

    Raises:
        OutputError: saying so.
        DataError: a folder holds no data.
    """
    there = path.resolve()
    for source in filter(None, sources):
        files = find_files(source) if source.is_dir() else [source]
        if any(there == file.resolve() for file in files):
            raise OutputError(f"{path}: this is read, from {source}; name another file to write")


def refuse_other_than_json_lines(path: Path) -> None:
    """Refuse a name under which nobody would read JSON Lines.

    Raises:
        OutputError: saying which name would do.
    """
    if path.suffix.lower() not in (".jsonl", ".ndjson"):
        raise OutputError(f"{path}: what is written is JSON Lines; end the name with .jsonl")


def print_result(as_json: bool, facts: Callable[[], object], text: Callable[[], str]) -> None:
    """Print a result, as JSON or as text."""
    print(json.dumps(facts(), indent=2, ensure_ascii=False) if as_json else text())
