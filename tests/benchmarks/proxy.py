"""What the proxy adds to a call, and how many it takes, beside straight calls to the same local upstream."""

# ruff: noqa: S603 - the only programs started here are our own

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import IO, Any, cast

from serving.state import State
from serving.state.migrate import migrate
from tests.benchmarks.material import Material, say
from tests.benchmarks.proxy_load import Load, Measured, measure
from tests.benchmarks.row import Peer, Row, Unavailable

__all__ = ["Server", "canned_upstream", "proxy_rows", "running_proxy"]

_KEYS = {"GLOBAL_API_KEY": "benchmark", "GLOBAL_API_PRO_KEY": "ga_pro_benchmark"}
_CALLS = {1: 200, 32: 960}
_ROUNDS = 3
_PROMPT = "Summarise in two sentences why the sky is blue and why sunsets are red."
_START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """A process under load: its base URL, a key for it, and its id."""

    name: str
    url: str
    key: str
    pid: int

    def processor_seconds(self) -> float:
        """Return what it has used so far, in user and system mode; 0 where that cannot be read."""
        try:
            fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float | None:
        """Return its resident size; None where that cannot be read."""
        try:
            told = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        except OSError:
            return None
        return int(told[1]) / 1e3 if told else None


def proxy_rows(_: Material) -> Iterator[Row]:
    """Yield rows on latency and throughput, then on processor time and memory."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        direct = stack.enter_context(canned_upstream())
        plain = stack.enter_context(running_proxy("proxy", folder / "plain", direct.url, budget=False))
        governed = stack.enter_context(
            running_proxy("key and budget", folder / "governed", direct.url, budget=True)
        )
        servers = [direct, plain, governed]
        before = [each.megabytes() for each in servers]
        costs: dict[tuple[str, str], float] = {}
        for clients in _CALLS:
            for kind in ("whole", "streamed"):
                yield from _compared(servers, kind, clients, costs)
        yield from _processor_rows(costs)
        for server, start in list(zip(servers, before, strict=True))[1:]:
            yield _memory_row(server, start)


def _compared(
    servers: Sequence[Server], kind: str, clients: int, costs: dict[tuple[str, str], float]
) -> Iterator[Row]:
    """Load the servers in turns; the rows tell the middle one of the rounds."""
    say(f"{_CALLS[clients]} calls, {_ROUNDS} times, of {clients} clients: {kind} answers")
    rounds: dict[str, list[Measured]] = {each.name: [] for each in servers}
    for _ in range(_ROUNDS):
        for server in servers:
            before = server.processor_seconds()
            rounds[server.name].append(asyncio.run(measure(_load(server, kind, clients))))
            used = (server.processor_seconds() - before) / (_CALLS[clients] + 5 * clients) * 1e3
            costs[server.name, kind] = min(used, costs.get((server.name, kind), used))
    direct, *proxies = [_middle(each) for each in rounds.values()]
    for server, found in zip(servers[1:], proxies, strict=True):
        yield _row(f"{server.name}, {kind}, {clients} client{'s' * (clients > 1)}", clients, found, direct)


def _row(what: str, clients: int, found: Measured, direct: Measured) -> Row:
    note = (
        f"median {found.median:.2f} ms, p95 {found.p95:.2f} ms, {found.rate:.0f} calls/s; straight:"
        f" {direct.median:.2f} ms, {direct.p95:.2f} ms, {direct.rate:.0f} calls/s"
    )
    if clients > 1:
        return Row(f"{what}: calls a second", found.rate, "/s", peer=Peer("straight", direct.rate), note=note)
    return Row(f"{what}: added to the median", found.median - direct.median, "ms", note=note)


def _processor_rows(costs: dict[tuple[str, str], float]) -> Iterator[Row]:
    note = "of the server's process, the least of all rounds"
    for (name, kind), used in costs.items():
        if name != "straight":  # the upstream's own is less than a tick of the clock that tells it
            yield Row(f"{name}, {kind}: processor time a call", used, "ms", note=note)


def _memory_row(server: Server, start: float | None) -> Row:
    after = server.megabytes()
    note = "resident size after all calls, beside that at the start" if after else "read on Linux only"
    peer = None if start is None else Peer("at start", start)
    return Row(f"{server.name}: memory", after, "MB", peer=peer, note=note)


def _middle(rounds: Sequence[Measured]) -> Measured:
    return sorted(rounds, key=lambda each: each.median)[len(rounds) // 2]


def _load(server: Server, kind: str, clients: int) -> Load:
    messages = [{"role": "user", "content": _PROMPT}]
    body: dict[str, Any] = {"model": "auto", "messages": messages, "max_tokens": 100}
    if kind == "streamed":
        body["stream"] = True
    return Load(server.url, server.key, body, clients, _CALLS[clients])


@contextmanager
def canned_upstream() -> Iterator[Server]:
    """Start an upstream that answers at once, in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.proxy_upstream"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = cast(IO[str], process.stdout).readline().strip()
            if not url:
                raise Unavailable("the canned upstream did not start")
            yield Server("straight", url, "", process.pid)
        finally:
            process.kill()


@contextmanager
def running_proxy(name: str, folder: Path, upstream: str, *, budget: bool) -> Iterator[Server]:
    """Start one on a SQLite file of its own; `budget` gives it a key whose dollars govern every call."""
    folder.mkdir()
    database, config, log = f"sqlite:///{folder / 'state.db'}", folder / "proxy.toml", folder / "log"
    config.write_text(
        f'base_url = "{upstream}"\n[proxy]\nport = 0\n'
        f'[state]\nurl = "{database}"\njournal = "{folder / "journal"}"\n'
    )
    migrate(database)
    key = ""
    if budget:
        with State.open(database) as state:
            key = state.api_keys.create("benchmark", at=0.0, daily_usd=1e6).secret.reveal()
    command = [sys.executable, "-m", "serving", "serve", "--config", str(config)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **_KEYS}, stdout=output, stderr=output)
    with process:
        try:
            yield Server(name, _listening(process, log), key, process.pid)
        finally:
            process.kill()


def _listening(process: "subprocess.Popen[bytes]", log: Path) -> str:
    for _ in range(round(_START_SECONDS / 0.05)):
        found = re.search(r"listening on (\S+),", log.read_text())
        if found:
            return found[1]
        if process.poll() is not None:
            break
        sleep(0.05)
    raise Unavailable(f"the proxy did not start: {' '.join(log.read_text().split())[-300:]}")
