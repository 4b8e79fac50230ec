"""`chat`: talk through the router."""

import argparse
import os
import sys

from serving.chat import Chat, typed_lines
from serving.commands.options import (
    KEYS,
    add_config,
    add_model_file,
    add_simulated,
)
from serving.commands.surroundings import (
    router_of,
    verdict,
)
from serving.errors import KeyMissingError
from serving.keys import Channel
from serving.router import TierRouter
from serving.summary_text import cost_lines, latency_lines

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "chat"
HELP = "talk through the router; shows tier, model, cost and latency"
EXAMPLES = f"""\
examples:
  python -m serving chat
  python -m serving chat --sandbox                 simulated answers, no key needed
  echo "What is a monad?" | python -m serving chat
  python -m serving chat --model premium

At the prompt, /new starts a new conversation; /quit, Ctrl-D or Ctrl-C ends the chat and shows the
summary.
{KEYS}
exit code: 0, or 1 when a prompt got no answer."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    add_config(parser)
    add_model_file(parser)
    add_simulated(parser)
    parser.add_argument(
        "--model",
        default="auto",
        metavar="NAME",
        help="auto (the classifier decides; the default), cheap, balanced, premium, or a model's name",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run it."""
    environ = os.environ
    if not arguments.sandbox and not environ.get(Channel.STANDARD.variable, "").strip():
        raise KeyMissingError(
            f"{Channel.STANDARD.variable} is not set: put the key of your account into the environment, "
            "or add --sandbox for simulated answers"
        )
    interactive = sys.stdin.isatty()
    with router_of(arguments, environ, simulated=arguments.sandbox) as router:
        chat = Chat(router, sys.stdout, model=arguments.model, simulated=arguments.sandbox)
        if interactive:
            print(_greeting(simulated=arguments.sandbox))
        failures = chat.run(typed_lines(sys.stdout) if interactive else sys.stdin)
        _print_summary(router, simulated=arguments.sandbox)
    return verdict(failures)


def _greeting(*, simulated: bool) -> str:
    about = "Simulated answers: no model is called.\n" if simulated else ""
    return f"{about}/new starts a new conversation, /quit or Ctrl-D ends the chat.\n"


def _print_summary(router: TierRouter, *, simulated: bool) -> None:
    summary = router.summary()
    if summary.requests:
        print("cost" + (" (simulated: nothing was paid)" if simulated else ""))
        print("\n".join([*cost_lines(summary, router.core.config), "latency", *latency_lines(summary)]))
