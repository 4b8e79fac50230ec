"""The same through the proxy: what its clients see while models fail, are slow, or ask to be left alone."""

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from serving.health import State, TargetHealth
from serving.sandbox import (
    BrokenJson,
    EndAfter,
    Fault,
    Gigantic,
    HtmlPage,
    Reset,
    ResetAfter,
    Sandbox,
    Silence,
    StallAfter,
    Status,
)
from tests.serving.conftest import ASK_CHEAP, BALANCED, CHEAP, PREMIUM
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running, error_of

SMALL = {"minimum_calls": 3, "minimum_slow": 3, "probes": 1, "cooldown_seconds": 30.0}
NONE: dict[str, Any] = {"fallback": []}


@pytest.fixture
def web() -> Iterator[httpx2.Client]:
    with httpx2.Client(timeout=PATIENCE, trust_env=False) as client:
        yield client


def ask(web: httpx2.Client, running: Running, model: str = "cheap", **more: Any) -> httpx2.Response:
    body = {"model": model, "messages": ASK_CHEAP, **more}
    return web.post(f"{running.url}/chat/completions", json=body)


def health(running: Running, model: str = CHEAP) -> TargetHealth:
    desk = running.service.desk
    assert desk is not None
    return next(each for each in desk.generation.core.health.snapshot() if each.model == model)


