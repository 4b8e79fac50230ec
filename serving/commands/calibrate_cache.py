"""`calibrate-cache`: find the threshold of the semantic cache for an embedding model."""

import argparse
import json
import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from serving.cache.calibration import MARGIN, Calibration, Rate, calibrate, judged
from serving.cache.indexed_ask import Vector
from serving.cache.pairs import Pair, pairs_file, read_pairs
from serving.cache.semantic_settings import SemanticSettings
from serving.commands.options import KEYS, add_config, add_json, add_simulated
from serving.commands.surroundings import Environ, config_of, simulated_upstream
from serving.config import RouterConfig
from serving.cost import Tokens
from serving.embedder import Embedder, bearer_of
from serving.errors import ConfigError, KeyMissingError
from serving.keys import Channel, Keys
from serving.serve_config import ServeConfig

__all__ = ["EXAMPLES", "HELP", "NAME", "add_arguments", "run"]

NAME = "calibrate-cache"
HELP = "find the semantic cache's threshold for an embedding model"
EXAMPLES = f"""\
examples:
  python -m serving calibrate-cache --embedding-model text-embedding-3-small
  python -m serving calibrate-cache --config proxy.toml --pairs ours.jsonl
  python -m serving calibrate-cache --sandbox

All asks of the pairs are embedded once: some 2,000 short texts. The threshold is chosen on the pairs' one
half and judged on the other. Model, endpoint, key and dimensions are those of [cache.semantic].
The pairs are data/cache/pairs.jsonl of a checkout, unless others are given; data/README.md tells their form.
{KEYS}
exit code: 0, or 1 when the embeddings cannot be had."""


@dataclass(frozen=True, slots=True)
class _Measured:
    model: str
    dimensions: int
    tokens: int
    usd: float | None
    found: Calibration


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked."""
    add_config(parser)
    parser.add_argument("--embedding-model", metavar="NAME", help="in place of the configured one")
    parser.add_argument("--pairs", type=Path, metavar="FILE", help="JSON lines (data/cache/pairs.jsonl)")
    add_simulated(parser)
    add_json(parser, "print the findings as one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Embed the pairs, choose the threshold, and print what it comes to."""
    pairs = read_pairs(pairs_file(arguments.pairs))
    measured = _measured(arguments, pairs, os.environ)
    if arguments.json:
        told = {"embedding_model": measured.model, "dimensions": measured.dimensions}
        told |= {"tokens": measured.tokens, "usd": measured.usd, "calibration": measured.found.as_dict()}
        print(json.dumps(told, indent=2))
    else:
        print("\n".join(_lines(measured)))
    return 0


def _measured(arguments: argparse.Namespace, pairs: list[Pair], environ: Environ) -> _Measured:
    config = config_of(arguments.config)
    serve = ServeConfig() if arguments.config is None else ServeConfig.load(arguments.config)
    settings = serve.cache.semantic
    model = arguments.embedding_model or settings.embedding_model
    with ExitStack() as stack:
        if arguments.sandbox:
            config, environ = simulated_upstream(config, stack)
            settings, model = SemanticSettings(dimensions=256), model or "hashed-words"
        if model is None:
            raise ConfigError(
                "name the model with --embedding-model, or in [cache.semantic] of --config FILE"
            )
        vectors, tokens = _embedded(_embedder(config, settings, model, environ), pairs)
    found = calibrate(judged(pairs, vectors.__getitem__), vectors.__getitem__)
    price = config.price(model)
    usd = None if price is None else price.of(Tokens(tokens, 0))
    if settings.usd_per_million_tokens is not None:
        usd = settings.usd_per_million_tokens * tokens / 1e6
    return _Measured(model, len(next(iter(vectors.values()))), tokens, usd, found)


def _embedded(embedder: Embedder, pairs: list[Pair]) -> tuple[dict[str, Vector], int]:
    texts = [text for pair in pairs for text in (pair.first, pair.second)]
    with tqdm(total=len(set(texts)), unit="text", disable=None, leave=False) as bar:
        return embedder.embed(texts, bar.update)


def _embedder(config: RouterConfig, settings: SemanticSettings, model: str, environ: Environ) -> Embedder:
    base_url, headers = settings.base_url, dict[str, str]()
    if base_url is None:
        channel = Channel.of(model)
        key = Keys.from_environ(environ).of(channel)
        if key is None:
            raise KeyMissingError(f"{channel.variable} is not set: {model} is reached with it")
        base_url = config.base(channel)
        headers = {"authorization": f"Bearer {key.reveal()}"}
    else:
        headers = bearer_of(settings, environ)
    return Embedder(base_url, headers, model, settings.dimensions)


def _lines(measured: _Measured) -> list[str]:
    found = measured.found
    cost = "" if measured.usd is None else f", ${measured.usd:.4f}"
    lines = [
        f"model        {measured.model}, {measured.dimensions} dimensions ({measured.tokens} tokens{cost})",
        f"threshold    {found.threshold:g}: no look-alike that the guard lets pass, and not 1 in 100 asks",
        f"             about another thing, is within {MARGIN:g} of it in the calibration half ("
        f"{_words(found.chosen_on[0])} of the same are hits)",
        f"separation   {found.separation:.2f} (0.5 is none, 1 perfect)",
        "",
        "held-out half              with the guard          without it",
        f"the same: hits             {_words(found.hits):<22}  {_words(found.unguarded_hits)}",
        f"look-alikes: false hits    {_words(found.false_hits):<22}  {_words(found.unguarded_false_hits)}",
        *(f"  {kind:<23}  {_words(one):<22}  {_words(two)}" for kind, (one, two) in found.by_kind.items()),
        "",
        f"The true share of false hits among such look-alikes is at most {found.false_hits.at_most:.1%} "
        "(exact, 95 %).",
        f"The guard alone lets {_words(found.guard_only)} of the look-alikes pass, however far they are.",
    ]
    if not found.separates:
        lines.append(f"warning: {measured.model} does not tell the same from look-alikes; the guard does all")
    if found.hits.hits == 0:
        lines.append("warning: at this threshold nothing is a hit; the cache would cost and save nothing")
    lines += ["", "[cache.semantic]", "enabled = true", f'embedding_model = "{measured.model}"']
    return [*lines, f"threshold = {found.threshold:g}"]


def _words(rate: Rate) -> str:
    return f"{rate.hits} of {rate.pairs} ({rate.share:.1%})"
