"""What an answer from the cache takes, beside one from an upstream that answers at once."""

import asyncio
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.benchmarks.material import Material, say
from tests.benchmarks.proxy_load import Load, Measured, measure
from tests.benchmarks.row import Peer, Row
from tests.benchmarks.servers import Server, our_proxy, straight

__all__ = ["cache_rows"]

_CALLS = {1: 300, 32: 960}
_ROUNDS = 3
_PROMPT = "Summarise in two sentences why the sky is blue and why sunsets are red."
_WAYS: Mapping[str, Mapping[str, str]] = {
    "without": {},
    "hit": {"cache-control": "max-age=3600"},
    "stored": {"cache-control": "no-cache, max-age=3600"},
}


def cache_rows(_: Material) -> Iterator[Row]:
    """Yield rows on hits, and on answers that are stored, on a SQLite file."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(straight())
        proxy = stack.enter_context(our_proxy("proxy", folder / "proxy", upstream.url))
        for kind in ("whole", "streamed"):
            for clients in _CALLS:
                yield from _rows(kind, clients, _measured(proxy, kind, clients))


def _measured(proxy: Server, kind: str, clients: int) -> dict[str, Measured]:
    """Load the proxy in each way in turns; the middle one of the rounds counts."""
    say(f"{_CALLS[clients]} calls, {_ROUNDS} times, of {clients} clients, {len(_WAYS)} ways: {kind} answers")
    rounds: dict[str, list[Measured]] = {way: [] for way in _WAYS}
    for _ in range(_ROUNDS):
        for way, headers in _WAYS.items():
            rounds[way].append(asyncio.run(measure(_load(proxy, kind, clients, headers))))
    return {way: sorted(found, key=lambda each: each.median)[_ROUNDS // 2] for way, found in rounds.items()}


def _rows(kind: str, clients: int, found: Mapping[str, Measured]) -> Iterator[Row]:
    without = found["without"]
    for way in ("hit", "stored"):
        each = found[way]
        what = f"{'a hit' if way == 'hit' else 'an answer that is stored'}, {kind}"
        note = (
            f"p95 {each.p95:.2f} ms, {each.rate:.0f} calls/s; without the cache: {without.p95:.2f} ms,"
            f" {without.rate:.0f} calls/s"
        )
        peer = Peer("no cache", without.median)
        yield Row(
            f"{what}, {clients} client{'s' * (clients > 1)}: median", each.median, "ms", peer=peer, note=note
        )


def _load(proxy: Server, kind: str, clients: int, headers: Mapping[str, str]) -> Load:
    messages = [{"role": "user", "content": _PROMPT}]
    body: dict[str, Any] = {"model": "auto", "messages": messages, "max_tokens": 100}
    if kind == "streamed":
        body["stream"] = True
    return Load(proxy.url, proxy.key, body, clients, _CALLS[clients], headers)