@pytest.mark.parametrize(
    "fault",
    [Status(500), Status(429), Reset(), BrokenJson(), HtmlPage(), ResetAfter(0)],
    ids=lambda fault: f"{type(fault).__name__}-{getattr(fault, 'code', '')}",
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_model_that_fails_is_passed_over_and_the_answer_says_why(
    proxy: MakeProxy, upstream: Sandbox, web: httpx2.Client, fault: Fault, stream: bool
) -> None:
    running = proxy(breaker=SMALL)
    upstream.always(CHEAP, fault)
    for _ in range(3):
        assert ask(web, running, stream=stream).headers["x-tierwise-model"] == BALANCED
    answer = ask(web, running, stream=stream)
    assert (answer.status_code, answer.headers["x-tierwise-attempts"]) == (200, "1")
    assert "its circuit is open after 3 of 3 calls failed" in answer.headers["x-tierwise-reasons"]
    assert [request.model for request in upstream.requests].count(CHEAP) == 3


@pytest.mark.parametrize(
    "fault", [ResetAfter(2), StallAfter(2), EndAfter(2)], ids=["reset", "stall", "early end"]
)
def test_streams_that_break_in_the_middle_count(
    proxy: MakeProxy, upstream: Sandbox, web: httpx2.Client, fault: Fault
) -> None:
    running = proxy(breaker=SMALL, deadline_seconds=1.0)
    upstream.always(CHEAP, fault)
    for _ in range(3):
        ask(web, running, stream=True)
    assert health(running).state is State.OPEN


@pytest.mark.parametrize("fault", [Silence(), StallAfter(0)], ids=["silence", "only the head"])
def test_silence_counts(proxy: MakeProxy, upstream: Sandbox, web: httpx2.Client, fault: Fault) -> None:
    running = proxy(breaker=SMALL, first_byte_seconds=0.2, deadline_seconds=0.5)
    upstream.always(CHEAP, fault)
    for _ in range(3):
        ask(web, running, stream=True)
    assert health(running).state is State.OPEN


def test_a_gigantic_body_counts(proxy: MakeProxy, upstream: Sandbox, web: httpx2.Client) -> None:
    running = proxy(breaker={**SMALL, "minimum_calls": 1})
    upstream.script(CHEAP, Gigantic(size=65 * 2**20))
    assert ask(web, running).headers["x-tierwise-model"] == BALANCED
    assert health(running).state is State.OPEN


def test_clients_that_leave_count_as_nothing(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(breaker=SMALL)
    upstream.always("*", Silence())
    for _ in range(5):
        with (
            httpx2.Client(timeout=0.2, trust_env=False) as hasty,
            pytest.raises(httpx2.ReadTimeout, match="timed out"),
        ):
            ask(hasty, running)
    until = time.monotonic() + PATIENCE
    while len(running.rows()) < 5 and time.monotonic() < until:
        time.sleep(0.05)
    assert (health(running).state, health(running).calls) == (State.CLOSED, 0)


def test_a_lone_model_that_fails_is_refused_at_once_with_the_time_to_come_back(
    proxy: MakeProxy, upstream: Sandbox, web: httpx2.Client
) -> None:
    running = proxy(breaker=SMALL, tiers={"cheap": NONE})
    upstream.always(CHEAP, Reset())
    for _ in range(3):
        assert ask(web, running).status_code == 502
    refused = ask(web, running)
    assert (refused.status_code, error_of(refused)["code"]) == (503, "upstream_unavailable")
    assert 25 <= int(refused.headers["retry-after"]) <= 30
    assert "its circuit is open after 3 of 3 calls failed" in error_of(refused)["message"]
    assert len(upstream.requests) == 3


def test_a_model_by_name_fails_fast(proxy: MakeProxy, upstream: Sandbox, web: httpx2.Client) -> None:
    running = proxy(breaker=SMALL)
    upstream.always("some/model", Status(500))
    statuses = [ask(web, running, "some/model").status_code for _ in range(4)]
    assert statuses == [500, 500, 500, 503]


@pytest.mark.parametrize("said", [30, "Fri, 01 Jan 2100 00:00:00 GMT"], ids=["seconds", "date"])
def test_a_storm_of_429_asks_each_model_once(
    proxy: MakeProxy, upstream: Sandbox, web: httpx2.Client, said: Any
) -> None:
    running = proxy()
    upstream.always("*", Status(429, retry_after=said))
    for _ in range(10):
        refused = ask(web, running)
        assert (refused.status_code, error_of(refused)["code"]) == (429, "upstream_rate_limited")
        assert 25 <= int(refused.headers["retry-after"]) <= 600
    assert len(upstream.requests) == 3


def test_the_minutes_requests_are_kept_whoever_asks_at_once(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(
        limits={"requests_per_minute": {"standard": 5}, "longest_wait_seconds": 0.1}, tiers={"cheap": NONE}
    )

    async def storm() -> list[int]:
        async with httpx2.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
            body = {"model": "cheap", "messages": ASK_CHEAP}
            asks = [client.post(f"{running.url}/chat/completions", json=body) for _ in range(20)]
            return [answer.status_code for answer in await asyncio.gather(*asks)]

    assert sorted(asyncio.run(storm())) == [200] * 5 + [429] * 15
    assert len(upstream.requests) == 5


def test_a_full_channel_sends_requests_to_the_other(proxy: MakeProxy, web: httpx2.Client) -> None:
    running = proxy(limits={"requests_per_minute": {"standard": 1}})
    answers = [ask(web, running) for _ in range(2)]
    assert [answer.headers["x-tierwise-model"] for answer in answers] == [CHEAP, PREMIUM]
    assert "the standard channel has sent the 1 requests" in answers[1].headers["x-tierwise-reasons"]


def test_tiers_have_times_of_their_own(proxy: MakeProxy, upstream: Sandbox, web: httpx2.Client) -> None:
    running = proxy(tiers={"premium": {"first_byte_seconds": 0.2}})
    upstream.always(PREMIUM, Silence())
    began = time.monotonic()
    assert ask(web, running, "premium").headers["x-tierwise-model"] == BALANCED
    assert time.monotonic() - began < 5


def test_a_premium_tier_that_is_slow_is_left_to_recover_and_asked_only_when_nobody_else_answers(
    proxy: MakeProxy, upstream: Sandbox, web: httpx2.Client
) -> None:
    running = proxy(breaker=SMALL, tiers={"premium": {"objective_seconds": 0.1}})
    desk = running.service.desk
    assert desk is not None
    slow = desk.generation.core.health
    for _ in range(3):  # as if they had taken 8.2 s, which no test should wait for
        permit: Any = slow.admit(PREMIUM, health(running, PREMIUM).channel, 1e12)
        permit.ticket.first_token(8.2)
        permit.ticket.succeeded()
    assert ask(web, running, "premium").headers["x-tierwise-model"] == BALANCED
    upstream.always(BALANCED, Reset())
    upstream.always(CHEAP, Reset())
    answer = ask(web, running, "premium")
    assert (answer.status_code, answer.headers["x-tierwise-model"]) == (200, PREMIUM)
    assert answer.headers["x-tierwise-attempts"] == "3"


def test_circuits_survive_a_reload(proxy: MakeProxy, upstream: Sandbox, web: httpx2.Client) -> None:
    running = proxy(breaker=SMALL)
    upstream.always(CHEAP, Reset())
    for _ in range(3):
        ask(web, running)
    desk = running.service.desk
    assert desk is not None
    old = desk.generation
    desk.generation = type(old).of(
        old.serve, old.core.config.model_copy(update={"max_price_ratio": 5.0}), old.core.keys, _Never(), old
    )
    assert health(running).state is State.OPEN
    upstream.clear()
    assert ask(web, running).headers["x-tierwise-model"] == BALANCED


class _Never:
    """A classifier that nobody asks."""

    def decide(self, _prompt: Any, /) -> Any:
        raise RuntimeError("asked")

    def explain(self, _prompt: Any, /) -> Any:
        raise RuntimeError("asked")
