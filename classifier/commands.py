"""A command line of several commands, each a module; `training` and `serving` both have one."""

import argparse
from collections.abc import Sequence
from typing import Protocol

__all__ = ["Command", "command_parser"]


class Command(Protocol):
    """What the module of a command offers.

    Attributes:
        NAME: what is typed.
        HELP: what it does, in a line that begins with a small letter.
        EXAMPLES: stands under the options in its own help.
    """

    NAME: str
    HELP: str
    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add what can be asked."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Answer, and return the exit code."""


def command_parser(prog: str, description: str, commands: Sequence[Command]) -> argparse.ArgumentParser:
    """Return the parser of all commands; `run` of what it parses runs the one that was asked for."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        epilog=f"Each command has examples of its own: {prog} COMMAND --help",
    )
    listed = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in commands:
        own = listed.add_parser(
            command.NAME,
            help=command.HELP,
            description=f"{command.HELP[:1].upper()}{command.HELP[1:]}.",
            epilog=command.EXAMPLES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(own)
        own.set_defaults(run=command.run)
    return parser
