"""Pacing through real proxies: who is sent down before the cap is reached, and what is said and noted."""

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from classifier import RiskPolicy, TierPredictor
from serving.proxy.pacing import Pacing
from serving.sandbox import Sandbox, Status
from serving.serve_config import ServeConfig
from serving.spending.budget_terms import Unit
from serving.spending.pacing import Pacer
from serving.state import State
from tests.serving.conftest import BALANCED, PREMIUM
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running, bearer
from tests.serving.proxy.test_budgets import standing

HARD, MIDDLE, EASY = "Please prove it.", "prove the function", "prove capital"  # P(premium) 1.0, 0.5, 0.3


def where_it_is_noon() -> str:
    """A time zone in which half of the day is over."""
    offset = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-offset:+d}" if offset else "Etc/GMT"


def settings(cap: int, **pacing: Any) -> dict[str, Any]:
    return {
        "budgets": {"premium_tokens_per_day": cap, "time_zone": where_it_is_noon()},
        "pacing": pacing,
    }


def post(running: Running, path: str, prompt: str, **body: Any) -> httpx2.Response:
    headers = body.pop("headers", {})
    whole = {"model": "auto", "messages": [{"role": "user", "content": prompt}], "max_tokens": 40, **body}
    return httpx2.post(f"{running.url}{path}", json=whole, headers=headers, timeout=PATIENCE, trust_env=False)


def ask(running: Running, prompt: str, **body: Any) -> httpx2.Response:
    return post(running, "/chat/completions", prompt, **body)


def pacing_of(running: Running) -> Pacing:
    desk = running.service.desk
    assert desk is not None
    assert desk.generation.pacing is not None
    return desk.generation.pacing


def test_the_less_needy_are_rationed_before_the_cap_is_reached_and_it_is_said(proxy: MakeProxy) -> None:
    running = proxy(serve=settings(20_000))
    for prompt in (HARD, MIDDLE, EASY) * 6:
        assert ask(running, prompt).json()["model"] == PREMIUM
    until = time.monotonic() + PATIENCE
    while (told := post(running, "/route", EASY).json())["chosen_by"] != "budget":
        assert time.monotonic() < until
        assert ask(running, HARD).json()["model"] == PREMIUM
        time.sleep(0.1)
    assert (told["tier"], told["model"]) == ("balanced", BALANCED)
    lowered, kept = ask(running, EASY), ask(running, HARD)
    assert lowered.json()["model"] == BALANCED
    assert lowered.headers["x-tierwise-chosen-by"] == "budget"
    rationed = "the day's premium budget is being rationed: P(premium needed) 0.293 < "
    assert lowered.headers["x-tierwise-reasons"].startswith(rationed)
    assert told["explanation"]["tier"] == "balanced"
    assert (kept.json()["model"], kept.headers["x-tierwise-chosen-by"]) == (PREMIUM, "policy")
    *_, row, last = running.rows()
    assert (row.chosen_by, row.tier, row.model, row.fell_back) == ("budget", "balanced", BALANCED, False)
    assert "is being rationed" in (row.policy or "")
    assert (last.chosen_by, last.model) == ("policy", PREMIUM)
    assert standing(running).spent < 10_000


def test_switched_off_a_cap_is_just_a_cap(proxy: MakeProxy) -> None:
    running = proxy(serve=settings(1_500, enabled=False))
    answers = [ask(running, EASY) for _ in range(40)]
    models = [each.json()["model"] for each in answers]
    reached = models.index(BALANCED)
    assert reached > 20
    assert set(models[:reached]) == {PREMIUM}
    assert "the premium budget of 1500 tokens a day" in answers[-1].headers["x-tierwise-reasons"]
    assert not any("rationed" in each.headers["x-tierwise-reasons"] for each in answers)


