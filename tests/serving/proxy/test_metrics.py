"""`/metrics`: after known traffic through real proxies, the exact numbers."""

import asyncio
import time
from typing import Any

import httpx2
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from serving.sandbox import Drip, ResetAfter, Sandbox, Silence, Status
from tests.serving.conftest import ASK_CHEAP, ASK_PREMIUM, BALANCED, CHEAP, PREMIUM
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running, bearer, error_of
from tests.serving.proxy.scrapes import CHAT, fetch, scrape, settled
from tests.serving.proxy.test_disconnects import begin, wait_for_requests, wait_for_rows
from tests.serving.proxy.test_semantic_cache import FIRST, OPPOSITE, SAME, cached, post


def ask(running: Running, headers: dict[str, str] | None = None, **body: Any) -> httpx2.Response:
    ours = {"model": "auto", "messages": ASK_CHEAP, **body}
    return httpx2.post(
        f"{running.url}/chat/completions", json=ours, headers=headers, timeout=PATIENCE, trust_env=False
    )


def test_plain_and_streamed_answers_are_counted_with_tokens_dollars_and_times(running: Running) -> None:
    assert ask(running).status_code == 200
    assert ask(running, stream=True).status_code == 200
    assert ask(running, messages=ASK_PREMIUM).status_code == 200
    found, rows = settled(running, 3), running.rows()
    assert found.rows("tierwise_requests_total") == {
        ("policy", "answered", CHAT, "cheap"): 2.0,
        ("policy", "answered", CHAT, "premium"): 1.0,
    }
    assert found.rows("tierwise_responses_total") == {(CHAT, "200"): 3.0}
    assert found.rows("tierwise_decisions_total") == {("policy", "cheap"): 2.0, ("policy", "premium"): 1.0}
    assert found.rows("tierwise_attempts_total") == {
        ("standard", CHEAP, "answered"): 2.0,
        ("pro", PREMIUM, "answered"): 1.0,
    }
    for direction, amounts in {
        "input": [row.input_tokens or 0 for row in rows],
        "output": [row.output_tokens or 0 for row in rows],
    }.items():
        assert found.value("tierwise_tokens_total", direction=direction) == sum(amounts)
    spent = sum(row.usd or 0 for row in rows if row.tier == "cheap")
    assert found.value("tierwise_cost_usd_total", tier="cheap", model=CHEAP) == pytest.approx(spent)
    for name in ("tierwise_first_token_seconds", "tierwise_total_seconds"):
        assert found.value(f"{name}_count", tier="cheap", source="model") == 2
        assert found.value(f"{name}_bucket", tier="cheap", le="+Inf") == 2
    total = sum(row.total_seconds or 0 for row in rows)
    assert found.value("tierwise_total_seconds_sum") == pytest.approx(total)
    assert found.value("tierwise_routing_seconds_count") == 3
    assert found.value("tierwise_risk_count", tier="cheap") == 2
    assert found.value("tierwise_requests_at_work") == 0


def test_failures_and_fallbacks_are_told_apart(running: Running, upstream: Sandbox) -> None:
    upstream.script(CHEAP, Status(500))
    assert ask(running).json()["model"] == BALANCED
    upstream.always("*", Status(500))
    assert ask(running).status_code == 502
    found = settled(running, 2)
    assert found.value("tierwise_requests_total", outcome="answered") == 1
    assert found.value("tierwise_requests_total", outcome="failed") == 1
    assert found.rows("tierwise_fallbacks_total") == {(BALANCED, "cheap"): 1.0}
    assert found.value("tierwise_attempts_total", model=CHEAP, outcome="failed") >= 1
    assert found.value("tierwise_attempts_total", outcome="answered") == 1
    assert found.value("tierwise_responses_total", status="502") == 1
    assert found.value("tierwise_decisions_total") == 2


def test_a_stream_that_breaks_has_failed_although_it_began_well(running: Running, upstream: Sandbox) -> None:
    upstream.script(CHEAP, ResetAfter(2))
    assert ask(running, model="cheap", stream=True).status_code == 200
    found = settled(running, 1)
    assert found.rows("tierwise_requests_total") == {("caller", "failed", CHAT, "cheap"): 1.0}
    assert found.rows("tierwise_attempts_total") == {("standard", CHEAP, "unknown"): 1.0}
    assert found.value("tierwise_total_seconds_count") == 0


def test_what_a_budget_keeps_back_is_told_with_what_is_left_of_it(proxy: MakeProxy) -> None:
    running = proxy(serve={"budgets": {"premium_usd_per_day": 0.000001}})
    assert ask(running, messages=ASK_PREMIUM, max_tokens=50).json()["model"] == BALANCED
    assert ask(running, model=PREMIUM, max_tokens=50).status_code == 429
    found = settled(running, 2)
    assert found.value("tierwise_requests_total", chosen_by="budget", outcome="answered") == 1
    assert found.value("tierwise_requests_total", chosen_by="budget", outcome="refused") == 1
    assert found.value("tierwise_decisions_total", tier="premium", chosen_by="budget") == 1
    assert found.value("tierwise_responses_total", status="429") == 1
    assert found.value("tierwise_budget_cap_usd", scope="premium") == 0.000001
    assert found.value("tierwise_budget_left_usd", scope="premium") == 0.000001
    assert found.value("tierwise_budget_spent_usd", scope="premium") == 0


