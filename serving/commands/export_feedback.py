"""`export-feedback`: write the log of decisions and feedback that training reads."""

import argparse
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classifier.atomic_file import whole_file
from serving.commands.ledger_options import Span, add_ledger, open_ledger, serve_config_of
from serving.commands.options import add_json
from serving.commands.surroundings import config_of
from serving.commands.writing import refuse_unwritable
from serving.config import RouterConfig
from serving.errors import ConfigError
from serving.spending import feedback_rows as definitions
from serving.spending.feedback_rows import Export, Left, SignFinder, Told
from serving.spending.requests import LoggedRequest, requests_of
from serving.wording import counted

if TYPE_CHECKING:
    from serving.state import Feedback, State

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

_EVER = 1e12  # seconds since the epoch: feedback comes later than what it is about

NAME = "export-feedback"
HELP = "write the log of decisions, thumbs, retries and escalations that training learns from"
EXAMPLES = f"""\
{definitions.__doc__}
examples:
  python -m serving export-feedback --out feedback.jsonl
  python -m serving export-feedback --since 2026-11-01 --thumbs-only --out feedback.jsonl
  python -m training feedback feedback.jsonl --out labels.jsonl

The file holds prompts: only its owner may read it.
exit code: 0, or 1 when there is nothing to learn from."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument(
        "--out", type=Path, required=True, metavar="FILE", help="the log to write, JSON Lines"
    )
    add_ledger(parser)
    parser.add_argument(
        "--thumbs-only",
        action="store_true",
        help="leave out the retries and escalations that are derived: only what callers told",
    )
    add_json(parser, "print the counts as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Join ledger and feedback, write the log, and say what is not in it."""
    config, serve = config_of(arguments.config), serve_config_of(arguments)
    refuse_unwritable(arguments.out)
    span = Span.of(arguments.since, arguments.until, serve.budgets.zone)
    with open_ledger(arguments, os.environ) as state:
        told_of = {each.request_id: _told(each) for each in state.feedback.rows(span.since, _EVER)}
        signs = None if arguments.thumbs_only else _signs(state, span, config)
        export = Export(config, told_of, signs)
        with whole_file(arguments.out, mode=0o600) as file:  # prompts stand in it
            for row in export.rows_of(_requests(state, span)):
                file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            _refuse_nothing(export, span, stores=serve.proxy.store_prompts)
    print(
        json.dumps(_facts(export, arguments.out), indent=2)
        if arguments.json
        else _text(export, arguments.out)
    )
    return 0


def _told(feedback: "Feedback") -> Told:
    thumb = None if feedback.thumb is None else feedback.thumb.value
    return Told(thumb, feedback.retried, feedback.escalated_to)


def _requests(state: "State", span: Span) -> Iterator[LoggedRequest]:
    return requests_of(state.ledger.rows(span.since, span.until))


def _signs(state: "State", span: Span, config: RouterConfig) -> SignFinder:
    """Read the ledger a first time: what says something of a request comes after it."""
    finder = SignFinder(config)
    for request in _requests(state, span):
        finder.add(request)
    return finder


def _refuse_nothing(export: Export, span: Span, *, stores: bool) -> None:
    if export.rows:
        return
    if export.left[Left.NO_PROMPT]:
        remedy = "it is on now: later ones will be" if stores else "set store_prompts = true under [proxy]"
        told = (
            f"{counted(export.left[Left.NO_PROMPT], 'answered request')}, none with its prompt in the ledger"
        )
        raise ConfigError(f"nothing to learn from: {told}; {remedy}")
    raise ConfigError(f"nothing to learn from: no answered request from {span.words}")


def _facts(export: Export, out: Path) -> dict[str, Any]:
    return {
        "written": str(out),
        "rows": export.rows,
        "signs": dict(export.told),
        "left_out": {why.value: count for why, count in export.left.items()},
        "feedback": len(export.told_of),
        "feedback_without_a_row": len(export.told_of) - len(export.used),
    }


def _text(export: Export, out: Path) -> str:
    signs = ("thumb", "retried", "escalated_to", "silent")
    told = ", ".join(f"{export.told[name]:,} {name.replace('_', ' ')}" for name in signs)
    lines = [f"written    {counted(export.rows, 'row')} to {out}", f"signs      {told}"]
    lines += [f"left out   {counted(count, 'request')} {why}" for why, count in export.left.items()]
    lost = len(export.told_of) - len(export.used)
    if lost:
        lines.append(f"           feedback on {counted(lost, 'request')} not in the log")
    if export.left[Left.NO_PROMPT]:
        lines.append(
            "           Without its prompt a request teaches nothing: see store_prompts in the settings."
        )
    return "\n".join(lines)