def test_a_restart_goes_on_from_the_day_s_spend(proxy: MakeProxy) -> None:
    first = proxy(serve=settings(20_000))
    for _ in range(3):
        ask(first, HARD)
    spent = standing(first).spent
    first.stop()
    again = proxy(serve=settings(20_000), state_url=first.state_url)
    assert pacing_of(again).spent == {Unit.TOKENS: spent}
    assert spent > 0


class Counting(Pacer):
    """A pacer that keeps what it was told."""

    def __init__(self) -> None:
        super().__init__([], UTC)
        self.told: list[str] = []

    def wanted(self, *_: Any, admitted: bool, **__: Any) -> None:
        self.told.append("admitted" if admitted else "withheld")

    def forced(self, *_: Any, **__: Any) -> None:
        self.told.append("forced")


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        pytest.param("/chat/completions", {}, ["admitted"], id="wanted, and answered by a fallback"),
        pytest.param("/chat/completions", {"model": "premium"}, ["forced"], id="the tier by name"),
        pytest.param("/chat/completions", {"model": PREMIUM}, ["forced"], id="the model by name"),
        pytest.param("/chat/completions", {"model": "cheap"}, [], id="another tier"),
        pytest.param("/route", {}, [], id="a decision alone"),
    ],
)
def test_each_request_counts_once(
    proxy: MakeProxy, upstream: Sandbox, path: str, body: Mapping[str, Any], told: list[str]
) -> None:
    running, pacer = proxy(serve=settings(20_000)), Counting()
    pacing_of(running).paced.pacer = pacer
    upstream.script(PREMIUM, Status(503))
    post(running, path, HARD, **body)
    assert pacer.told == told


def test_a_key_that_may_not_use_premium_is_no_demand_for_it(proxy: MakeProxy) -> None:
    running, pacer = proxy(serve=settings(20_000)), Counting()
    pacing_of(running).paced.pacer = pacer
    issued = running.create_key(allowed_tiers=("cheap", "balanced"))
    answer = ask(running, HARD, headers=bearer(issued))
    assert (answer.json()["model"], answer.headers["x-tierwise-chosen-by"]) == (BALANCED, "floor")
    assert pacer.told == []


@pytest.fixture
def small(model_file: Path) -> TierPredictor:
    return TierPredictor.load(model_file)


def test_a_reload_keeps_the_pacer_where_the_budgets_are_the_same(small: TierPredictor) -> None:
    serve = ServeConfig.from_dict(settings(20_000))
    old = Pacing.of(serve, small)
    assert old is not None
    same = Pacing.of(serve, small.with_policy(RiskPolicy(0.1)), old)
    assert same is not None
    assert same.paced.pacer is old.paced.pacer
    assert same.paced.predictor.policy == RiskPolicy(0.1)
    other = Pacing.of(ServeConfig.from_dict(settings(10_000)), small, old)
    assert other is not None
    assert other.paced.pacer is not old.paced.pacer


@pytest.mark.parametrize(
    "tables",
    [{}, settings(20_000, enabled=False), {"budgets": {"time_zone": "UTC"}}],
    ids=["nothing set", "switched off", "no budget"],
)
def test_without_a_budget_or_switched_off_nothing_is_paced(
    small: TierPredictor, tables: dict[str, Any]
) -> None:
    assert Pacing.of(ServeConfig.from_dict(tables), small) is None


def test_days_are_learnt_from_once_each_and_a_stop_leaves_it(small: TierPredictor, empty_state: Path) -> None:
    times = [1_795_305_600.0]
    pacing = Pacing.of(ServeConfig.from_dict(settings(20_000)), small, now=lambda: times[0])
    assert pacing is not None
    stopped = threading.Event()
    with State.open(f"sqlite:///{empty_state}") as state:
        pacing.learn(state, stopped)
        assert not pacing.is_to_learn
        times[0] += 86_400
        assert pacing.is_to_learn
        stopped.set()
        pacing.learn(state, stopped)
        assert pacing.is_to_learn
