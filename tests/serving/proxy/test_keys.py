"""The proxy's own keys: who gets in, to which tiers, how often, and when a revocation takes effect."""

import time
from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from serving.errors import ConfigError
from serving.sandbox import Sandbox, Status
from serving.state import IssuedKey, State
from tests.serving.conftest import ASK_CHEAP, ASK_PREMIUM, BALANCED, CHEAP, PREMIUM
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running, bearer, error_of


def ask(
    running: Running, headers: Mapping[str, str], messages: Any = ASK_CHEAP, **body: Any
) -> httpx2.Response:
    return httpx2.post(
        f"{running.url}/chat/completions",
        json={"model": "auto", "messages": messages, **body},
        headers=dict(headers),
        timeout=PATIENCE,
        trust_env=False,
    )


def with_key(proxy: MakeProxy, **terms: Any) -> tuple[Running, IssuedKey]:
    issued: list[IssuedKey] = []

    def create(url: str) -> None:
        with State.open(url) as state:
            issued.append(state.api_keys.create("a test", at=0.0, **terms))

    return proxy(before=create), issued[0]


def test_only_a_good_key_gets_in(proxy: MakeProxy, upstream: Sandbox) -> None:
    running, issued = with_key(proxy)
    wrong = bearer(issued)["authorization"][:-1] + "_"
    for headers in (
        {},
        {"authorization": wrong},
        {"authorization": "Basic abc"},
        {"authorization": "Bearer é"},
    ):
        encoded = {name: value.encode("utf-8") for name, value in headers.items()}
        response = ask(running, encoded)  # type: ignore[arg-type]
        assert (response.status_code, error_of(response)["code"]) == (401, "invalid_api_key")
    assert upstream.requests == ()
    assert ask(running, bearer(issued)).status_code == 200
    (row,) = running.rows()
    assert row.key_id == issued.key.key_id


def test_every_endpoint_but_health_asks_for_the_key(proxy: MakeProxy) -> None:
    running, _ = with_key(proxy)
    with httpx2.Client(base_url=running.url, trust_env=False) as http:
        statuses = [
            http.post(path, json={}).status_code
            for path in ("/route", "/feedback", "/embeddings", "/responses")
        ]
        assert [*statuses, http.get("/models").status_code] == [401] * 5
        assert http.get(f"{running.root}/healthz").json() == {"status": "ok"}


def test_a_revocation_takes_effect_while_the_proxy_runs(proxy: MakeProxy) -> None:
    running, issued = with_key(proxy)
    assert ask(running, bearer(issued)).status_code == 200
    running.revoke(issued.key)
    until = time.monotonic() + PATIENCE
    while ask(running, bearer(issued)).status_code == 200:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert ask(running, {}).status_code == 401  # what was closed does not open again


def test_the_first_key_closes_a_proxy_that_was_open(running: Running) -> None:
    assert ask(running, {}).status_code == 200
    issued = running.create_key()
    until = time.monotonic() + PATIENCE
    while ask(running, {}).status_code != 401:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert ask(running, bearer(issued)).status_code == 200


def test_a_floor_raises_decisions_and_callers_and_holds_in_the_chain(
    proxy: MakeProxy, upstream: Sandbox
) -> None:
    running, issued = with_key(proxy, floor="premium")
    for model in ("auto", "cheap"):
        response = ask(running, bearer(issued), model=model)
        assert response.json()["model"] == PREMIUM
        assert response.headers["x-tierwise-chosen-by"] == "floor"
        assert "floor is premium" in response.headers["x-tierwise-reasons"]
    upstream.always(PREMIUM, Status(503))
    failed = ask(running, bearer(issued))
    assert failed.status_code == 502
    assert f"{BALANCED} (not tried)" in error_of(failed)["message"]


