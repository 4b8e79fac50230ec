"""`python -m training`: its commands, and how they end."""

from collections.abc import Sequence

from classifier import ClassifierError
from classifier.commands import Command, command_parser
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
_DOES = "Train a tier classifier on labelled prompts or outcomes, and judge it."


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The exit code: 0 when all went well, 1 on an expected failure, 130 after Ctrl-C.

    Raises:
        SystemExit: code 2 for arguments that make no sense, 0 after `--help`.
    """
    forgive_streams()
    parser = command_parser("python -m training", _DOES, COMMANDS)
    arguments = parser.parse_args(argv)
    return run_command(lambda: arguments.run(arguments), (TrainingError, ClassifierError))
