"""The normal path, as the OpenAI SDK sees it."""

import asyncio
from typing import Any, Literal

import openai
import pydantic
import pytest
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

from serving.sandbox import Sandbox

CHEAP = "deepseek-ai/DeepSeek-V4-Flash"
PREMIUM = "Pro/deepseek-ai/DeepSeek-V3.2"
ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "What is the capital of Peru?"}]
WEATHER: ChatCompletionToolParam = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}},
            "required": ["city", "days"],
        },
    },
}


class Line(pydantic.BaseModel):
    article: str
    amount: int = pydantic.Field(ge=1)


class Invoice(pydantic.BaseModel):
    number: str
    state: Literal["open", "paid"]
    lines: list[Line] = pydantic.Field(min_length=1)
    note: str | None


def test_a_plain_answer_says_that_it_is_simulated_and_counts_its_tokens(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(model=CHEAP, messages=ASK)
    message = completion.choices[0].message
    assert message.content is not None
    assert message.content.startswith(f"(Simulated answer of {CHEAP}; no model was called.)")
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert (
        completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens
    )
    assert completion.usage.prompt_tokens > 0


def test_the_same_request_gets_the_same_answer(client: openai.OpenAI) -> None:
    first, second = (client.chat.completions.create(model=CHEAP, messages=ASK) for _ in range(2))
    assert first.choices == second.choices
    assert first.id == second.id


def test_stronger_models_write_longer_answers(client: openai.OpenAI) -> None:
    lengths = [
        sum(
            len(
                client.chat.completions.create(
                    model=model, messages=[{"role": "user", "content": f"Question {number}"}]
                )
                .choices[0]
                .message.content
                or ""
            )
            for number in range(10)
        )
        for model in (CHEAP, "Qwen/Qwen3-32B", PREMIUM)
    ]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[2]


def test_a_stream_carries_the_text_of_the_plain_answer(client: openai.OpenAI) -> None:
    plain = client.chat.completions.create(model=CHEAP, messages=ASK)
    chunks = list(client.chat.completions.create(model=CHEAP, messages=ASK, stream=True))
    assert (
        "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == plain.choices[0].message.content
    )
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_a_stream_ends_with_its_usage_only_when_asked(client: openai.OpenAI) -> None:
    without = list(client.chat.completions.create(model=CHEAP, messages=ASK, stream=True))
    asked = list(
        client.chat.completions.create(
            model=CHEAP, messages=ASK, stream=True, stream_options={"include_usage": True}
        )
    )
    assert all(chunk.choices for chunk in without)
    assert asked[-1].choices == []
    assert asked[-1].usage is not None
    assert asked[-1].usage.completion_tokens == len(without) - 2
    assert all(chunk.usage is None for chunk in asked[:-1])


def test_the_async_client_streams_too(sandbox: Sandbox) -> None:
    async def text() -> str:
        async with openai.AsyncOpenAI(base_url=sandbox.url, api_key="k", max_retries=0) as client:
            stream = await client.chat.completions.create(model=CHEAP, messages=ASK, stream=True)
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    assert "no model was called" in asyncio.run(text())


def test_several_choices_differ(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(model=PREMIUM, messages=ASK, n=3)
    assert [choice.index for choice in completion.choices] == [0, 1, 2]
    assert len({choice.message.content for choice in completion.choices}) > 1


@pytest.mark.parametrize(
    "limit", [{"max_tokens": 5}, {"max_completion_tokens": 5}], ids=lambda limit: next(iter(limit))
)
def test_a_token_limit_cuts_the_answer(client: openai.OpenAI, limit: dict[str, Any]) -> None:
    completion = client.chat.completions.create(model=CHEAP, messages=ASK, **limit)
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 5


def test_a_forced_tool_is_called_with_arguments_that_fit_its_schema(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(
        model=CHEAP,
        messages=ASK,
        tools=[WEATHER],
        tool_choice={"type": "function", "function": {"name": "weather"}},
    )
    calls = completion.choices[0].message.tool_calls
    assert calls is not None
    assert calls[0].type == "function"
    assert calls[0].function.arguments == '{"city": "simulated", "days": 2}'
    assert completion.choices[0].finish_reason == "tool_calls"


def test_a_tool_call_streams_in_pieces(client: openai.OpenAI) -> None:
    chunks = client.chat.completions.create(
        model=CHEAP, messages=ASK, tools=[WEATHER], tool_choice="required", stream=True
    )
    calls = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    functions = [call.function for call in calls if call.function is not None]
    assert functions[0].name == "weather"
    assert "".join(function.arguments or "" for function in functions) == '{"city": "simulated", "days": 2}'


def test_tools_that_are_only_offered_are_not_called(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(
        model=CHEAP, messages=ASK, tools=[WEATHER], tool_choice="auto"
    )
    assert completion.choices[0].message.tool_calls is None


def test_a_tool_choice_outside_the_tools_is_the_callers_mistake(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="not among the tools"):
        client.chat.completions.create(
            model=CHEAP,
            messages=ASK,
            tools=[WEATHER],
            tool_choice={"type": "function", "function": {"name": "tides"}},
        )


def test_parse_gets_an_instance_of_the_schema(client: openai.OpenAI) -> None:
    completion = client.chat.completions.parse(model=CHEAP, messages=ASK, response_format=Invoice)
    invoice = completion.choices[0].message.parsed
    assert invoice is not None
    assert invoice.state == "open"
    assert invoice.lines[0].amount == 1
    assert invoice.note is None


def test_a_json_object_is_an_object(client: openai.OpenAI) -> None:
    completion = client.chat.completions.create(
        model=CHEAP, messages=ASK, response_format={"type": "json_object"}
    )
    assert completion.choices[0].message.content == '{"simulated": true}'


def test_content_parts_are_read_and_images_cost_tokens(client: openai.OpenAI) -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    parts: Any = [{"role": "user", "content": [{"type": "text", "text": "Look at this"}, image]}]
    completion = client.chat.completions.create(model=CHEAP, messages=parts)
    assert 'To "Look at this"' in (completion.choices[0].message.content or "")
    assert completion.usage is not None
    assert completion.usage.prompt_tokens > 85


def test_a_lone_surrogate_in_the_prompt_is_answered(sandbox: Sandbox) -> None:
    with openai.OpenAI(base_url=sandbox.url, api_key="k", max_retries=0) as client:
        raw = b'{"model":"m","messages":[{"role":"user","content":"half an emoji: \\ud83d"}]}'
        answer = client._client.post(f"{sandbox.url}/chat/completions", content=raw)
    assert answer.status_code == 200
    assert "half an emoji" in answer.text