def test_budgets_are_told_as_they_were_last_read(proxy: MakeProxy) -> None:
    running = proxy(serve={"budgets": {"premium_usd_per_day": 2.0, "premium_tokens_per_day": 10**6}})
    assert ask(running, messages=ASK_PREMIUM, max_tokens=20).status_code == 200
    (row,) = running.rows()
    desk = running.service.desk
    assert desk is not None
    assert running.server.loop is not None
    read = desk.board.read(desk.generation.zone)
    asyncio.run_coroutine_threadsafe(read, running.server.loop).result(PATIENCE)
    found = scrape(running)
    spent = (row.input_tokens or 0) + (row.output_tokens or 0)
    assert found.value("tierwise_budget_spent_tokens", scope="premium") == spent
    assert found.value("tierwise_budget_left_tokens", scope="premium") == 10**6 - spent
    usd = found.value("tierwise_budget_spent_usd", scope="premium")
    assert usd == pytest.approx(row.usd, rel=0.1)
    assert found.value("tierwise_budget_left_usd", scope="premium") == pytest.approx(2.0 - usd)


def test_stored_answers_cost_nothing_and_are_kept_apart_from_models(
    proxy: MakeProxy, upstream: Sandbox
) -> None:
    running = proxy(serve={"cache": {"exact": "repeatable", "lookup_seconds": 5.0}})
    assert ask(running, temperature=0).status_code == 200
    wait_for_stores(running)
    assert ask(running, temperature=0).status_code == 200
    assert ask(running).status_code == 200
    found, rows = settled(running, 3), running.rows()
    assert len(upstream.requests) == 2
    assert found.value("tierwise_requests_total", outcome="answered") == 3
    assert found.value("tierwise_attempts_total") == 2
    assert found.rows("tierwise_stored_answers_total") == {("exact", "cheap"): 1.0}
    assert found.value("tierwise_saved_usd_total", cache="exact") == pytest.approx(rows[0].usd)
    assert found.value("tierwise_cost_usd_total") == pytest.approx(sum(row.usd or 0 for row in rows))
    assert found.value("tierwise_total_seconds_count", source="cache") == 1
    assert found.value("tierwise_total_seconds_count", source="model") == 2
    assert {name: found.value("tierwise_cache_requests_total", result=name) for name in RESULTS} == {
        "hit": 1, "semantic_hit": 0, "collapsed": 0, "miss": 1, "bypass": 1,
    }  # fmt: skip
    assert found.value("tierwise_cache_stores_total", result="stored") == 1


RESULTS = ("hit", "semantic_hit", "collapsed", "miss", "bypass")


def wait_for_stores(running: Running) -> None:
    desk = running.service.desk
    assert desk is not None
    until = time.monotonic() + PATIENCE
    while desk.cache.waiting:
        assert time.monotonic() < until
        time.sleep(0.005)


def test_what_the_semantic_cache_does_is_told(proxy: MakeProxy) -> None:
    running = proxy(serve=cached(usd_per_million_tokens=0.02))
    for words in (FIRST, SAME, OPPOSITE):
        assert post(running, words).status_code == 200
    found = settled(running, 3)
    assert found.value("tierwise_cache_requests_total", result="semantic_hit") == 1
    assert found.rows("tierwise_stored_answers_total") == {("semantic", "cheap"): 1.0}
    assert found.value("tierwise_semantic_refusals_total") == 1
    assert found.value("tierwise_embeddings_cost_usd_total") > 0
    assert found.value("tierwise_semantic_failures_total") == 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_clients_that_leave_are_told_as_cancelled(running: Running, upstream: Sandbox, stream: bool) -> None:
    upstream.script(CHEAP, Drip(pause=0.02, size=200) if stream else Silence(PATIENCE))
    connection = begin(running, stream=stream)
    wait_for_requests(upstream)
    assert scrape(running).value("tierwise_requests_at_work") == 1
    connection.close()
    wait_for_rows(running)
    found = settled(running, 1)
    assert found.rows("tierwise_requests_total") == {("policy", "cancelled", CHAT, "cheap"): 1.0}
    assert found.rows("tierwise_attempts_total") == {("standard", CHEAP, "cancelled"): 1.0}


def test_names_that_clients_make_up_are_told_as_other(running: Running) -> None:
    for number in range(5):
        assert ask(running, model=f"vendor/model-{number}").status_code in (200, 404)
    httpx2.post(f"{running.url}/nowhere{'x' * 30}", json={}, timeout=PATIENCE, trust_env=False)
    response = fetch(running)
    found = settled(running, 5)
    assert "vendor/" not in response.text
    assert "nowhere" not in response.text
    assert found.value("tierwise_attempts_total", model="other") == 5
    assert found.rows("tierwise_requests_total").keys() == {("caller", "answered", CHAT, "none")}


