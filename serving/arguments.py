"""The command line of `python -m serving`: commands and their arguments, nothing else."""

import argparse
from pathlib import Path

__all__ = ["build_parser"]

_KEYS = (
    "Keys come from the environment alone: GLOBAL_API_KEY, and GLOBAL_API_PRO_KEY for models named Pro/..."
)

_CHAT = f"""\
examples:
  python -m serving chat
  python -m serving chat --sandbox                 simulated answers, no key needed
  echo "What is a monad?" | python -m serving chat
  python -m serving chat --model premium

At the prompt, /new starts a new conversation; /quit, Ctrl-D or Ctrl-C ends the chat and shows the summary.
{_KEYS}
exit code: 0, or 1 when a prompt got no answer."""

_CHECK = f"""\
examples:
  python -m serving check
  python -m serving check --config router.toml --json

Nothing is asked of a model, and nothing costs money.
{_KEYS}
exit code: 0 when every tier would be answered by its own model, otherwise 1."""

_DEMO = f"""\
examples:
  python -m serving demo
  python -m serving demo my_prompts.txt            one prompt a line
  python -m serving demo my_prompts.jsonl --json   objects with 'prompt' or 'messages'
  python -m serving demo --model-file runs/model.tierwise

With GLOBAL_API_KEY set, the calls go to the configured upstream and cost money (a fraction of a cent with the
packaged prompts); without it, to a simulated upstream on this machine.
{_KEYS}
exit code: 0, or 1 when a prompt got no answer."""

_SANDBOX = """\
examples:
  python -m serving sandbox
  python -m serving sandbox --port 8080 --first-token 0.3 --per-token 0.02

Speaks the OpenAI wire format under /v1 (chat completions, embeddings, models) on 127.0.0.1, and takes any key
and any model's name. No model is called: every answer says that it is simulated."""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser; its result has `command` and that command's arguments."""
    parser = argparse.ArgumentParser(
        prog="python -m serving",
        description="Route prompts to the cheapest price tier that will do.",
        epilog="Each command has examples of its own: python -m serving COMMAND --help",
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_chat(
        _command(commands, "chat", "talk through the router; shows tier, model, cost and latency", _CHAT)
    )
    _add_check(
        _command(commands, "check", "say whether keys, connections and models are as they should be", _CHECK)
    )
    _add_demo(
        _command(commands, "demo", "route a dozen varied prompts and show what was decided, and why", _DEMO)
    )
    _add_sandbox(_command(commands, "sandbox", "run a simulated upstream until Ctrl-C", _SANDBOX))
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, does: str, epilog: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=does,
        description=f"{does[:1].upper()}{does[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_chat(parser: argparse.ArgumentParser) -> None:
    _add_config(parser)
    _add_model_file(parser)
    _add_simulated(parser)
    parser.add_argument(
        "--model",
        default="auto",
        metavar="NAME",
        help="auto (the classifier decides; the default), cheap, balanced, premium, or a model's name",
    )


def _add_check(parser: argparse.ArgumentParser) -> None:
    _add_config(parser)
    _add_json(parser, "print the findings as one JSON object")


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "prompts",
        nargs="?",
        type=Path,
        metavar="PROMPTS_FILE",
        help="prompts to route: one a line, or .jsonl; by default a dozen packaged ones",
    )
    _add_config(parser)
    _add_model_file(parser)
    _add_simulated(parser)
    parser.add_argument(
        "--max-tokens",
        type=_positive,
        default=400,
        metavar="N",
        help="the longest answer to ask for, to keep the bill small (default: 400)",
    )
    _add_json(parser, "print one JSON object at the end instead of text")


def _add_sandbox(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=int, default=0, help="the port to listen on; 0 (the default) for any free one"
    )
    parser.add_argument(
        "--first-token",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="before the quickest model's first token; dearer models take longer (default: 0)",
    )
    parser.add_argument(
        "--per-token",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="for each token of the quickest model (default: 0)",
    )
    parser.add_argument(
        "--requests-per-minute",
        type=_positive,
        metavar="N",
        help="answer 429 to a key that asks more often (default: no limit)",
    )
    _add_json(parser, "print the address as a JSON object")


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="TOML with models, prices, chains and times (default: built in)",
    )


def _add_model_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model-file", type=Path, metavar="FILE", help="a trained model file (default: the packaged one)"
    )


def _add_simulated(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sandbox",
        action="store_true",
        help="use a simulated upstream on this machine, whatever keys are set",
    )


def _add_json(parser: argparse.ArgumentParser, what: str) -> None:
    parser.add_argument("--json", action="store_true", help=what)


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdigit() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 3600")
    return seconds
