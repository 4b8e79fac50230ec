"""`fetch`: write the model file of a registered model, for serving to load."""

import argparse
import os
from pathlib import Path

from classifier.atomic_file import write_whole
from classifier.model_file import ModelFile, parse_model
from training.commands.inputs import print_result, refuse_unwritable
from training.commands.options import add_json
from training.errors import OutputError
from training.tracking import OfAlias, OfVersion, open_registry, parse_model_reference, tracking_uri

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "fetch"
HELP = "write the model file of a registered model, for serving to load"
EXAMPLES = """\
The file is checked before it is written, and written whole or not at all: whatever fails, the old
one stays. Where FILE is the same already it is not touched, so that a server which watches it need
not load it again.

examples:
  python -m training fetch models:/tierwise@champion model.tierwise
  python -m training fetch models:/tierwise/3 model.tierwise
  */5 * * * *  cd /srv && .venv/bin/python -m training fetch models:/tierwise@champion m.tierwise
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument(
        "model", metavar="URI", help="models:/NAME@ALIAS, models:/NAME/VERSION, or a run that registered one"
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the file to write")
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Download, check, write."""
    reference = parse_model_reference(arguments.model)
    refuse_unwritable(arguments.file)
    with open_registry(tracking_uri(os.environ, Path.cwd()), os.environ, turn=False) as registry:
        if isinstance(reference, OfAlias):  # it may move between two looks
            reference = registry.version(reference).reference
        name, content = registry.model_file(reference)
    file = parse_model(content, f"{reference}, {name}")
    changed = _write(arguments.file, content)
    facts = {
        "model": str(reference),
        "version": reference.version if isinstance(reference, OfVersion) else None,
        "model_version": file.version,
        "digest": file.digest,
        "file": str(arguments.file),
        "changed": changed,
    }
    print_result(arguments.json, lambda: facts, lambda: _text(str(reference), file, arguments.file, changed))
    return 0


def _write(path: Path, content: bytes) -> bool:
    """Write the file where it differs, and tell whether it did."""
    try:
        if path.is_file() and path.read_bytes() == content:
            return False
        write_whole(path, content)
    except OSError as error:
        raise OutputError(f"{path}: could not write the model file: {error.strerror or error}") from error
    return True


def _text(reference: str, file: ModelFile, path: Path, changed: bool) -> str:
    done = "written" if changed else "unchanged"
    return f"{done}  {path}: {reference}, model {file.version}\ndigest   {file.digest}"
