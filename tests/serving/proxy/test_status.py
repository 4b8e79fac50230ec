"""`/v1/status` and `/healthz`: what they tell, and to whom."""

from typing import Any

import httpx2
import pytest

from serving.proxy.status import budgets_told
from serving.spending.budget_terms import Budget, Standing, Unit
from tests.serving.conftest import ASK_CHEAP, ASK_PREMIUM
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running, bearer, error_of


def status_of(running: Running, headers: dict[str, str] | None = None) -> dict[str, Any]:
    response = httpx2.get(f"{running.url}/status", headers=headers, timeout=PATIENCE, trust_env=False)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()
    return told


def health_of(running: Running) -> tuple[int, dict[str, Any]]:
    response = httpx2.get(f"{running.root}/healthz", timeout=PATIENCE, trust_env=False)
    return response.status_code, response.json()


def ask(running: Running, headers: dict[str, str] | None = None, **body: Any) -> httpx2.Response:
    ours = {"model": "auto", "messages": ASK_CHEAP, **body}
    return httpx2.post(
        f"{running.url}/chat/completions", json=ours, headers=headers, timeout=PATIENCE, trust_env=False
    )


def test_a_proxy_that_is_well_says_so(running: Running, predictor: Any) -> None:
    told = status_of(running)
    assert (told["status"], told["alarms"], told["reload"]) == ("ok", [], None)
    assert told["model_version"] == predictor.version
    assert 0 <= told["uptime_seconds"] < PATIENCE
    assert told["requests_at_work"] == 1
    assert health_of(running) == (200, {"status": "ok"})


def test_an_alarm_stands_in_the_status_and_degrades_health_but_stops_nothing(running: Running) -> None:
    desk = running.service.desk
    assert desk is not None
    desk.generation.core.alarms.sound("a test", "the key is ga_standard_0123456789")
    told = status_of(running)
    assert told["status"] == "degraded"
    assert [(each["name"], each["count"]) for each in told["alarms"]] == [("a test", 1)]
    assert told["alarms"][0]["words"] == "the key is ***"
    assert health_of(running) == (200, {"status": "degraded"})
    assert ask(running).status_code == 200


def test_the_status_wants_a_key_where_keys_are_wanted_and_health_does_not(proxy: MakeProxy) -> None:
    running = proxy()
    issued = running.create_key()
    refused = httpx2.get(f"{running.url}/status", timeout=PATIENCE, trust_env=False)
    assert (refused.status_code, error_of(refused)["code"]) == (401, "invalid_api_key")
    assert status_of(running, bearer(issued))["status"] == "ok"
    assert health_of(running)[0] == 200


def test_budgets_are_told_with_what_was_spent_and_of_the_keys_only_the_askers_own(proxy: MakeProxy) -> None:
    running = proxy(serve={"budgets": {"premium_usd_per_day": 5.0, "premium_tokens_per_day": 10**6}})
    own, other = running.create_key("own", daily_usd=2.0), running.create_key("other", daily_usd=3.0)
    for issued in (own, other):
        assert ask(running, bearer(issued), messages=ASK_PREMIUM, max_tokens=20).status_code == 200
    running.rows()
    told = {(each["scope"], each["unit"]): each for each in status_of(running, bearer(own))["budgets"]}
    mine = f"key:{own.key.key_id}"
    assert set(told) == {("premium", "usd"), ("premium", "tokens"), (mine, "usd")}
    assert told["premium", "usd"]["cap"] == 5.0
    assert 0 < told[mine, "usd"]["spent"] < told["premium", "usd"]["spent"] < 0.01
    assert told["premium", "tokens"]["spent"] == int(told["premium", "tokens"]["spent"]) > 0


def test_a_budget_that_nothing_was_spent_of_is_told_in_full() -> None:
    standing = (Standing("premium", Unit.TOKENS, "2026-11-22", 10, 4, 3, 0, 0),)
    configured = (Budget("premium", Unit.USD, 2_500_000), Budget("premium", Unit.TOKENS, 10))
    dollars, tokens = budgets_told(configured, standing, "2026-11-22")
    assert dollars == {
        "scope": "premium", "unit": "usd", "day": "2026-11-22",
        "cap": 2.5, "spent": 0.0, "reserved": 0.0, "left": 2.5,
    }  # fmt: skip
    assert (tokens["spent"], tokens["reserved"], tokens["left"]) == (4, 3, 3)


def test_a_proxy_that_is_being_stopped_says_so(running: Running) -> None:
    desk = running.service.desk
    assert desk is not None
    desk.turnstile.closed = True
    assert health_of(running) == (503, {"status": "stopping"})


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_the_status_can_only_be_read(running: Running, method: str) -> None:
    response = httpx2.request(method, f"{running.url}/status", timeout=PATIENCE, trust_env=False)
    assert response.status_code == 405


def test_circuits_and_tiers_are_told(running: Running) -> None:
    assert ask(running).status_code == 200
    told = status_of(running)
    circuit = next(each for each in told["circuits"] if each["tiers"] == ["cheap"])
    assert (circuit["state"], circuit["calls"], circuit["why"]) == ("closed", 1, "")
    assert [each["tier"] for each in told["tiers"]] == ["cheap", "balanced", "premium"]
    assert told["break_glass"] == []
