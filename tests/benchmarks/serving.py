"""What our proxy adds to a call, and how many it takes, beside LiteLLM's proxy and straight calls."""

import asyncio
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from tests.benchmarks.material import Material, say
from tests.benchmarks.peers import environment_python
from tests.benchmarks.proxy_load import Load, Measured, measure
from tests.benchmarks.row import Goal, Of, Peer, Row, Sense, Unavailable
from tests.benchmarks.servers import Server, litellm_proxy, our_proxy, straight

__all__ = ["Case", "Found", "Tally", "serving_rows"]

_CALLS = {1: 80, 8: 120, 32: 192}
_ROUNDS = 3
_WARM_UP = 2
_SHORT = "Summarise in two sentences why the sky is blue and why sunsets are red."
_LONG = "".join(
    f"{number}. Of the {number} ways to cook rice, which one keeps?\n" for number in range(1, 400)
)
_PROMPTS = {"short": _SHORT, "10,000 characters": _LONG[:10_000]}
_TIMES = 8.0  # so many times LiteLLM's figures are wished for
_MEMORY = 3.0


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of load.

    Attributes:
        streamed: whether answers are streams.
        prompt: "short" or how long.
        clients: connections at once.
    """

    streamed: bool
    prompt: str
    clients: int

    @property
    def kind(self) -> str:
        """What is asked, however many ask."""
        return f"{'streamed' if self.streamed else 'whole'}, {self.prompt}"

    def load(self, server: Server) -> Load:
        """Return it as load on a server."""
        messages = [{"role": "user", "content": _PROMPTS[self.prompt]}]
        body: dict[str, Any] = {"model": "auto", "messages": messages, "max_tokens": 100}
        if self.streamed:
            body["stream"] = True
        return Load(server.url, server.key, body, self.clients, _CALLS[self.clients])


@dataclass(slots=True)
class Found:
    """What one server did in one case, round after round."""

    rounds: list[Measured] = field(default_factory=list)

    def milliseconds(self, share: float) -> float:
        """Return the time that a share of all calls stayed below.

        >>> Found([Measured([0.001, 0.003], 1.0), Measured([0.002], 1.0)]).milliseconds(0.5)
        2.0
        """
        times = sorted(time for each in self.rounds for time in each.times)
        return times[min(len(times) - 1, int(share * len(times)))] * 1e3

    @property
    def rate(self) -> float:
        """Calls a second, in the middle one of the rounds."""
        return sorted(each.rate for each in self.rounds)[len(self.rounds) // 2]


@dataclass(slots=True)
class Tally:
    """What calls of a kind have cost a server's process so far."""

    seconds: float = 0.0
    calls: int = 0

    @property
    def milliseconds(self) -> float:
        """Return the processor time of one call."""
        return self.seconds / self.calls * 1e3 if self.calls else 0.0


