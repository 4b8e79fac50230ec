"""`rollback`: make the previous champion champion again."""

import argparse
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from training.champions import CHAMPION, former_champion, move_champion, reign_of
from training.commands.inputs import print_result
from training.commands.options import add_json
from training.promotion_history import Change, champions
from training.text_tables import wrapped
from training.tracking import MODEL_NAME, open_registry, tracking_uri

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "rollback"
HELP = "make the previous champion champion again"
EXAMPLES = """\
Each rollback goes one champion further back. What it leaves is marked, and promote does not take
it again unasked.

examples:
  python -m training rollback --reason "under-routes contracts in French"
"""
LONGEST_REASON: Final = 500
"""Characters of the reason that the tag keeps: servers refuse tags that are too long."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; it is written down")
    parser.add_argument(
        "--name", default=MODEL_NAME, metavar="NAME", help="the registered model (%(default)s)"
    )
    add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write down why, and move the alias back."""
    name, reason = arguments.name, " ".join(arguments.reason.split())
    at = datetime.now(UTC).isoformat(timespec="seconds")
    with open_registry(tracking_uri(os.environ, Path.cwd()), os.environ) as registry:
        reign = reign_of(registry, name)
        target = former_champion(registry, reign)
        change = Change("rolled back", at, reign.number, target, reason)
        left = {
            "rolled_back_at": at,
            "rolled_back_to": str(target),
            "rollback_reason": reason[:LONGEST_REASON],
        }
        move_champion(registry, reign, change, parting=left)
        now = reign_of(registry, name)
    further = champions(now.changes)[:-1]
    facts = {"name": name, "from": reign.number, "to": target, "reason": reason, "at": at}
    print_result(
        arguments.json,
        lambda: {**facts, "further_back": list(further)},
        lambda: _text(name, change, further),
    )
    return 0


def _text(name: str, change: Change, further: tuple[int, ...]) -> str:
    reason = f" Reason: {change.reason}" if change.reason else " No --reason was given."
    back = f"version {further[-1]}" if further else "nothing"
    done = (
        f"Rolled back: @{CHAMPION} of {name} stands on version {change.after} again,"
        f" no longer on version {change.before}.{reason}"
    )
    return (
        f"{wrapped(done)}\n"
        f"Before it: {back}. Serving takes it from the next `fetch models:/{name}@{CHAMPION}`."
    )
