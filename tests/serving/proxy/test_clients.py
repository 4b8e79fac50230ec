"""Clients that nobody here wrote: the openai SDK, sync and async, and curl."""

# ruff: noqa: S603 - the only program started here is curl

import json
import shutil
import subprocess
from typing import Any

import httpx2
import openai
import pytest
from pydantic import BaseModel

from serving.sandbox import NoUsage, Sandbox
from tests.serving.conftest import ASK_CHEAP, ASK_PREMIUM, CHEAP, PREMIUM
from tests.serving.proxy.conftest import PATIENCE, Running

TOOL: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Verdict(BaseModel):
    good: bool
    words: str


def test_an_answer_arrives_as_the_upstream_sent_it(client: openai.OpenAI, upstream: Sandbox) -> None:
    raw = client.chat.completions.with_raw_response.create(model="auto", messages=ASK_CHEAP, max_tokens=9)
    completion = raw.parse()
    assert completion.model == CHEAP
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 9
    sent = upstream.requests[-1].body
    assert sent == {"model": CHEAP, "messages": ASK_CHEAP, "max_tokens": 9}
    assert raw.headers["x-tierwise-tier"] == "cheap"
    assert raw.headers["x-tierwise-model"] == CHEAP
    assert raw.headers["x-tierwise-attempts"] == "1"
    assert 0 <= float(raw.headers["x-tierwise-risk"]) <= 1
    assert float(raw.headers["x-tierwise-cost-usd"]) > 0
    assert "capital" in raw.headers["x-tierwise-reasons"]
    assert len(raw.headers["x-tierwise-request-id"]) == 32


def test_a_hard_prompt_goes_to_the_premium_model(client: openai.OpenAI) -> None:
    assert client.chat.completions.create(model="auto", messages=ASK_PREMIUM).model == PREMIUM


def test_a_stream_arrives_event_by_event_without_the_usage_that_nobody_asked_for(
    client: openai.OpenAI, running: Running
) -> None:
    raw = client.chat.completions.with_raw_response.create(model="auto", messages=ASK_CHEAP, stream=True)
    chunks = list(raw.parse())
    assert all(chunk.usage is None for chunk in chunks)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks).startswith("(Simulated answer")
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert "x-tierwise-cost-usd" not in raw.headers
    (row,) = running.rows()
    assert row.request_id == raw.headers["x-tierwise-request-id"]
    assert row.streamed
    assert row.usd is not None
    assert not row.estimated


def test_a_stream_ends_with_the_usage_that_was_asked_for(client: openai.OpenAI) -> None:
    stream = client.chat.completions.create(
        model="cheap", messages=ASK_CHEAP, stream=True, stream_options={"include_usage": True}
    )
    assert list(stream)[-1].usage is not None


def test_the_cost_of_a_stream_without_usage_is_counted_from_its_text(
    client: openai.OpenAI, upstream: Sandbox, running: Running
) -> None:
    upstream.script(CHEAP, NoUsage())
    list(client.chat.completions.create(model="cheap", messages=ASK_CHEAP, stream=True))
    (row,) = running.rows()
    assert row.estimated
    assert row.output_tokens


def test_tool_calls_and_structured_outputs_work_through_the_sdk(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(
        model="auto", messages=ASK_CHEAP, tools=[TOOL], tool_choice="required"
    )
    call: Any = completion.choices[0].message.tool_calls
    assert json.loads(call[0].function.arguments).keys() == {"city"}
    parsed = client.chat.completions.parse(model="premium", messages=ASK_PREMIUM, response_format=Verdict)
    assert isinstance(parsed.choices[0].message.parsed, Verdict)


def test_the_sdk_s_stream_helper_works(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="auto", messages=ASK_CHEAP) as stream:
        text = stream.get_final_completion().choices[0].message.content
    assert text is not None
    assert text.startswith("(Simulated answer")


def test_pictures_pass_unchanged(client: openai.OpenAI, upstream: Sandbox) -> None:
    parts: Any = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    client.chat.completions.create(model="auto", messages=[{"role": "user", "content": parts}])
    sent: Any = upstream.requests[-1].body
    assert sent["messages"][0]["content"] == parts


async def test_the_async_client_works_whole_and_streamed(running: Running) -> None:
    async with openai.AsyncOpenAI(base_url=running.url, api_key="x", timeout=PATIENCE) as client:
        whole = await client.chat.completions.create(model="auto", messages=ASK_CHEAP)
        stream = await client.chat.completions.create(model="auto", messages=ASK_CHEAP, stream=True)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
    assert "".join(pieces) == whole.choices[0].message.content


def test_embeddings_pass_through_and_are_in_the_ledger(client: openai.OpenAI, running: Running) -> None:
    answer = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    assert [len(each.embedding) for each in answer.data] == [16, 16]
    (row,) = running.rows()
    assert (row.requested, row.tier, row.output_tokens) == ("text-embedding-3-small", None, 0)


def test_the_list_of_models_begins_with_our_names_and_is_kept_for_a_while(
    client: openai.OpenAI, upstream: Sandbox
) -> None:
    first = [model.id for model in client.models.list()]
    again = [model.id for model in client.models.list()]
    assert first[:4] == ["auto", "cheap", "balanced", "premium"]
    assert PREMIUM in first
    assert again == first
    assert [each.path for each in upstream.requests] == ["/v1/models", "/v1/models"]  # a channel each


def test_a_lone_surrogate_arrives_as_it_was_sent(running: Running, upstream: Sandbox) -> None:
    body = b'{"model":"cheap","messages":[{"role":"user","content":"half of a \\ud83d pair"}]}'
    headers = {"content-type": "application/json"}
    response = httpx2.post(f"{running.url}/chat/completions", content=body, headers=headers, trust_env=False)
    assert response.status_code == 200
    sent: Any = upstream.requests[-1].body
    assert sent["messages"][0]["content"] == "half of a \ud83d pair"


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_curl_gets_an_answer(running: Running, stream: bool) -> None:
    body = json.dumps({"model": "auto", "messages": ASK_CHEAP, "stream": stream})
    command = ["curl", "-sSN", "--noproxy", "*", "-H", "content-type: application/json", "-d", body]
    done = subprocess.run(
        [*command, f"{running.url}/chat/completions"], capture_output=True, timeout=PATIENCE, check=True
    )
    assert b"Simula" in done.stdout
    assert done.stdout.rstrip().endswith(b"data: [DONE]") is stream
