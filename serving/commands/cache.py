"""`cache`: show what is kept of answers, and delete it."""

import argparse
import json
import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from serving.commands.options import add_config, add_json
from serving.wording import counted

if TYPE_CHECKING:
    from serving.state import State

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "cache"
HELP = "show how many answers are kept, or delete them"
EXAMPLES = """\
examples:
  python -m serving cache show
  python -m serving cache clear
  python -m serving cache clear --key 4f1d9ab0c2e7

Answers are kept as models gave them, in the clear; of the requests only a hash, and the last ask where
[cache.semantic] is enabled. They leave by themselves: after ttl_seconds, and those used longest ago when
there are too many ([cache] in the configuration).
exit code: 0, or 1 when the database cannot be used."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="show|clear")
    show = actions.add_parser("show", help="count the answers")
    clear = actions.add_parser("clear", help="delete all answers, or those of a key")
    clear.add_argument("--key", metavar="ID", help="of the API key whose answers go (all answers)")
    for each in (show, clear):
        add_config(each)
        add_json(each, "print JSON instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked."""
    # SQLAlchemy takes a while to import, and most commands do without it.
    from serving.commands.state_access import open_state

    with open_state(arguments.config, os.environ) as state:
        return {"show": _show, "clear": _clear}[arguments.action](arguments, state)


def _show(arguments: argparse.Namespace, state: "State") -> int:
    entries, size = state.answers.size()
    span = state.answers.span()
    if arguments.json:
        oldest, newest = span or (None, None)
        print(json.dumps({"entries": entries, "bytes": size, "oldest_at": oldest, "newest_at": newest}))
    elif span is None:
        print("no answers are kept")
    else:
        since, until = map(_time, span)
        print(f"{counted(entries, 'answer')}, {size / 1e6:.1f} MB, given from {since} to {until} UTC")
    return 0


def _clear(arguments: argparse.Namespace, state: "State") -> int:
    from serving.commands.state_access import neighbours_of, state_url_of

    scope = None if arguments.key is None else f"key:{arguments.key}"
    deleted = state.answers.clear(scope)
    neighbours = neighbours_of(arguments.config, state_url_of(arguments.config, os.environ))
    if neighbours is not None:
        neighbours.clear(scope)
        neighbours.close()
    print(json.dumps({"deleted": deleted}) if arguments.json else f"{counted(deleted, 'answer')} deleted")
    return 0


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