def serving_rows(material: Material) -> Iterator[Row]:
    """Yield, for each case, what was added to a call or how many were answered; then processor and memory."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        direct = stack.enter_context(straight())
        ours = stack.enter_context(our_proxy("tierwise", folder / "plain", direct.url))
        governed = stack.enter_context(
            our_proxy("key and budget", folder / "governed", direct.url, budget=True)
        )
        servers, why_not = [direct, ours, governed], ""
        try:
            python = environment_python("litellm", material.choices.environments)
            servers.append(stack.enter_context(litellm_proxy(python, folder / "litellm", direct.url)))
        except Unavailable as error:
            why_not = f"{error}"
        before = {each.name: each.megabytes() for each in servers}
        tallies: dict[tuple[str, str], Tally] = {}
        for streamed, prompt, clients in product((False, True), _PROMPTS, _CALLS):
            case = Case(streamed, prompt, clients)
            loaded = [each for each in servers if each is not governed or prompt == "short"]
            yield from case_rows(case, _in_turns(case, loaded, tallies))
        yield from processor_rows(tallies)
        for server in servers[1:]:
            yield _memory_row(server, before[server.name], servers[-1] if len(servers) > 3 else None)
        yield Row(
            "the machine", note=f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} at the end"
        )
        if why_not:
            yield Row("LiteLLM's proxy", note=f"not compared: {why_not}")


def _in_turns(
    case: Case, servers: Sequence[Server], tallies: dict[tuple[str, str], Tally]
) -> dict[str, Found]:
    say(f"{_ROUNDS} rounds of {_CALLS[case.clients]} calls, {case.clients} at once: {case.kind}")
    found = {each.name: Found() for each in servers}
    for _ in range(_ROUNDS):
        for server in servers:
            before = server.processor_seconds()
            found[server.name].rounds.append(asyncio.run(measure(case.load(server), _WARM_UP)))
            tally = tallies.setdefault((server.name, case.kind), Tally())
            tally.seconds += server.processor_seconds() - before
            tally.calls += _CALLS[case.clients] + _WARM_UP * case.clients
    return found


def case_rows(case: Case, found: Mapping[str, Found]) -> Iterator[Row]:
    """Yield a row for our proxy, beside LiteLLM's where it was there, and one for a key with a budget.

    Args:
        case: the load.
        found: by the server's name; "straight" and "tierwise" at least.
    """
    direct, peer = found["straight"], found.get("LiteLLM")
    for name in ("tierwise", "key and budget"):
        if name not in found:
            continue
        what = f"{case.kind}, {case.clients} client{'s' * (case.clients > 1)}"
        what += ", key and budget" * (name != "tierwise")
        note = f"added: {_added(found[name], direct)}; straight {_told(direct)}"
        if peer is not None:
            note += f"; LiteLLM added {_added(peer, direct)}"
        if case.clients > 1:
            other = None if peer is None else Peer("LiteLLM", peer.rate)
            goal = None if peer is None else Goal(_TIMES * peer.rate)
            yield Row(f"{what}: calls a second", found[name].rate, "/s", peer=other, goal=goal, note=note)
        else:
            figures = [
                each.milliseconds(0.5) - direct.milliseconds(0.5) for each in (found[name], peer) if each
            ]
            other = None if peer is None else Peer("LiteLLM", figures[1])
            goal = None if peer is None else Goal(_TIMES, of=Of.SPEED)
            yield Row(f"{what}: added to the median", figures[0], "ms", peer=other, goal=goal, note=note)


def processor_rows(tallies: Mapping[tuple[str, str], Tally]) -> Iterator[Row]:
    """Yield what a call costs each of the servers' processes."""
    for (name, kind), tally in tallies.items():
        theirs = tallies.get(("LiteLLM", kind))
        if name in ("straight", "LiteLLM"):
            continue
        other = None if theirs is None else Peer("LiteLLM", theirs.milliseconds)
        yield Row(f"{name}, {kind}: processor time a call", tally.milliseconds, "ms", peer=other)


def _memory_row(server: Server, start: float | None, peer: Server | None) -> Row:
    after, theirs = server.megabytes(), None if peer is None else peer.megabytes()
    note = (
        "read on Linux only"
        if after is None or start is None
        else f"resident size; {start:.0f} MB at the start"
    )
    if theirs is None or peer is None or server.pid == peer.pid:
        return Row(f"{server.name}: memory at the end", after, "MB", note=note)
    goal = Goal(theirs / _MEMORY, Sense.AT_MOST)
    return Row(
        f"{server.name}: memory at the end", after, "MB", peer=Peer("LiteLLM", theirs), goal=goal, note=note
    )


def _added(found: Found, direct: Found) -> str:
    figures = [found.milliseconds(share) - direct.milliseconds(share) for share in (0.5, 0.95, 0.99)]
    return "p50 {:.2f}, p95 {:.2f}, p99 {:.2f} ms".format(*figures) + f" at {found.rate:.0f}/s"


def _told(direct: Found) -> str:
    figures = [direct.milliseconds(share) for share in (0.5, 0.95, 0.99)]
    return "{:.2f}, {:.2f}, {:.2f} ms".format(*figures) + f" at {direct.rate:.0f}/s"