def test_a_key_of_some_tiers_is_kept_to_them(proxy: MakeProxy, upstream: Sandbox) -> None:
    running, issued = with_key(proxy, allowed_tiers=["cheap", "balanced"])
    assert ask(running, bearer(issued), ASK_PREMIUM).json()["model"] == BALANCED
    assert ask(running, bearer(issued), model=CHEAP).status_code == 200
    for model in ("premium", PREMIUM, "Pro/deepseek-ai/DeepSeek-R1"):
        response = ask(running, bearer(issued), model=model)
        assert (response.status_code, error_of(response)["code"]) == (403, "not_allowed")
    upstream.always(CHEAP, Status(503))
    upstream.always(BALANCED, Status(503))
    assert ask(running, bearer(issued)).status_code == 502
    assert PREMIUM not in [each.model for each in upstream.requests]


def test_a_key_may_ask_so_often_in_a_minute(proxy: MakeProxy) -> None:
    running, issued = with_key(proxy, requests_per_minute=3)
    assert [ask(running, bearer(issued)).status_code for _ in range(3)] == [200] * 3
    response = ask(running, bearer(issued))
    assert (response.status_code, error_of(response)["code"]) == (429, "rate_limit_exceeded")
    assert 1 <= int(response.headers["retry-after"]) <= 60


def test_the_list_of_models_shows_the_tiers_of_the_key(proxy: MakeProxy) -> None:
    running, issued = with_key(proxy, allowed_tiers=["cheap"])
    listed = httpx2.get(f"{running.url}/models", headers=bearer(issued), trust_env=False).json()["data"]
    assert [each["id"] for each in listed[:3]] == ["auto", "cheap", "deepseek-ai/DeepSeek-V4-Flash"]


def test_an_address_that_others_reach_needs_keys(proxy: MakeProxy) -> None:
    with pytest.raises(ConfigError, match=r"there are no API keys: create one with `python -m serving keys"):
        proxy(serve={"proxy": {"host": "0.0.0.0"}})  # noqa: S104


def test_feedback_is_taken_from_the_key_that_asked(proxy: MakeProxy) -> None:
    running, issued = with_key(proxy)
    other = running.create_key("another")
    request_id = ask(running, bearer(issued)).headers["x-tierwise-request-id"]

    def give(headers: Mapping[str, str], **body: Any) -> httpx2.Response:
        return httpx2.post(f"{running.url}/feedback", json=body, headers=dict(headers), trust_env=False)

    assert give(bearer(other), request_id=request_id, thumb="up").status_code == 404
    assert give(bearer(issued), request_id="0" * 32, thumb="up").status_code == 404
    assert give(bearer(issued), request_id=request_id, thumb="sideways").status_code == 400
    assert give(bearer(issued), request_id=request_id, thumb="up", comment="good").status_code == 200
    given = give(bearer(issued), request_id=request_id, escalated_to="premium", retried=True)
    assert given.json() == {
        "request_id": request_id,
        "thumb": None,
        "retried": True,
        "escalated_to": "premium",
        "comment": None,
    }
    assert give(bearer(issued), request_id=request_id, retried=False).status_code == 400
    assert give(bearer(issued), request_id=request_id, escalated_to="cheap").status_code == 400
    with State.open(running.state_url) as state:
        (kept,) = state.feedback.rows(0, 1e12)
    assert (kept.thumb, kept.comment, kept.key_id) == ("up", "good", issued.key.key_id)
    assert (kept.retried, kept.escalated_to) == (True, "premium")


def test_an_escalation_goes_above_the_tier_that_answered(proxy: MakeProxy) -> None:
    running, issued = with_key(proxy)
    answered = ask(running, bearer(issued), model="balanced")
    body = {"request_id": answered.headers["x-tierwise-request-id"], "escalated_to": "balanced"}
    refused = httpx2.post(f"{running.url}/feedback", json=body, headers=bearer(issued), trust_env=False)
    assert refused.status_code == 400
    assert "'escalated_to' is balanced, but balanced answered" in error_of(refused)["message"]
