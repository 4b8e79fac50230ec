"""What several commands are composed of: settings, a router, a simulated upstream."""

import argparse
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2

from classifier import TierPredictor
from classifier.console import complain
from serving.config import RouterConfig
from serving.keys import CHANNELS
from serving.router import TierRouter
from serving.sandbox import Sandbox

__all__ = [
    "SIMULATED_KEYS",
    "Environ",
    "config_of",
    "router_of",
    "simulated_upstream",
    "source_of",
    "verdict",
]

SIMULATED_KEYS = {channel.variable: f"ga_{channel}_simulated" for channel in CHANNELS}

Environ = Mapping[str, str]


@contextmanager
def router_of(args: argparse.Namespace, environ: Environ, *, simulated: bool) -> Iterator[TierRouter]:
    """Give a router of the settings that a command was given; it is closed afterwards."""
    config, options = config_of(args.config), dict[str, Any]()
    predictor = TierPredictor.default() if args.model_file is None else TierPredictor.load(args.model_file)
    with ExitStack() as stack:
        if simulated:
            config, environ = simulated_upstream(config, stack)
            options = {"http_client": httpx2.Client(trust_env=False)}  # a proxy has no business on loopback
        yield stack.enter_context(TierRouter(config, environ=environ, predictor=predictor, **options))


def simulated_upstream(config: RouterConfig, stack: ExitStack) -> tuple[RouterConfig, Environ]:
    """Start a simulated upstream; return the configuration and the keys that lead to it."""
    sandbox = stack.enter_context(Sandbox.start(remember=0))
    return config.model_copy(update={"base_url": sandbox.url, "pro_base_url": None}), SIMULATED_KEYS


def config_of(path: Path | None) -> RouterConfig:
    """Read the settings, or return those built in."""
    return RouterConfig() if path is None else RouterConfig.load(path)


def source_of(path: Path | None) -> str:
    """Return how to call the source of the settings."""
    return "built in" if path is None else f"{path}"


def verdict(failures: int) -> int:
    """Return the exit code of a command by how many prompts got no answer."""
    if not failures:
        return 0
    return complain(f"{failures} without an answer: python -m serving check tells what is set up wrongly")
