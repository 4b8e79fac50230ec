"""The responses API, before an upstream of a few lines that speaks it: the sandbox does not."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import openai
import pytest

from tests.serving.conftest import CHEAP, PREMIUM
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running, error_of

USAGE = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}


def response_of(model: str) -> dict[str, Any]:
    text = {"type": "output_text", "text": "Hello there", "annotations": []}
    message = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [text],
    }
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": model,
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            **USAGE,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens_details": {"reasoning_tokens": 0},
        },
    }


def events_of(model: str) -> bytes:
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
    part = {"type": "output_text", "text": "", "annotations": []}
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": {**response_of(model), "output": [], "usage": None}},
        {"type": "response.output_item.added", "output_index": 0, "item": item},
        {"type": "response.content_part.added", "part": part, **place},
        {"type": "response.output_text.delta", "delta": "Hello ", **place},
        {"type": "response.output_text.delta", "delta": "there", **place},
        {"type": "response.completed", "response": response_of(model)},
    ]
    numbered = [{**event, "sequence_number": number} for number, event in enumerate(events)]
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (e["type"].encode(), json.dumps(e).encode()) for e in numbered
    )


class Upstream(ThreadingHTTPServer):
    daemon_threads = True
    seen: list[tuple[str, dict[str, Any]]]


class Handler(BaseHTTPRequestHandler):
    server: Upstream

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.seen.append((self.path, body))
        refused = body.get("input") == "refuse"
        stream = body.get("stream", False)
        answer = events_of(body["model"]) if stream else json.dumps(response_of(body["model"])).encode()
        self.send_response(400 if refused else 200)
        self.send_header("content-type", "text/event-stream" if stream else "application/json")
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002
        return


@pytest.fixture
def speaking() -> Iterator[Upstream]:
    server = Upstream(("127.0.0.1", 0), Handler)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(PATIENCE)


@pytest.fixture
def running(proxy: MakeProxy, speaking: Upstream) -> Running:
    return proxy(base_url=f"http://127.0.0.1:{speaking.server_address[1]}/v1")


@pytest.mark.parametrize(
    ("given", "model"),
    [
        ({"input": "What is the capital of France?"}, CHEAP),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": "Please prove it."}]}]},
            PREMIUM,
        ),
    ],
    ids=["text", "items"],
)
def test_the_model_is_decided_on_the_input(
    client: openai.OpenAI, speaking: Upstream, running: Running, given: Any, model: str
) -> None:
    raw = client.responses.with_raw_response.create(model="auto", instructions="Be brief.", **given)
    assert raw.parse().output_text == "Hello there"
    assert raw.headers["x-tierwise-model"] == model
    path, body = speaking.seen[0]
    assert path == "/v1/responses"
    assert body == {"model": model, "instructions": "Be brief.", **given}
    (row,) = running.rows()
    assert (row.input_tokens, row.output_tokens, row.estimated) == (11, 7, False)


def test_a_stream_passes_byte_for_byte(running: Running) -> None:
    body = {"model": "auto", "input": "the capital?", "stream": True}
    response = httpx2.post(f"{running.url}/responses", json=body, trust_env=False)
    assert response.content == events_of(CHEAP)
    (row,) = running.rows()
    assert (row.outcome, row.output_tokens, row.streamed) == ("answered", 7, True)


def test_the_sdk_reads_the_stream(client: openai.OpenAI) -> None:
    with client.responses.stream(model=CHEAP, input="hi") as stream:
        assert stream.get_final_response().output_text == "Hello there"


def test_refusals_pass_and_odd_inputs_are_refused(running: Running, speaking: Upstream) -> None:
    passed = httpx2.post(
        f"{running.url}/responses", json={"model": CHEAP, "input": "refuse"}, trust_env=False
    )
    assert passed.status_code == 400
    assert passed.json() == response_of(CHEAP)
    odd = httpx2.post(f"{running.url}/responses", json={"input": [1]}, trust_env=False)
    assert (odd.status_code, error_of(odd)["param"]) == (400, "input")
    assert len(speaking.seen) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_answer_can_come_from_the_cache(running: Running, speaking: Upstream, stream: bool) -> None:
    body = {"model": "auto", "input": "the capital?", "stream": stream}
    headers = {"cache-control": "max-age=60"}
    answers = []
    for _ in range(2):
        answers.append(httpx2.post(f"{running.url}/responses", json=body, headers=headers, trust_env=False))
        wait_until_stored(running)
    assert answers[0].content == answers[1].content
    assert [answer.headers["cache-status"][:13] for answer in answers] == ["tierwise; fwd", "tierwise; hit"]
    assert len(speaking.seen) == 1


def wait_until_stored(running: Running) -> None:
    desk, until = running.service.desk, time.monotonic() + PATIENCE
    assert desk is not None
    while desk.cache.waiting or len(desk.cache.flights):
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_limit_is_put_in_where_a_budget_governs(proxy: MakeProxy, speaking: Upstream) -> None:
    running = proxy(
        serve={"budgets": {"premium_tokens_per_day": 100_000}},
        base_url=f"http://127.0.0.1:{speaking.server_address[1]}/v1",
    )
    httpx2.post(f"{running.url}/responses", json={"model": "premium", "input": "x"}, trust_env=False)
    assert speaking.seen[0][1]["max_output_tokens"] == 4096


def test_a_conversation_keeps_its_tier(client: openai.OpenAI, speaking: Upstream) -> None:
    first: list[Any] = [{"role": "user", "content": "Please prove it."}]
    more = [{"role": "assistant", "content": "Hello there"}, {"role": "user", "content": "yes, do it"}]
    answers = [
        client.responses.with_raw_response.create(model="auto", input=each)
        for each in (first, [*first, *more])
    ]
    told = [(each.headers["x-tierwise-model"], each.headers["x-tierwise-chosen-by"]) for each in answers]
    assert told == [(PREMIUM, "policy"), (PREMIUM, "session")]
    assert [body["model"] for _, body in speaking.seen] == [PREMIUM, PREMIUM]
