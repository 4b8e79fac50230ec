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

_LABEL = f"""\
examples:
  python -m serving label prompts.jsonl --budget-usd 5
  python -m serving label prompts.jsonl --budget-usd 5 --sandbox        a rehearsal, nothing is sent or paid
  python -m serving label log.csv --budget-usd 2 --limit 300 --judge Pro/deepseek-ai/DeepSeek-R1
  python -m serving label log.csv --budget-usd 2 --redact emails-and-numbers
  python -m serving label log.csv --budget-usd 2 --redact my_redactor:mask --yes

PROMPTS: .jsonl with 'prompt' or 'messages' in each object, .csv with a column 'prompt', or text with one
prompt a line; 'id', 'source', 'language' and 'domain' are kept. Every prompt is answered by the three tiers'
models, and a judge model scores the answers without knowing who wrote them. Before anything is sent you see
who will read the prompts and what it will cost.

The budget is a cap over all runs: each call's upper bound is reserved before it goes out. Stop whenever you
like; the same command goes on where it stopped. Its journal, OUT.journal, keeps every answer, so that nothing
is paid for twice.

A redactor reads every text that leaves the machine, the answers on their way to the judge included; where it
fails, the text is not sent. emails-and-numbers masks e-mail addresses and runs of seven or more digits, and
nothing else: names, addresses and secrets stay. The table holds the prompts as they are.

Then: python -m training outcomes OUT --out labels.jsonl
{_KEYS}
exit code: 0 when every prompt is finished, 1 when some remain, 130 after Ctrl-C."""

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
    _add_label(
        _command(commands, "label", "let the tiers answer your prompts and a judge score the answers", _LABEL)
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


def _add_label(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prompts", type=Path, metavar="PROMPTS", help="the prompts: .jsonl, .csv or text")
    parser.add_argument(
        "--budget-usd",
        type=_dollars,
        required=True,
        metavar="USD",
        help="what all runs together may cost, a hard cap in US dollars",
    )
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="the outcome table (default: PROMPTS with .outcomes.jsonl)"
    )
    parser.add_argument("--yes", action="store_true", help="send without asking")
    parser.add_argument("--limit", type=_positive, metavar="N", help="label the first N different prompts")
    _add_config(parser)
    _add_simulated(parser)
    _add_judge(parser)
    parser.add_argument(
        "--max-tokens",
        type=_positive,
        default=1000,
        metavar="N",
        help="the longest answer to ask for (default: 1000)",
    )
    parser.add_argument(
        "--concurrency",
        type=_positive,
        default=4,
        metavar="N",
        help="prompts to work on at a time, with one call each (default: 4)",
    )
    _add_redaction(parser)
    _add_json(parser, "print the report as one JSON object; everything else goes to standard error")


def _add_judge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--judge", metavar="MODEL", help="who scores: a model, or a tier's name (default: premium)"
    )
    parser.add_argument(
        "--judge-twice",
        type=_fraction,
        default=0.1,
        metavar="SHARE",
        help="the share of prompts to judge again in swapped order, from 0 to 1 (default: 0.1)",
    )
    parser.add_argument(
        "--judge-max-tokens",
        type=_positive,
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


def _dollars(text: str) -> float:
    try:
        dollars = float(text)
    except ValueError:
        dollars = 0.0
    if not 0 < dollars < 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of US dollars above 0")
    return dollars


def _fraction(text: str) -> float:
    try:
        fraction = float(text)
    except ValueError:
        fraction = -1.0
    if not 0 <= fraction <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a fraction from 0 to 1")
    return fraction


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 3600")
    return seconds
