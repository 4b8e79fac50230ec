"""`report`: what the ledger comes to."""

import argparse
import json
import os
from pathlib import Path

from classifier.atomic_file import write_whole
from serving.commands.ledger_options import Span, add_ledger, open_ledger, serve_config_of
from serving.commands.options import add_json
from serving.commands.surroundings import config_of
from serving.commands.writing import refuse_unwritable
from serving.config import RouterConfig
from serving.errors import ConfigError
from serving.spending import report as definitions
from serving.spending.report import By, build_report
from serving.spending.report_text import csv_text, report_text
from serving.wording import one_line

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "report"
HELP = "print what was spent and saved, latencies, fallbacks and failures"
EXAMPLES = f"""\
{definitions.__doc__}
examples:
  python -m serving report
  python -m serving report --by model --since 2026-11-01 --until 2026-11-30
  python -m serving report --by day --csv days.csv
  python -m serving report --against openai/gpt-4o --config proxy.toml

exit code: 0, or 1 when the ledger cannot be read."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument(
        "--by",
        type=By,
        choices=list(By),
        default=By.TIER,
        metavar="BY",
        help="tier, model, key or day (tier)",
    )
    add_ledger(parser)
    parser.add_argument(
        "--against", metavar="MODEL", help="compare with always asking this model too; it needs a price"
    )
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write the groups as CSV too")
    add_json(parser, "print the report as one JSON object, with dollars unrounded")


def run(arguments: argparse.Namespace) -> int:
    """Read the ledger, and print what it comes to."""
    config, zone = config_of(arguments.config), serve_config_of(arguments).budgets.zone
    _refuse_unpriced(arguments.against, config)
    if arguments.csv is not None:
        refuse_unwritable(arguments.csv)
    span = Span.of(arguments.since, arguments.until, zone)
    with open_ledger(arguments, os.environ) as state:
        rows = state.ledger.rows(span.since, span.until)
        report = build_report(rows, config, arguments.by, zone, against=arguments.against)
        names = {key.key_id: key.name for key in state.api_keys.all()}
    if arguments.csv is not None:
        write_whole(arguments.csv, csv_text(report, names).encode())
    if arguments.json:
        print(json.dumps({"days": span.words, **report.as_dict()}, indent=2, ensure_ascii=False))
    elif not report.total.attempts:
        print(f"no requests: the ledger is empty from {span.words}")
    else:
        print(f"ledger     {span.words}\n{report_text(report, config, names)}")
    return 0


def _refuse_unpriced(model: str | None, config: RouterConfig) -> None:
    if model is not None and config.price(model) is None:
        raise ConfigError(
            f"--against {one_line(model)}: no price is configured for it; "
            f'add prices."{one_line(model)}" to the configuration'
        )
