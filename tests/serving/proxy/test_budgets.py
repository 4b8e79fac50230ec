"""Budgets over HTTP: what is reserved, what is settled, and what happens when nothing is left."""

import asyncio
import sqlite3
from pathlib import Path
from typing import Any

import httpx2
import pytest

from serving.sandbox import Delay, Normal, NoUsage, ResetAfter, Sandbox, Status
from serving.spending.budget_terms import Standing
from serving.state import State
from tests.serving.conftest import ASK_CHEAP, ASK_PREMIUM, BALANCED, CHEAP, PREMIUM
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running, bearer, error_of

ASK = {"model": "auto", "messages": ASK_PREMIUM, "max_tokens": 50}


def ask(running: Running, **body: Any) -> httpx2.Response:
    return httpx2.post(
        f"{running.url}/chat/completions", json={**ASK, **body}, timeout=PATIENCE, trust_env=False
    )


def standing(running: Running) -> Standing:
    running.rows()
    with State.open(running.state_url) as state, state.database.reading() as connection:
        (day,) = connection.exec_driver_sql("SELECT DISTINCT day FROM tierwise_budgets").scalars()
        (found,) = state.budgets.standing(day)
    return found


def test_a_call_is_settled_at_what_it_cost(proxy: MakeProxy) -> None:
    running = proxy(serve={"budgets": {"premium_tokens_per_day": 100_000}})
    usage = ask(running).json()["usage"]
    found = standing(running)
    assert (found.spent, found.reserved) == (usage["total_tokens"], 0)


def test_without_a_limit_of_the_caller_s_the_configured_one_is_put_in_and_said(
    proxy: MakeProxy, upstream: Sandbox
) -> None:
    running = proxy(serve={"budgets": {"premium_usd_per_day": 1}, "proxy": {"default_max_tokens": 7}})
    response = ask(running, max_tokens=None, model="premium")
    assert response.headers["x-tierwise-max-tokens"] == "7"
    sent: Any = upstream.requests[-1].body
    assert sent["max_tokens"] == 7
    assert response.json()["usage"]["completion_tokens"] == 7


def test_a_cap_that_is_reached_sends_requests_down_a_tier_and_says_so(proxy: MakeProxy) -> None:
    running = proxy(serve={"budgets": {"premium_tokens_per_day": 10}})
    response = ask(running)
    assert response.json()["model"] == BALANCED
    assert response.headers["x-tierwise-chosen-by"] == "budget"
    assert "the premium budget of 10 tokens a day" in response.headers["x-tierwise-reasons"]
    (row,) = running.rows()
    assert (row.chosen_by, row.tier, row.model, row.fell_back) == ("budget", "premium", BALANCED, True)


def test_a_cap_that_is_reached_refuses_where_that_is_configured(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(serve={"budgets": {"premium_usd_per_day": 0, "when_reached": "refuse"}})
    response = ask(running)
    assert (response.status_code, error_of(response)["code"]) == (429, "budget_reached")
    assert 1 <= int(response.headers["retry-after"]) <= 90_000
    assert upstream.requests == ()
    assert ask(running, messages=ASK_CHEAP).status_code == 200
    upstream.always(CHEAP, Status(503))
    upstream.always(BALANCED, Status(503))
    failed = ask(running, messages=ASK_CHEAP)
    assert failed.status_code == 502
    assert "the premium budget" in error_of(failed)["message"]


def test_a_model_by_name_that_the_budget_keeps_back_gets_429(proxy: MakeProxy) -> None:
    running = proxy(serve={"budgets": {"premium_tokens_per_day": 10}})
    response = ask(running, model=PREMIUM)
    assert (response.status_code, error_of(response)["code"]) == (429, "budget_reached")


def test_a_model_without_price_cannot_pass_a_budget_in_dollars(proxy: MakeProxy) -> None:
    running = proxy(serve={"budgets": {"premium_usd_per_day": 5}})
    response = ask(running, model="Pro/moonshotai/Kimi-K2.5")
    assert (response.status_code, error_of(response)["code"]) == (403, "price_unknown")


def test_a_key_s_own_budget_governs_all_of_its_calls(proxy: MakeProxy) -> None:
    running = proxy()
    issued = running.create_key(daily_usd=0.0002)
    headers = bearer(issued)
    body = {**ASK, "model": "cheap", "messages": ASK_CHEAP}
    answers = [
        httpx2.post(f"{running.url}/chat/completions", json=body, headers=headers, trust_env=False)
        for _ in range(16)
    ]
    statuses = [each.status_code for each in answers]
    assert statuses[0] == 200
    assert statuses[-1] == 429
    assert "this API key's budget of $0.0002 a day" in error_of(answers[-1])["message"]
    found = standing(running)
    assert found.spent <= found.cap
    assert found.reserved == 0


@pytest.mark.parametrize(
    ("fault", "charged"),
    [(Status(503), "nothing"), (ResetAfter(1), "its bound"), (NoUsage(), "what was counted")],
    ids=["refused", "reset", "no usage"],
)
def test_what_an_attempt_is_charged_depends_on_what_the_upstream_may_bill(
    proxy: MakeProxy, upstream: Sandbox, fault: Any, charged: str
) -> None:
    running = proxy(serve={"budgets": {"premium_tokens_per_day": 100_000}})
    upstream.script(PREMIUM, fault)
    assert ask(running).status_code == 200
    row, found = running.rows()[0], standing(running)
    counted = (row.input_tokens or 0) + (row.output_tokens or 0)
    expected = {
        "nothing": found.spent == 0,
        "its bound": found.spent > 300,
        "what was counted": found.spent == counted,
    }
    assert expected[charged]
    assert found.reserved == 0


async def test_many_at_once_never_exceed_the_cap(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(serve={"budgets": {"premium_tokens_per_day": 3_000}})
    upstream.always(PREMIUM, Delay(0.05, Normal()))
    async with httpx2.AsyncClient(base_url=running.url, timeout=PATIENCE, trust_env=False) as http:
        answers = await asyncio.gather(*(http.post("/chat/completions", json=ASK) for _ in range(48)))
    assert {each.status_code for each in answers} == {200}
    models = [each.json()["model"] for each in answers]
    assert set(models) == {PREMIUM, BALANCED}
    found = await asyncio.to_thread(standing, running)
    assert found.spent <= 3_000
    assert (found.reserved, found.overrun) == (0, 0)


def test_with_the_database_gone_ungoverned_calls_go_on_and_governed_ones_wait(
    proxy: MakeProxy,
) -> None:
    running = proxy(serve={"budgets": {"premium_usd_per_day": 5}})
    assert ask(running).status_code == 200
    path = Path(running.state_url.removeprefix("sqlite:///"))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")  # nobody else writes now
    try:
        assert ask(running, messages=ASK_CHEAP).status_code == 200
        response = ask(running)
        assert (response.status_code, error_of(response)["code"]) == (503, "state_unavailable")
        assert response.headers["retry-after"] == "5"
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert [row.model for row in running.rows()] == [PREMIUM, CHEAP]


def test_with_the_database_gone_governed_calls_go_on_where_that_is_configured(proxy: MakeProxy) -> None:
    running = proxy(serve={"budgets": {"premium_usd_per_day": 5, "fail_open": True}})
    path = Path(running.state_url.removeprefix("sqlite:///"))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        assert ask(running).json()["model"] == PREMIUM
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    desk = running.service.desk
    assert desk is not None
    running.rows()
    desk.books.look_after()
    assert standing(running).spent > 0
