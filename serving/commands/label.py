"""`label`: let the tiers answer prompts of one's own, and a judge score the answers."""

import argparse
import asyncio
import os
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2

from serving.commands.options import (
    KEYS,
    add_config,
    add_json,
    add_simulated,
    dollars,
    fraction,
    positive,
)
from serving.commands.surroundings import (
    Environ,
    config_of,
    simulated_upstream,
)
from serving.labelling.command import Job, Surroundings, default_out, label
from serving.labelling.prompts import read_prompts_to_label
from serving.labelling.redaction import Redactor, command_redactor, named_redactor
from serving.labelling.settings import LabelSettings
from serving.labelling.stopping import Times

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "label"
HELP = "let the tiers answer your prompts and a judge score the answers"
EXAMPLES = f"""\
examples:
  python -m serving label prompts.jsonl --budget-usd 5
  python -m serving label prompts.jsonl --budget-usd 5 --sandbox    a rehearsal, nothing is paid
  python -m serving label log.csv --budget-usd 2 --limit 300 --judge Pro/deepseek-ai/DeepSeek-R1
  python -m serving label log.csv --budget-usd 2 --redact emails-and-numbers
  python -m serving label log.csv --budget-usd 2 --redact my_redactor:mask --yes

PROMPTS: .jsonl with 'prompt' or 'messages' in each object, .csv with a column 'prompt', or text
with one prompt a line; 'id', 'source', 'language' and 'domain' are kept. Every prompt is answered
by the three tiers' models, and a judge model scores the answers without knowing who wrote them.
Before anything is sent you see who will read the prompts and what it will cost.

The budget is a cap over all runs: each call's upper bound is reserved before it goes out. Stop
whenever you like; the same command goes on where it stopped. Its journal, OUT.journal, keeps every
answer, so that nothing is paid for twice.

A redactor reads every text that leaves the machine, the answers on their way to the judge
included; where it fails, the text is not sent. emails-and-numbers masks e-mail addresses and runs
of seven or more digits, and nothing else: names, addresses and secrets stay. The table holds the
prompts as they are.

Then: python -m training outcomes OUT --out labels.jsonl
{KEYS}
exit code: 0 when every prompt is finished, 1 when some remain, 130 after Ctrl-C."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument("prompts", type=Path, metavar="PROMPTS", help="the prompts: .jsonl, .csv or text")
    parser.add_argument(
        "--budget-usd",
        type=dollars,
        required=True,
        metavar="USD",
        help="what all runs together may cost, a hard cap in US dollars",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the outcome table (default: PROMPTS with .outcomes.jsonl)"
    )
    parser.add_argument("--yes", action="store_true", help="send without asking")
    parser.add_argument("--limit", type=positive, metavar="N", help="label the first N different prompts")
    add_config(parser)
    add_simulated(parser)
    _add_judge(parser)
    parser.add_argument(
        "--max-tokens",
        type=positive,
        default=1000,
        metavar="N",
        help="the longest answer to ask for (default: 1000)",
    )
    parser.add_argument(
        "--concurrency",
        type=positive,
        default=4,
        metavar="N",
        help="prompts to work on at a time, with one call each (default: 4)",
    )
    _add_redaction(parser)
    add_json(parser, "print the report as one JSON object; everything else goes to standard error")


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    environ: Environ = os.environ
    prompts, repeated = read_prompts_to_label(arguments.prompts, arguments.limit)
    out = arguments.out or default_out(arguments.prompts, simulated=arguments.sandbox)
    redactor = _redactor(arguments)
    with ExitStack() as stack:
        config = config_of(arguments.config)
        settings = LabelSettings.of(
            config,
            judge=arguments.judge,
            simulated=arguments.sandbox,
            max_tokens=arguments.max_tokens,
            judge_max_tokens=arguments.judge_max_tokens,
            judge_twice=arguments.judge_twice,
            redaction=redactor.name,
            seed=arguments.seed,
        )
        options = dict[str, Any]()
        if arguments.sandbox:
            config, environ = simulated_upstream(config, stack)
            options = {"http_client": httpx2.AsyncClient(trust_env=False)}
        times = Times(time.monotonic, time.time, asyncio.sleep)
        around = Surroundings(config, environ, options, times, sys.stdin, sys.stdout, sys.stderr)
        job = Job(
            prompts,
            repeated,
            out,
            settings,
            arguments.budget_usd,
            redactor,
            arguments.concurrency,
            confirmed=arguments.yes,
            as_json=arguments.json,
            arguments=arguments.given,
        )
        return label(job, around)


def _add_judge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--judge", metavar="MODEL", help="who scores: a model, or a tier's name (default: premium)"
    )
    parser.add_argument(
        "--judge-twice",
        type=fraction,
        default=0.1,
        metavar="SHARE",
        help="the share of prompts to judge again in swapped order, from 0 to 1 (default: 0.1)",
    )
    parser.add_argument(
        "--judge-max-tokens",
        type=positive,
        default=600,
        metavar="N",
        help="the longest verdict; a judge that thinks aloud needs more (default: 600)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="of the order in which the judge sees the answers (default: 0)"
    )


def _add_redaction(parser: argparse.ArgumentParser) -> None:
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--redact",
        metavar="NAME",
        help="emails-and-numbers, or module:function from text to text, for every text that is sent",
    )
    either.add_argument(
        "--redact-command",
        metavar="COMMAND",
        help="a program that reads a text and writes what may be sent, run for every text",
    )


def _redactor(arguments: argparse.Namespace) -> Redactor:
    if arguments.redact_command is not None:
        return Redactor(
            f"the command {arguments.redact_command!r}", command_redactor(arguments.redact_command)
        )
    return (
        Redactor()
        if arguments.redact is None
        else Redactor(arguments.redact, named_redactor(arguments.redact))
    )
