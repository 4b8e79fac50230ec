"""`python -m serving`: its commands, and how they end."""

import argparse
import logging
import sys
from collections.abc import Sequence
from typing import Protocol

from classifier import ClassifierError
from classifier.console import forgive_streams, run_command
from serving.commands import (
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


class Command(Protocol):
    """What a module in `serving.commands` offers."""

    NAME: str
    HELP: str
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what can be asked."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Answer, and return the exit code."""


COMMANDS: Sequence[Command] = (
    chat,
    check,
    demo,
    label,
    serve,
    keys,
    report,
    export_feedback,
    migrate,
    sandbox,
)


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
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    given = sys.argv[1:] if argv is None else argv
    arguments = _parser().parse_args(given, argparse.Namespace(given=tuple(given)))
    return run_command(lambda: arguments.run(arguments), (ServingError, ClassifierError, SandboxError))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m serving",
        description="Route prompts to the cheapest price tier that will do.",
        epilog="Each command has examples of its own: python -m serving COMMAND --help",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        _add(commands, command)
    return parser


def _add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", command: Command) -> None:
    parser = commands.add_parser(
        command.NAME,
        help=command.HELP,
        description=f"{command.HELP[:1].upper()}{command.HELP[1:]}.",
        epilog=command.EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_arguments(parser)
    parser.set_defaults(run=command.run)
