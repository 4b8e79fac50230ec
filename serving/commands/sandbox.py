"""`sandbox`: run a simulated upstream."""

import argparse
import json
import signal

from classifier.console import complain
from serving.commands.options import (
    add_json,
    positive,
    seconds,
)
from serving.sandbox import Latency, Sandbox

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "sandbox"
HELP = "run a simulated upstream until Ctrl-C"
EXAMPLES = """\
examples:
  python -m serving sandbox
  python -m serving sandbox --port 8080 --first-token 0.3 --per-token 0.02

Speaks the OpenAI wire format under /v1 (chat completions, embeddings, models) on 127.0.0.1, and takes any key
and any model's name. No model is called: every answer says that it is simulated."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    parser.add_argument(
        "--port", type=int, default=0, help="the port to listen on; 0 (the default) for any free one"
    )
    parser.add_argument(
        "--first-token",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="before the quickest model's first token; dearer models take longer (default: 0)",
    )
    parser.add_argument(
        "--per-token",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="for each token of the quickest model (default: 0)",
    )
    parser.add_argument(
        "--requests-per-minute",
        type=positive,
        metavar="N",
        help="answer 429 to a key that asks more often (default: no limit)",
    )
    add_json(parser, "print the address as a JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's stop ends it as Ctrl-C does
    latency = Latency(arguments.first_token, arguments.per_token)
    limit = arguments.requests_per_minute
    with Sandbox.start(
        port=arguments.port, latency=latency, requests_per_minute=limit, remember=0
    ) as sandbox:
        about = f"simulated upstream at {sandbox.url} (Ctrl-C ends it)"
        try:
            print(
                json.dumps({"url": sandbox.url, "simulated": True}) if arguments.json else about, flush=True
            )
            sandbox.wait()
        except KeyboardInterrupt:
            return 0
    return complain("the simulated upstream ended by itself")
