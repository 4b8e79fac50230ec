"""`check`: say whether everything is as it should be."""

import argparse
import json
import os
from dataclasses import replace

from serving.check import check_model, run_check
from serving.commands.options import (
    KEYS,
    add_config,
    add_json,
    add_model_file,
)
from serving.commands.surroundings import (
    config_of,
    source_of,
)

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "check"
HELP = "say whether keys, connections and models are as they should be"
EXAMPLES = f"""\
examples:
  python -m serving check
  python -m serving check --config router.toml --json

Nothing is asked of a model, and nothing costs money.
{KEYS}
exit code: 0 when every tier would be answered by its own model, and model file and database can be used,
otherwise 1."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    add_config(parser)
    add_model_file(parser)
    add_json(parser, "print the findings as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    # SQLAlchemy takes a while to import, and most commands do without it.
    from serving.commands.state_access import check_state, unset_keys

    check = run_check(config_of(arguments.config), os.environ)
    check = replace(
        check,
        key_troubles=(*check.key_troubles, *unset_keys(arguments.config, os.environ)),
        state=check_state(arguments.config, os.environ),
        classifier=check_model(arguments.model_file),
    )
    if arguments.json:
        print(json.dumps({"configuration": source_of(arguments.config), **check.as_dict()}, indent=2))
    else:
        print("\n".join([f"configuration  {source_of(arguments.config)}", *check.lines()]))
    return 0 if check.ok else 1
