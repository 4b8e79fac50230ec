"""`demo`: route a dozen varied prompts and show what was decided."""

import argparse
import json
import os
from pathlib import Path
from typing import Any

from serving.commands.options import (
    KEYS,
    add_config,
    add_json,
    add_model_file,
    add_simulated,
    positive,
)
from serving.commands.surroundings import (
    router_of,
    verdict,
)
from serving.demo import Routed, outcome_lines, policy_lines, route, total_lines
from serving.demo_prompts import packaged_prompts, read_prompts
from serving.keys import Channel
from serving.router import TierRouter

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "demo"
HELP = "route a dozen varied prompts and show what was decided, and why"
EXAMPLES = f"""\
examples:
  python -m serving demo
  python -m serving demo my_prompts.txt            one prompt a line
  python -m serving demo my_prompts.jsonl --json   objects with 'prompt' or 'messages'
  python -m serving demo --model-file runs/model.tierwise

With GLOBAL_API_KEY set, the calls go to the configured upstream and cost money (a fraction of a
cent with the packaged prompts); without it, to a simulated upstream on this machine.
{KEYS}
exit code: 0, or 1 when a prompt got no answer."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument(
        "prompts",
        nargs="?",
        type=Path,
        metavar="PROMPTS_FILE",
        help="prompts to route: one a line, or .jsonl; by default a dozen packaged ones",
    )
    add_config(parser)
    add_model_file(parser)
    add_simulated(parser)
    parser.add_argument(
        "--max-tokens",
        type=positive,
        default=400,
        metavar="N",
        help="the longest answer to ask for, to keep the bill small (default: 400)",
    )
    add_json(parser, "print one JSON object at the end instead of text")


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    environ = os.environ
    prompts = packaged_prompts() if arguments.prompts is None else read_prompts(arguments.prompts)
    simulated = arguments.sandbox or not environ.get(Channel.STANDARD.variable, "").strip()
    with router_of(arguments, environ, simulated=simulated) as router:

        def ask(messages: list[Any]) -> object:
            return router.chat.completions.create(
                model="auto", messages=messages, max_tokens=arguments.max_tokens
            )

        if not arguments.json:
            print(_upstream_line(router, simulated=simulated), end="\n\n")
        outcomes = [_shown(each, arguments, simulated=simulated) for each in route(ask, prompts)]
        summary = router.summary()
        if arguments.json:
            rows = [each.as_dict(simulated=simulated) for each in outcomes]
            print(
                json.dumps({"simulated": simulated, "prompts": rows, "summary": summary.as_dict()}, indent=2)
            )
        else:
            totals = total_lines(summary, router.core.config, simulated=simulated)
            print("\n".join(["", *totals, *policy_lines(outcomes)]))
    return verdict(sum(1 for each in outcomes if each.failure))


def _shown(routed: Routed, arguments: argparse.Namespace, *, simulated: bool) -> Routed:
    if not arguments.json:
        print("\n".join(outcome_lines(routed, simulated=simulated)), flush=True)
    return routed


def _upstream_line(router: TierRouter, *, simulated: bool) -> str:
    url = f"{router.base_url}".rstrip("/")
    if simulated:
        return f"Routing to a simulated upstream at {url}: no model is called, nothing is paid."
    return f"Routing to {url}"
