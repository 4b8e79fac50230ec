import json
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import TIERS, Tier
from serving import Cost, RouterConfig, Routing, Tokens
from serving.keys import Channel
from serving.routing import Latency
from serving.summary import NAMED, Collector, Summary

CONFIG = RouterConfig()


def call(
    tier: Tier | None, tokens: Tokens | None, *, model: str | None = None, answered: bool = True
) -> Routing:
    planned = "vendor/named" if tier is None else CONFIG.tier(tier).model
    asked = model or planned
    cost = Cost(None, None, "no answer") if tokens is None else Cost.of(asked, tokens, CONFIG.price(asked))
    return Routing(
        requested="auto",
        tier=tier,
        decision=None,
        planned=planned,
        model=asked if answered else None,
        channel=Channel.STANDARD,
        attempts=(),
        skipped=(),
        latency=Latency(0.001, 0.01, 0.1),
        cost=cost,
    )


def collect(*calls: Routing) -> Summary:
    collector = Collector(CONFIG)
    for each in calls:
        collector.add(each)
    return collector.summary()


def test_nothing_has_been_called_yet() -> None:
    summary = collect()
    assert (summary.requests, summary.usd, summary.by_tier, summary.latencies) == (0, 0, {}, {})
    assert [summary.saved_share(tier) for tier in Tier] == [None, None, None]


def test_savings_are_at_the_same_tokens() -> None:
    million = Tokens(500_000, 500_000)
    summary = collect(call(Tier.CHEAP, million), call(Tier.PREMIUM, million))
    assert summary.usd == summary.tier_usd == pytest.approx(2.75)
    assert summary.always_usd == pytest.approx({"cheap": 0.5, "balanced": 0.56, "premium": 5.0})
    assert summary.saved_usd(Tier.PREMIUM) == pytest.approx(2.25)
    assert summary.saved_share(Tier.PREMIUM) == pytest.approx(0.45)
    assert summary.saved_usd(Tier.BALANCED) == pytest.approx(-2.19)


def test_cheap_saves_eleven_percent_over_balanced_and_no_more() -> None:
    assert collect(call(Tier.CHEAP, Tokens(900, 100))).saved_share(Tier.BALANCED) == pytest.approx(
        0.107, abs=1e-3
    )


def test_a_named_model_costs_but_saves_nothing() -> None:
    named = call(None, Tokens(1_000_000, 0), model=CONFIG.tier(Tier.PREMIUM).model)
    summary = collect(named, call(Tier.CHEAP, Tokens(1_000_000, 0)))
    assert (summary.usd, summary.tier_usd) == pytest.approx((2.75, 0.25))
    assert summary.always_usd["premium"] == pytest.approx(2.5)
    assert summary.by_tier == {NAMED: 1, "cheap": 1}


def test_failures_fallbacks_and_guesses_are_counted_apart() -> None:
    summary = collect(
        call(Tier.CHEAP, None, answered=False),
        call(Tier.CHEAP, Tokens(1, 1), model=CONFIG.tier(Tier.BALANCED).model),
        call(Tier.CHEAP, Tokens(1, 1, estimated=True)),
        call(None, Tokens(1, 1)),
    )
    assert (summary.requests, summary.failures, summary.fallbacks) == (4, 1, 1)
    assert (summary.estimated, summary.unknown_cost) == (1, 1)
    assert sum(summary.by_model.values()) == 3


def test_it_becomes_json() -> None:
    made: Any = json.loads(json.dumps(collect(call(Tier.BALANCED, Tokens(10, 10))).as_dict()))
    assert made["latency_seconds"]["balanced"]["total"] == {"count": 1, "p50": 0.1, "p95": 0.1, "p99": 0.1}
    assert made["saved_share"]["premium"] == pytest.approx(1 - 0.28 / 2.5)


TOKENS = st.builds(Tokens, st.integers(0, 9_999), st.integers(0, 9_999))


@given(st.lists(st.builds(call, st.sampled_from(TIERS), TOKENS)))
def test_routing_costs_no_more_than_always_premium_nor_less_than_always_cheap(calls: list[Routing]) -> None:
    summary = collect(*calls)
    assert summary.always_usd["cheap"] <= summary.tier_usd * (1 + 1e-9)
    assert summary.tier_usd <= summary.always_usd["premium"] * (1 + 1e-9)
    assert summary.requests == len(calls) == sum(summary.by_tier.values())


def test_threads_lose_no_call() -> None:
    collector = Collector(CONFIG)
    one = call(Tier.CHEAP, Tokens(1_000_000, 0))

    def add() -> None:
        for _ in range(500):
            collector.add(one)

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert collector.summary().requests == 2_000
    assert collector.summary().usd == pytest.approx(500)
