"""The commands of `python -m serving`, composed: the one place that reads the environment and the streams."""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2

from classifier import ClassifierError, TierPredictor
from classifier.console import complain, forgive_streams, run_command
from serving.arguments import build_parser
from serving.chat import Chat, typed_lines
from serving.check import run_check
from serving.config import RouterConfig
from serving.demo import Routed, outcome_lines, policy_lines, route, total_lines
from serving.demo_prompts import packaged_prompts, read_prompts
from serving.errors import KeyMissingError, ServingError
from serving.keys import Channel
from serving.labelling.command import Job, Surroundings, default_out, label
from serving.labelling.prompts import read_prompts_to_label
from serving.labelling.redaction import Redactor, command_redactor, named_redactor
from serving.labelling.settings import LabelSettings
from serving.labelling.stopping import Times
from serving.router import TierRouter
from serving.sandbox import Latency, Sandbox, SandboxError
from serving.summary_text import cost_lines, latency_lines

__all__ = ["main"]

_SIMULATED_KEYS = {channel.variable: f"ga_{channel}_simulated" for channel in Channel}

Environ = Mapping[str, str]


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: its arguments; by default the process's own.

    Returns:
        The exit code: 0 when all went well, 1 on an expected failure, 130 after Ctrl-C.

    Raises:
        SystemExit: code 2 for arguments that make no sense, 0 after `--help`.
    """
    forgive_streams()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    given = sys.argv[1:] if argv is None else argv
    args = build_parser().parse_args(given, argparse.Namespace(given=tuple(given)))
    command = _COMMANDS[args.command]
    return run_command(lambda: command(args, os.environ), (ServingError, ClassifierError, SandboxError))


def _chat(args: argparse.Namespace, environ: Environ) -> int:
    if not args.sandbox and not environ.get(Channel.STANDARD.variable, "").strip():
        raise KeyMissingError(
            f"{Channel.STANDARD.variable} is not set: put the key of your account into the environment, "
            "or add --sandbox for simulated answers"
        )
    interactive = sys.stdin.isatty()
    with _router(args, environ, simulated=args.sandbox) as router:
        chat = Chat(router, sys.stdout, model=args.model, simulated=args.sandbox)
        if interactive:
            print(_greeting(simulated=args.sandbox))
        failures = chat.run(typed_lines(sys.stdout) if interactive else sys.stdin)
        _print_summary(router, simulated=args.sandbox)
    return _verdict(failures)


def _check(args: argparse.Namespace, environ: Environ) -> int:
    check = run_check(_config(args.config), environ)
    if args.json:
        print(json.dumps({"configuration": _source(args.config), **check.as_dict()}, indent=2))
    else:
        print("\n".join([f"configuration  {_source(args.config)}", *check.lines()]))
    return 0 if check.ok else 1


def _demo(args: argparse.Namespace, environ: Environ) -> int:
    prompts = packaged_prompts() if args.prompts is None else read_prompts(args.prompts)
    simulated = args.sandbox or not environ.get(Channel.STANDARD.variable, "").strip()
    with _router(args, environ, simulated=simulated) as router:

        def ask(messages: list[Any]) -> object:
            return router.chat.completions.create(model="auto", messages=messages, max_tokens=args.max_tokens)

        if not args.json:
            print(_upstream_line(router, simulated=simulated), end="\n\n")
        outcomes = [_shown(each, args, simulated=simulated) for each in route(ask, prompts)]
        summary = router.summary()
        if args.json:
            rows = [each.as_dict(simulated=simulated) for each in outcomes]
            print(
                json.dumps({"simulated": simulated, "prompts": rows, "summary": summary.as_dict()}, indent=2)
            )
        else:
            totals = total_lines(summary, router.core.config, simulated=simulated)
            print("\n".join(["", *totals, *policy_lines(outcomes)]))
    return _verdict(sum(1 for each in outcomes if each.failure))


def _label(args: argparse.Namespace, environ: Environ) -> int:
    prompts, repeated = read_prompts_to_label(args.prompts, args.limit)
    out = args.out or default_out(args.prompts, simulated=args.sandbox)
    redactor = _redactor(args)
    with ExitStack() as stack:
        config = _config(args.config)
        settings = LabelSettings.of(
            config,
            judge=args.judge,
            simulated=args.sandbox,
            max_tokens=args.max_tokens,
            judge_max_tokens=args.judge_max_tokens,
            judge_twice=args.judge_twice,
            redaction=redactor.name,
            seed=args.seed,
        )
        options = dict[str, Any]()
        if args.sandbox:
            config, environ = _simulated(config, stack)
            options = {"http_client": httpx2.AsyncClient(trust_env=False)}
        times = Times(time.monotonic, time.time, asyncio.sleep)
        around = Surroundings(config, environ, options, times, sys.stdin, sys.stdout, sys.stderr)
        job = Job(
            prompts,
            repeated,
            out,
            settings,
            args.budget_usd,
            redactor,
            args.concurrency,
            confirmed=args.yes,
            as_json=args.json,
            arguments=args.given,
        )
        return label(job, around)


def _sandbox(args: argparse.Namespace, _environ: Environ) -> int:
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a supervisor's stop ends it as Ctrl-C does
    latency = Latency(args.first_token, args.per_token)
    limit = args.requests_per_minute
    with Sandbox.start(port=args.port, latency=latency, requests_per_minute=limit, remember=0) as sandbox:
        about = f"simulated upstream at {sandbox.url} (Ctrl-C ends it)"
        try:
            print(json.dumps({"url": sandbox.url, "simulated": True}) if args.json else about, flush=True)
            sandbox.wait()
        except KeyboardInterrupt:
            return 0
    return complain("the simulated upstream ended by itself")


_COMMANDS: Mapping[str, Callable[[argparse.Namespace, Environ], int]] = {
    "chat": _chat,
    "check": _check,
    "demo": _demo,
    "label": _label,
    "sandbox": _sandbox,
}


@contextmanager
def _router(args: argparse.Namespace, environ: Environ, *, simulated: bool) -> Iterator[TierRouter]:
    config, options = _config(args.config), dict[str, Any]()
    predictor = TierPredictor.default() if args.model_file is None else TierPredictor.load(args.model_file)
    with ExitStack() as stack:
        if simulated:
            config, environ = _simulated(config, stack)
            options = {"http_client": httpx2.Client(trust_env=False)}  # a proxy has no business on loopback
        yield stack.enter_context(TierRouter(config, environ=environ, predictor=predictor, **options))


def _simulated(config: RouterConfig, stack: ExitStack) -> tuple[RouterConfig, Environ]:
    """Start a simulated upstream; return the configuration and the keys that lead to it."""
    sandbox = stack.enter_context(Sandbox.start(remember=0))
    return config.model_copy(update={"base_url": sandbox.url, "pro_base_url": None}), _SIMULATED_KEYS


def _redactor(args: argparse.Namespace) -> Redactor:
    if args.redact_command is not None:
        return Redactor(f"the command {args.redact_command!r}", command_redactor(args.redact_command))
    return Redactor() if args.redact is None else Redactor(args.redact, named_redactor(args.redact))


def _config(path: Path | None) -> RouterConfig:
    return RouterConfig() if path is None else RouterConfig.load(path)


def _source(path: Path | None) -> str:
    return "built in" if path is None else f"{path}"


def _shown(routed: Routed, args: argparse.Namespace, *, simulated: bool) -> Routed:
    if not args.json:
        print("\n".join(outcome_lines(routed, simulated=simulated)), flush=True)
    return routed


def _upstream_line(router: TierRouter, *, simulated: bool) -> str:
    url = f"{router.base_url}".rstrip("/")
    if simulated:
        return f"Routing to a simulated upstream at {url}: no model is called, nothing is paid."
    return f"Routing to {url}"


def _greeting(*, simulated: bool) -> str:
    about = "Simulated answers: no model is called.\n" if simulated else ""
    return f"{about}/new starts a new conversation, /quit or Ctrl-D ends the chat.\n"


def _print_summary(router: TierRouter, *, simulated: bool) -> None:
    summary = router.summary()
    if summary.requests:
        print("cost" + (" (simulated: nothing was paid)" if simulated else ""))
        print("\n".join([*cost_lines(summary, router.core.config), "latency", *latency_lines(summary)]))


def _verdict(failures: int) -> int:
    if not failures:
        return 0
    return complain(f"{failures} without an answer: python -m serving check tells what is set up wrongly")
