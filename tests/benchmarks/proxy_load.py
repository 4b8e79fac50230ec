"""Load on an OpenAI-compatible server, by connections that cost the client as little as can be."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from tests.benchmarks.row import Unavailable

__all__ = ["Load", "Measured", "measure"]


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked.

    Attributes:
        url: base URL.
        key: API key; empty for none.
        body: of every request.
        clients: connections, each of which asks again as soon as it was answered.
        calls: of all clients together.
        headers: beside those that every request has.
    """

    url: str
    key: str
    body: dict[str, Any]
    clients: int
    calls: int
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of it.

    Attributes:
        times: seconds of each call, from its first byte out to the last byte in.
        seconds: from the first call to the last answer.
    """

    times: Sequence[float]
    seconds: float

    @property
    def median(self) -> float:
        """Milliseconds."""
        return median(self.times) * 1e3

    @property
    def p95(self) -> float:
        """Milliseconds."""
        return quantiles(self.times, n=20)[-1] * 1e3

    @property
    def rate(self) -> float:
        """Calls a second."""
        return len(self.times) / self.seconds


async def measure(load: Load, warm_up: int = 5) -> Measured:
    """Ask, from connections that are open and warm.

    Raises:
        Unavailable: an answer was no answer.
    """
    request, address = _request(load), urlsplit(load.url)
    connections = [await asyncio.open_connection(address.hostname, address.port) for _ in range(load.clients)]
    try:
        await asyncio.gather(*(_ask(*each, request, warm_up) for each in connections))
        started = perf_counter()
        each_asks = max(1, load.calls // load.clients)
        found = await asyncio.gather(*(_ask(*each, request, each_asks) for each in connections))
        return Measured([time for times in found for time in times], perf_counter() - started)
    finally:
        for _, writer in connections:
            writer.close()


def _request(load: Load) -> bytes:
    body, address = json.dumps(load.body).encode(), urlsplit(load.url)
    lines = [f"POST {address.path}/chat/completions HTTP/1.1", f"host: {address.netloc}"]
    lines += ["content-type: application/json", f"content-length: {len(body)}"]
    lines += [f"authorization: Bearer {load.key}"] if load.key else []
    lines += [f"{name}: {value}" for name, value in load.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _ask(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, calls: int
) -> list[float]:
    times = []
    for _ in range(calls):
        started = perf_counter()
        writer.write(request)
        await _answer(reader)
        times.append(perf_counter() - started)
    return times


async def _answer(reader: asyncio.StreamReader) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise Unavailable(f"the answer to a call was {head[:60]!r}")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    if length:
        await reader.readexactly(int(length))
        return
    while size := int(await reader.readuntil(b"\r\n"), 16):
        await reader.readexactly(size + 2)
    await reader.readexactly(2)
