"""`migrate`: bring the state database's schema up to date."""

import argparse
import os

from serving.commands.options import add_config

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "migrate"
HELP = "bring the schema of the state database up to date"
EXAMPLES = """\
examples:
  python -m serving migrate
  python -m serving migrate --config proxy.toml

The database is the one of [state] in the configuration, or of TIERWISE_STATE_URL, or a SQLite file in the
user's data folder. All steps are one transaction; what fails half-way leaves everything as it was. Of several
processes that migrate at once one does the work. Stop proxies of an older version first.
exit code: 0 when the schema is up to date, otherwise 1."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    """Migrate, and say what was done."""
    # SQLAlchemy takes a while to import, and most commands do without it.
    from serving.commands.state_access import neighbours_of, prepare, state_url_of
    from serving.state.engines import naming_of, parse_url
    from serving.state.migrate import migrate

    url = state_url_of(arguments.config, os.environ)
    name = naming_of(parse_url(url)).name
    if prepare(url, os.environ):
        print(f"{name}: created")
    else:
        done = migrate(url)
        if not done.steps:
            print(f"{name}: up to date ({done.after})")
        for step in done.steps:
            print(f"{name}: {step}")
    neighbours = neighbours_of(arguments.config, url)
    if neighbours is not None:
        neighbours.close()
        print(f"{name}: the semantic cache's index is there")
    return 0
