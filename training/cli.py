"""`python -m training`: its commands, and how they end."""

import argparse
from collections.abc import Sequence
from typing import Protocol

from classifier import ClassifierError
from classifier.console import forgive_streams, run_command
from training.commands import (
    card,
    compare,
    curve,
    evaluate,
    feedback,
    fetch,
    outcomes,
    pick,
    promote,
    register,
    rollback,
    train,
    tune,
)
from training.errors import TrainingError

__all__ = ["COMMANDS", "main"]


class Command(Protocol):
    """What a module in `training.commands` offers."""

    NAME: str
    HELP: str
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what can be asked."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Answer, and return the exit code."""


COMMANDS: Sequence[Command] = (
    outcomes,
    train,
    tune,
    evaluate,
    compare,
    curve,
    card,
    pick,
    feedback,
    register,
    promote,
    rollback,
    fetch,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0 when all went well, 1 on an expected failure, 130 after Ctrl-C.

    Raises:
        SystemExit: code 2 for arguments that make no sense, 0 after `--help`.
    """
    forgive_streams()
    arguments = _parser().parse_args(argv)
    return run_command(lambda: arguments.run(arguments), (TrainingError, ClassifierError))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train a tier classifier on labelled prompts or outcomes, and judge it.",
        epilog="Each command has examples of its own: python -m training COMMAND --help",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
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