def test_prices_make_a_name_known(proxy: MakeProxy) -> None:
    running = proxy(prices={"vendor/model": 1.0})
    assert ask(running, model="vendor/model").status_code == 200
    found = settled(running, 1)
    assert found.value("tierwise_attempts_total", model="vendor/model", outcome="answered") == 1
    assert found.value("tierwise_cost_usd_total", model="vendor/model", tier="none") > 0


def test_refusals_before_any_decision_have_no_tier(running: Running) -> None:
    assert ask(running, messages=[]).status_code == 400
    found = settled(running, 1)
    assert found.rows("tierwise_requests_total") == {("", "refused", CHAT, "none"): 1.0}
    assert found.value("tierwise_decisions_total") == 0


def test_circuits_are_told_by_state(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(breaker={"minimum_calls": 2, "window_seconds": 60})
    upstream.always(CHEAP, Status(500))
    for _ in range(4):
        assert ask(running).status_code == 200
    found = settled(running, 4)
    assert found.value("tierwise_breaker", model=CHEAP, state="open") == 1
    assert found.value("tierwise_breaker", model=CHEAP, state="closed") == 0
    assert found.value("tierwise_breaker", model=BALANCED, state="closed") == 1
    assert found.value("tierwise_model_retry_in_seconds", model=CHEAP) > 0
    assert found.value("tierwise_model_error_ratio", model=CHEAP) == 1


def test_objectives_stand_beside_what_was_measured(proxy: MakeProxy) -> None:
    running = proxy(tiers={"cheap": {"objective_seconds": 2.5}})
    assert ask(running).status_code == 200
    found = settled(running, 1)
    assert found.rows("tierwise_tier_objective_seconds") == {("cheap",): 2.5}
    assert 0 < found.value("tierwise_tier_first_token_p95_seconds", tier="cheap") < 2.5


def test_alarms_and_the_process_are_told(running: Running) -> None:
    desk = running.service.desk
    assert desk is not None
    desk.generation.core.alarms.sound("a test", "something")
    found = scrape(running)
    assert found.rows("tierwise_alarm") == {("a test",): 1.0}
    assert found.value("tierwise_alarms") == 1
    assert found.value("tierwise_build_info") == 1
    assert found.value("process_resident_memory_bytes") > 10**7
    assert found.value("tierwise_ledger_dropped_total") == 0


def test_a_key_is_wanted_where_keys_are_wanted(proxy: MakeProxy) -> None:
    running = proxy()
    issued = running.create_key()
    refused = fetch(running)
    assert (refused.status_code, error_of(refused)["code"]) == (401, "invalid_api_key")
    assert refused.headers["www-authenticate"] == "Bearer"
    assert scrape(running, bearer(issued)).value("tierwise_build_info") == 1


def test_open_metrics_need_no_key_and_closed_ones_are_not_there(proxy: MakeProxy) -> None:
    running = proxy(serve={"proxy": {"metrics": "open"}})
    running.create_key()
    assert fetch(running).status_code == 200
    other = proxy(serve={"proxy": {"metrics": "off"}})
    assert (fetch(other).status_code, error_of(fetch(other))["code"]) == (404, "metrics_off")


def test_keys_are_told_apart_only_where_that_is_configured(proxy: MakeProxy) -> None:
    running = proxy(serve={"proxy": {"metrics_by_key": True}})
    issued = running.create_key(daily_usd=1.0)
    assert ask(running, bearer(issued), max_tokens=20).status_code == 200
    found = settled(running, 1, bearer(issued))
    assert found.rows("tierwise_key_requests_total") == {(issued.key.key_id, "answered"): 1.0}
    assert found.value("tierwise_key_cost_usd_total", key_id=issued.key.key_id) > 0
    other = proxy()
    issued = other.create_key(daily_usd=1.0)
    assert ask(other, bearer(issued), max_tokens=20).status_code == 200
    settled(other, 1, bearer(issued))
    assert issued.key.key_id not in fetch(other, bearer(issued)).text


def test_a_proxy_at_its_limit_can_still_be_looked_at(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(serve={"proxy": {"max_concurrent": 1}})
    upstream.always(CHEAP, Silence(PATIENCE))
    connection = begin(running)
    wait_for_requests(upstream)
    assert ask(running).status_code == 503
    found = settled(running, 1)
    assert found.value("tierwise_requests_at_work") == found.value("tierwise_requests_at_work_max") == 1
    assert found.value("tierwise_responses_total", status="503") == 1
    connection.close()


def test_open_metrics_are_spoken_where_they_are_asked_for(running: Running) -> None:
    ask(running)
    settled(running, 1)
    response = fetch(running, {"accept": "application/openmetrics-text; version=1.0.0"})
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert response.headers["cache-control"] == "no-store"
    read = text_string_to_metric_families(response.text)  # type: ignore[no-untyped-call]
    families = {family.name for family in read}
    assert {"tierwise_requests", "tierwise_breaker", "tierwise_total_seconds"} <= families


def test_metrics_can_only_be_read(running: Running) -> None:
    response = httpx2.post(f"{running.root}/metrics", json={}, timeout=PATIENCE, trust_env=False)
    assert response.status_code == 405
