"""`/v1/route` decides and calls nobody; `/healthz` and the OpenAPI document."""

import httpx2

from serving.sandbox import Sandbox
from tests.serving.conftest import ASK_PREMIUM, CHEAP, PREMIUM
from tests.serving.proxy.conftest import error_of


def test_a_decision_comes_with_its_explanation_and_calls_nobody(
    http: httpx2.Client, upstream: Sandbox
) -> None:
    answer = http.post("/route", json={"messages": ASK_PREMIUM}).json()
    assert (answer["tier"], answer["model"], answer["chosen_by"]) == ("premium", PREMIUM, "policy")
    assert answer["chain"][0] == PREMIUM
    assert answer["explanation"]["contributions"]
    assert any("prove" in reason for reason in answer["reasons"])
    assert upstream.requests == ()


def test_a_decision_is_made_on_inputs_and_names_too(http: httpx2.Client) -> None:
    assert http.post("/route", json={"input": "the capital?"}).json()["model"] == CHEAP
    named = http.post("/route", json={"model": "some/model", "input": ""}).json()
    assert (named["tier"], named["model"], named["explanation"]) == (None, "some/model", None)
    refused = http.post("/route", json={})
    assert (refused.status_code, error_of(refused)["param"]) == (400, "messages")


def test_the_document_tells_every_path(http: httpx2.Client) -> None:
    paths = http.get(f"{http.base_url}".removesuffix("v1/") + "openapi.json").json()["paths"]
    assert sorted(paths) == [
        "/healthz",
        "/metrics",
        "/v1/chat/completions",
        "/v1/embeddings",
        "/v1/feedback",
        "/v1/model",
        "/v1/models",
        "/v1/overview",
        "/v1/responses",
        "/v1/route",
        "/v1/status",
    ]
