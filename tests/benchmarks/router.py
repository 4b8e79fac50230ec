"""What the router adds to a call, over the bare OpenAI client on the same local upstream."""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median
from time import perf_counter_ns, process_time_ns
from typing import IO, Any, cast

from openai import DefaultHttpxClient, OpenAI

from serving import RouterConfig, TierRouter, routing_of
from tests.benchmarks.material import Material, say
from tests.benchmarks.row import Goal, Row, Sense, Unavailable

__all__ = ["CallTimes", "router_rows", "take_turns"]

_CALLS = 400
_WARM_UP = 30
_KEYS = {"GLOBAL_API_KEY": "benchmark", "GLOBAL_API_PRO_KEY": "ga_pro_benchmark"}


def router_rows(material: Material) -> Iterator[Row]:
    """Yield one row for whole answers and one for streams."""
    prompts = sorted(material.test_prompts["prompt"].tolist(), key=len)
    messages = [{"role": "user", "content": prompts[len(prompts) // 2]}]
    with (
        _upstream() as url,
        DefaultHttpxClient(trust_env=False) as ours,
        DefaultHttpxClient(trust_env=False) as theirs,
        TierRouter(
            RouterConfig(base_url=url), environ=_KEYS, predictor=material.predictor, http_client=ours
        ) as router,
        OpenAI(base_url=url, api_key="benchmark", max_retries=0, http_client=theirs) as bare,
    ):
        model = routing_of(_answer(router, "auto", messages)).model
        for kind, call in (("whole answers", _answer), ("streams", _stream)):
            say(f"{_CALLS} calls through the router and through the bare client in turns: {kind}")
            routed, direct = take_turns(
                partial(call, router, "auto", messages),
                partial(call, bare, model, messages),
            )
            yield _row(kind, routed, direct)


@dataclass(frozen=True, slots=True)
class CallTimes:
    """Median milliseconds of a call: on the clock, and of this process's processor time."""

    clock: float
    processor: float


def _row(kind: str, routed: CallTimes, direct: CallTimes) -> Row:
    note = (
        f"medians of {_CALLS} calls each, in turns: router {routed.clock:.2f} ms, bare client"
        f" {direct.clock:.2f} ms; of processor time {routed.processor - direct.processor:.2f} ms more"
    )
    what = f"router overhead per call, {kind}"
    return Row(what, routed.clock - direct.clock, "ms", goal=Goal(0.5, Sense.AT_MOST), note=note)


def take_turns(
    first: Callable[[], object], second: Callable[[], object], calls: int = _CALLS, warm_up: int = _WARM_UP
) -> tuple[CallTimes, CallTimes]:
    """Return the times of two calls that alternate; the first few of each do not count."""
    taken: tuple[list[_Span], list[_Span]] = ([], [])
    for _ in range(warm_up + calls):
        for call, spans in zip((first, second), taken, strict=True):
            clock, processor = perf_counter_ns(), process_time_ns()
            call()
            spans.append((perf_counter_ns() - clock, process_time_ns() - processor))
    ours, theirs = (_medians(spans[warm_up:]) for spans in taken)
    return ours, theirs


_Span = tuple[int, int]


def _medians(spans: Sequence[_Span]) -> CallTimes:
    return CallTimes(median(clock for clock, _ in spans) / 1e6, median(cpu for _, cpu in spans) / 1e6)


def _answer(client: OpenAI, model: str | None, messages: Any) -> Any:
    return client.chat.completions.create(model=str(model), messages=messages)


def _stream(client: OpenAI, model: str | None, messages: Any) -> list[Any]:
    with client.chat.completions.create(model=str(model), messages=messages, stream=True) as stream:
        return list(stream)


@contextmanager
def _upstream() -> Iterator[str]:
    command = [sys.executable, "-m", "tests.benchmarks.workers.upstream"]
    process = subprocess.Popen(  # noqa: S603 - our own command
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            url = cast(IO[str], process.stdout).readline().strip()
            if not url:
                raise Unavailable("the sandbox upstream did not start")
            yield url
        finally:
            process.kill()
