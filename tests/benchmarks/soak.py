"""A soak: very many requests through a real proxy process, while its memory and open files are watched."""

import argparse
import asyncio
import json
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks.material import say
from tests.benchmarks.row import Unavailable
from tests.benchmarks.servers import Server, our_proxy, straight

__all__ = ["Sample", "main", "slope", "soak"]

_EVERY = 5_000
_CLIENTS = 16
_PATIENCE = 30.0
_PROMPTS = ("What is the capital of France?", "Prove that there is no largest prime.", "Translate: good day")
_SETTINGS = "first_byte_seconds = 2.0\ndeadline_seconds = 10.0"


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process had after so many requests.

    Attributes:
        requests: so far.
        megabytes: resident size.
        files: open files and sockets.
    """

    requests: int
    megabytes: float
    files: int


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the least-squares line through points."""
    count = len(points)
    mean_x, mean_y = sum(x for x, _ in points) / count, sum(y for _, y in points) / count
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a line for each sample, then the slopes; return 1 where the proxy or `/proc` is not to be had."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks soak", description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000, metavar="N", help="(default: 100000)")
    parser.add_argument("--seed", type=int, default=0, help="of what is asked (default: 0)")
    options = parser.parse_args(arguments)
    try:
        samples, told = soak(options.requests, options.seed)
    except Unavailable as error:
        say(f"{error}")
        return 1
    later = samples[len(samples) // 2 :]
    memory = slope([(each.requests / 1000, each.megabytes * 1000) for each in later])
    files = slope([(each.requests / 1000, float(each.files)) for each in later])
    print(f"answers: {', '.join(f'{count} {what}' for what, count in sorted(told.items()))}")
    print(f"in the second half: {memory:+.1f} kB of memory and {files:+.3f} files per 1,000 requests")
    return 0


def soak(requests: int, seed: int) -> tuple[list[Sample], Counter[str]]:
    """Return what the process had, every 5,000 requests, and what became of them.

    Args:
        requests: how many.
        seed: of what is asked, and of who leaves.

    Raises:
        Unavailable: the proxy did not start, or nothing can be read of its process.
    """
    told: Counter[str] = Counter()
    samples: list[Sample] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        upstream = stack.enter_context(straight("soak_upstream"))
        proxy = stack.enter_context(
            our_proxy("soak", folder / "proxy", upstream.url, budget=True, settings=_SETTINGS)
        )
        print(f"{'requests':>9} {'MB':>8} {'files':>6}")
        while not samples or samples[-1].requests < requests:
            done = samples[-1].requests if samples else 0
            now = min(_EVERY, requests - done)
            asyncio.run(_round(proxy, now, random.Random(seed + done), told))  # noqa: S311 - no secret
            samples.append(_sample(proxy, done + now))
            print(f"{done + now:>9} {samples[-1].megabytes:>8.1f} {samples[-1].files:>6}", flush=True)
    return samples, told


def _sample(proxy: Server, requests: int) -> Sample:
    megabytes, files = proxy.megabytes(), proxy.open_files()
    if megabytes is None or files is None:
        raise Unavailable("the proxy has ended, or its memory cannot be read on this system")
    return Sample(requests, megabytes, files)


async def _round(proxy: Server, requests: int, chance: random.Random, told: Counter[str]) -> None:
    left = iter(range(requests))

    async def ask_on_and_on() -> None:
        for _ in left:
            told[await _asked(proxy, chance)] += 1

    await asyncio.gather(*(ask_on_and_on() for _ in range(_CLIENTS)))


async def _asked(proxy: Server, chance: random.Random) -> str:
    """Send one request on a connection of its own; of those who ask, one in twenty leaves early."""
    body: dict[str, Any] = {
        "model": chance.choice(["auto", "auto", "cheap", "premium"]),
        "messages": [{"role": "user", "content": f"{chance.choice(_PROMPTS)} ({chance.random()})"}],
        "stream": chance.random() < 0.5,
        "max_tokens": 50,
    }
    leaves = chance.random() < 0.05
    address = urlsplit(proxy.url)
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection(address.hostname, address.port)
            try:
                writer.write(_request(address.path, address.netloc, proxy.key, body))
                if leaves:
                    await asyncio.sleep(chance.random() * 0.02)
                    return "left"
                return (await reader.read()).partition(b"\r\n")[0].partition(b" ")[2].decode("latin-1")
            finally:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError) as error:
        return type(error).__name__


def _request(path: str, host: str, key: str, body: dict[str, Any]) -> bytes:
    data = json.dumps(body).encode()
    lines = [f"POST {path}/chat/completions HTTP/1.1", f"host: {host}", "connection: close"]
    lines += [
        f"authorization: Bearer {key}",
        "content-type: application/json",
        f"content-length: {len(data)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + data
