"""`python -m serving`: its commands, and how they end."""

import argparse
import logging
import sys
from collections.abc import Sequence

from classifier import ClassifierError
from classifier.commands import Command, command_parser
from classifier.console import forgive_streams, run_command
from serving.commands import (
    cache,
    calibrate_cache,
    chat,
    check,
    demo,
    export_feedback,
    keys,
    label,
    migrate,
    report,
    sandbox,
    serve,
)
from serving.errors import ServingError
from serving.sandbox import SandboxError

__all__ = ["COMMANDS", "main"]


COMMANDS: Sequence[Command] = (
    chat,
    check,
    demo,
    label,
    serve,
    keys,
    report,
    cache,
    calibrate_cache,
    export_feedback,
    migrate,
    sandbox,
)
_DOES = "Route prompts to the cheapest price tier that will do."


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: its arguments; by default the process's own.

    Returns:
        The exit code: 0 when all went well, 1 on an expected failure, 130 after Ctrl-C.

    Raises:
        SystemExit: code 2 for arguments that make no sense, 0 after `--help`.
    """
    forgive_streams()
    parser = command_parser("python -m serving", _DOES, COMMANDS)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    given = sys.argv[1:] if argv is None else argv
    arguments = parser.parse_args(given, argparse.Namespace(given=tuple(given)))
    return run_command(lambda: arguments.run(arguments), (ServingError, ClassifierError, SandboxError))
