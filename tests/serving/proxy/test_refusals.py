"""What is wrong with a request, said in the API's own form; and what the upstream says, passed on."""

import socket
import threading
from typing import Any

import httpx2
import openai
import pytest

from serving.sandbox import (
    BrokenJson,
    HtmlPage,
    Reset,
    ResetAfter,
    Sandbox,
    Silence,
    StallAfter,
    Status,
    StreamError,
)
from tests.serving.conftest import ASK_CHEAP, ASK_PREMIUM, BALANCED, CHEAP, ENVIRON, PREMIUM
from tests.serving.proxy.conftest import MakeProxy, Running, error_of

ASK = {"model": "auto", "messages": ASK_CHEAP}


def raw(running: Running, data: bytes) -> bytes:
    """What the proxy answers to bytes, to the end of the connection."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(data)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        return answer


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        (b"", "invalid_json", "not JSON"),
        (b"{", "invalid_json", "not JSON"),
        (b"\xff\xfe{}", "invalid_json", "not JSON"),
        (b"[1]", "invalid_json", "must be a JSON object, not a list"),
        (b'{"messages": [{"role": "user"}], "temperature": NaN}', "invalid_json", "NaN is no number"),
        (b'{"messages": [{"role": "user"}], "temperature": 1e999}', "invalid_json", "1e999 is too large"),
        (b"[" * 100_000, "invalid_json", "nested too deeply"),
        (b"{}", "invalid_type", "'messages' must be a list, not nothing"),
        (b'{"messages": "hello"}', "invalid_type", "'messages' must be a list, not a text"),
        (b'{"messages": []}', "invalid_request", "at least one message"),
        (b'{"messages": [1]}', "invalid_request", r"messages[0] must be an object with a 'role'"),
        (b'{"messages": [{"role": "user"}], "model": 4}', "invalid_type", "'model' must be a text"),
        (b'{"messages": [{"role": "user"}], "model": "a\\r\\nb"}', "invalid_request", "'model' is no name"),
        (b'{"messages": [{"role": "user"}], "stream": "yes"}', "invalid_type", "'stream' must be true"),
        (b'{"messages": [{"role": "user"}], "stream_options": 1}', "invalid_type", "'stream_options'"),
        (b'{"messages": [{"role": "user"}], "max_tokens": -1}', "invalid_type", "above 0"),
        (b'{"messages": [{"role": "user"}], "n": true}', "invalid_type", "'n' must be a whole number"),
    ],
)
def test_a_body_of_no_use_is_refused_in_words(
    http: httpx2.Client, upstream: Sandbox, body: bytes, code: str, says: str
) -> None:
    response = http.post("/chat/completions", content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    error = error_of(response)
    assert error["code"] == code
    assert says in error["message"]
    assert upstream.requests == ()


def test_paths_methods_and_media_types_are_refused_in_words(http: httpx2.Client) -> None:
    lost = http.get("/nothing/here")
    assert (lost.status_code, error_of(lost)["code"]) == (404, "unknown_path")
    wrong = http.get("/chat/completions")
    assert (wrong.status_code, error_of(wrong)["code"]) == (405, "method_not_allowed")
    form = http.post("/chat/completions", data={"a": "b"})
    assert (form.status_code, error_of(form)["code"]) == (415, "unsupported_media_type")


def test_only_local_names_lead_to_a_proxy_without_keys(http: httpx2.Client) -> None:
    response = http.post("/chat/completions", json=ASK, headers={"host": "attacker.example"})
    assert (response.status_code, error_of(response)["code"]) == (403, "host_not_allowed")


@pytest.mark.parametrize("chunked", [False, True], ids=["told", "chunked"])
def test_a_body_that_is_too_large_is_refused_while_it_is_read(proxy: MakeProxy, chunked: bool) -> None:
    running = proxy(serve={"proxy": {"max_body_bytes": 10_000}})
    content: Any = (b"x" * 5_000 for _ in range(40)) if chunked else b"x" * 200_000
    headers = {"content-type": "application/json"}
    response = httpx2.post(
        f"{running.url}/chat/completions", content=content, headers=headers, trust_env=False
    )
    assert (response.status_code, error_of(response)["code"]) == (413, "body_too_large")


def test_heads_that_are_too_large_too_slow_or_no_http_are_refused(proxy: MakeProxy) -> None:
    running = proxy(serve={"proxy": {"max_header_bytes": 2_000, "request_seconds": 0.5}})
    start = b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n"
    assert b" 431 " in raw(running, start + b"a: " + b"x" * 3_000 + b"\r\n\r\n")
    assert b" 431 " in raw(running, start + b"a: 1\r\n" * 1_000 + b"\r\n")
    assert b" 408 " in raw(running, start)
    assert b" 400 " in raw(running, b"what is this\r\n\r\n")
    body = b"POST /v1/embeddings HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    assert b" 408 " in raw(running, body + b"content-length: 100\r\n\r\n{")


def test_too_many_at_once_are_sent_away_with_a_time(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(serve={"proxy": {"max_concurrent": 1}})
    upstream.script(CHEAP, Silence(5))
    with httpx2.Client(base_url=running.url, timeout=20, trust_env=False) as http:
        waiting = threading.Thread(target=lambda: http.post("/chat/completions", json=ASK))
        waiting.start()
        while not upstream.requests:
            pass
        response = http.post("/chat/completions", json=ASK)
        assert (response.status_code, error_of(response)["code"]) == (503, "overloaded")
        assert response.headers["retry-after"] == "1"
        waiting.join()


def test_the_upstream_s_refusal_arrives_as_it_was_sent_with_keys_masked(
    http: httpx2.Client, upstream: Sandbox
) -> None:
    key = ENVIRON["GLOBAL_API_KEY"]
    upstream.script(CHEAP, Status(422, body=b'{"odd": "body with ' + key.encode() + b'"}'))
    response = http.post("/chat/completions", json=ASK)
    assert response.status_code == 422
    assert response.content == b'{"odd": "body with ***"}'
    assert response.headers["x-tierwise-attempts"] == "1"


def test_the_status_of_a_model_by_name_arrives_with_its_retry_after(
    running: Running, client: openai.OpenAI, upstream: Sandbox
) -> None:
    upstream.script(BALANCED, Status(429, retry_after=7))
    with pytest.raises(openai.RateLimitError, match="simulated failure with status 429") as caught:
        client.chat.completions.create(model=BALANCED, messages=ASK_CHEAP)
    assert caught.value.response.headers["retry-after"] == "7"
    (row,) = running.rows()
    assert (row.outcome, row.status, row.usd) == ("failed", 429, 0.0)


@pytest.mark.parametrize(
    "fault", [Status(503), Reset(), BrokenJson(), HtmlPage()], ids=["status", "reset", "json", "html"]
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_another_model_answers_when_one_fails(
    running: Running, client: openai.OpenAI, upstream: Sandbox, fault: Any, stream: bool
) -> None:
    upstream.script(PREMIUM, fault)
    raw = client.chat.completions.with_raw_response.create(model="auto", messages=ASK_PREMIUM, stream=stream)
    assert raw.parse()
    assert raw.headers["x-tierwise-model"] == BALANCED
    assert raw.headers["x-tierwise-attempts"] == "2"
    first, second = running.rows()
    assert (first.model, first.fell_back, first.attempt) == (PREMIUM, False, 0)
    assert (second.model, second.fell_back, second.attempt) == (BALANCED, True, 1)
    assert first.outcome == ("failed" if isinstance(fault, Status) else "unknown")
    assert second.outcome == "answered"


def test_a_chain_that_failed_says_what_each_model_said(http: httpx2.Client, upstream: Sandbox) -> None:
    upstream.always("*", Status(500, body=b'{"error": {"message": "down, key ga_pro_0123456789"}}'))
    response = http.post("/chat/completions", json=ASK)
    error = error_of(response)
    assert (response.status_code, error["code"]) == (502, "chain_failed")
    assert all(model in error["message"] for model in (CHEAP, BALANCED, PREMIUM))
    assert "down, key ***" in error["message"]
    assert response.headers["x-tierwise-attempts"] == "3"


@pytest.mark.parametrize("model", ["auto", CHEAP])
def test_silence_becomes_504(proxy: MakeProxy, upstream: Sandbox, model: str) -> None:
    running = proxy(first_byte_seconds=0.2)
    upstream.always("*", Silence(5))
    body = {**ASK, "model": model}
    response = httpx2.post(f"{running.url}/chat/completions", json=body, timeout=20, trust_env=False)
    assert (response.status_code, error_of(response)["code"]) == (504, "upstream_timeout")
    assert {row.outcome for row in running.rows()} == {"unknown"}


def test_an_upstream_that_is_not_there_becomes_502(proxy: MakeProxy) -> None:
    running = proxy(base_url="http://127.0.0.1:9/v1")
    response = httpx2.post(
        f"{running.url}/chat/completions", json={**ASK, "model": CHEAP}, timeout=20, trust_env=False
    )
    assert (response.status_code, error_of(response)["code"]) == (502, "upstream_failed")
    assert [(row.outcome, row.usd) for row in running.rows()] == [("failed", 0.0)]
    models = httpx2.get(f"{running.url}/models", timeout=20, trust_env=False).json()["data"]
    assert [each["id"] for each in models] == ["auto", "cheap", "balanced", "premium"]


def test_a_model_of_a_channel_without_key_is_not_there(proxy: MakeProxy) -> None:
    running = proxy(environ={"GLOBAL_API_KEY": "ga_1"})
    response = httpx2.post(f"{running.url}/chat/completions", json={**ASK, "model": PREMIUM}, trust_env=False)
    assert (response.status_code, error_of(response)["code"]) == (404, "model_unavailable")


@pytest.mark.parametrize("fault", [ResetAfter(3), StreamError(3)], ids=["reset", "error event"])
def test_a_stream_that_breaks_says_so_at_its_end(
    running: Running, client: openai.OpenAI, upstream: Sandbox, fault: Any
) -> None:
    upstream.script(CHEAP, fault)
    stream = client.chat.completions.create(model="cheap", messages=ASK_CHEAP, stream=True)
    said = [next(stream).choices[0].delta.content or "" for _ in range(3)]
    with pytest.raises(openai.APIError, match=r"broke off|simulated failure"):
        list(stream)
    assert "".join(said).startswith("(Simula")
    (row,) = running.rows()
    assert row.outcome == "unknown"
    assert row.cause


def test_a_stream_that_stalls_is_cut_at_the_deadline(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(deadline_seconds=0.6)
    upstream.script(CHEAP, StallAfter(2, seconds=10))
    body = {**ASK, "model": "cheap", "stream": True}
    response = httpx2.post(f"{running.url}/chat/completions", json=body, timeout=20, trust_env=False)
    assert b'"code": "stream_broken"' in response.content
    assert b"[DONE]" not in response.content
    assert [row.cause for row in running.rows()] == ["timed out"]
