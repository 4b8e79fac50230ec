import argparse
from dataclasses import dataclass

import pytest

from classifier.commands import command_parser


@dataclass
class Greet:
    """A command of two arguments."""

    NAME: str = "greet"
    HELP: str = "say hello to somebody"
    EXAMPLES: str = "examples:\n  python -m polite greet Ada"

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("who")

    def run(self, arguments: argparse.Namespace) -> int:
        return len(arguments.who)


PARSER = command_parser("python -m polite", "Be polite.", [Greet(), Greet(NAME="leave", HELP="say goodbye")])


def test_the_command_that_was_asked_for_is_run_with_its_arguments() -> None:
    arguments = PARSER.parse_args(["greet", "Ada"])
    assert arguments.command == "greet"
    assert arguments.run(arguments) == 3


def test_the_help_lists_every_command_and_leads_on() -> None:
    told = " ".join(PARSER.format_help().split())
    assert "greet say hello to somebody leave say goodbye" in told
    assert "python -m polite COMMAND --help" in told


def test_the_help_of_a_command_says_what_it_does_and_gives_examples(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="0"):
        PARSER.parse_args(["greet", "--help"])
    told = capsys.readouterr().out
    assert "Say hello to somebody." in told
    assert "  python -m polite greet Ada" in told


def test_no_command_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        PARSER.parse_args([])
    assert "COMMAND" in capsys.readouterr().err
