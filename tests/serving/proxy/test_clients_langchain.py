"""langchain-openai as a client."""

from typing import Any

import pytest
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openai import AuthenticationError
from pydantic import BaseModel, SecretStr

from serving.sandbox import Sandbox
from tests.serving.conftest import CHEAP, PREMIUM
from tests.serving.proxy.conftest import PATIENCE, Running


class Verdict(BaseModel):
    """Whether it is good."""

    good: bool
    words: str


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"rain in {city}"


def chat_of(running: Running, model: str = "auto", key: str = "none", **more: Any) -> ChatOpenAI:
    return ChatOpenAI(
        model=model, base_url=running.url, api_key=SecretStr(key), max_retries=0, timeout=PATIENCE, **more
    )


def test_invoke_is_routed_and_tells_its_usage(running: Running) -> None:
    chat = chat_of(running, include_response_headers=True)
    cheap = chat.invoke([SystemMessage("Be brief."), HumanMessage("What is the capital of France?")])
    premium = chat.invoke("Please prove it.")
    assert f"Simulated answer of {CHEAP}" in f"{cheap.content}"
    assert cheap.usage_metadata is not None
    assert cheap.usage_metadata["output_tokens"] > 0
    assert cheap.response_metadata["headers"]["x-tierwise-tier"] == "cheap"
    assert premium.response_metadata["model_name"] == PREMIUM


@pytest.mark.parametrize("usage", [True, False], ids=["with usage", "without"])
def test_a_stream_adds_up_to_the_whole_answer(running: Running, usage: bool) -> None:
    chat = chat_of(running, stream_usage=usage)
    pieces = list(chat.stream("What is the capital of France?"))
    assert len(pieces) > 5
    whole = chat.invoke("What is the capital of France?")
    assert "".join(f"{piece.content}" for piece in pieces) == whole.content
    assert any(piece.usage_metadata for piece in pieces) is usage


async def test_the_async_side_works_too(running: Running) -> None:
    chat = chat_of(running)
    whole = await chat.ainvoke("What is the capital of France?")
    pieces = [piece async for piece in chat.astream("What is the capital of France?")]
    assert "".join(f"{piece.content}" for piece in pieces) == whole.content


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
def test_structured_output_is_parsed(running: Running, method: Any) -> None:
    asked = chat_of(running, "premium").with_structured_output(Verdict, method=method)
    assert isinstance(asked.invoke("Please prove it."), Verdict)


def test_tools_are_called_and_their_results_sent_on(running: Running, upstream: Sandbox) -> None:
    chat = chat_of(running)
    asked: Any = chat.bind_tools([weather], tool_choice="weather").invoke("Is there rain in Rome?")
    (call,) = asked.tool_calls
    assert call["name"] == "weather"
    result = ToolMessage(weather(**call["args"]), tool_call_id=call["id"])
    answer = chat.invoke([HumanMessage("Is there rain in Rome?"), asked, result])
    assert "Simulated answer" in f"{answer.content}"
    sent: Any = upstream.requests[-1].body
    assert [message["role"] for message in sent["messages"]] == ["user", "assistant", "tool"]


def test_a_batch_is_answered_in_its_order(running: Running) -> None:
    answers = chat_of(running).batch([f"capital {number}" for number in range(6)])
    assert [f'To "capital {number}"' in f"{answer.content}" for number, answer in enumerate(answers)] == (
        [True] * 6
    )


def test_embeddings_come_as_lists_of_numbers(running: Running) -> None:
    embeddings = OpenAIEmbeddings(
        model="text-embedding-3-small",
        openai_api_base=running.url,
        openai_api_key=SecretStr("none"),
        check_embedding_ctx_length=False,  # it would download a tokenizer
    )
    first, second = embeddings.embed_documents(["a", "b"])
    assert first != second
    assert all(isinstance(number, float) for number in first)


def test_a_wrong_key_is_what_langchain_calls_one(running: Running) -> None:
    issued = running.create_key()
    with pytest.raises(AuthenticationError, match="not known here"):
        chat_of(running, key="wrong").invoke("hello")
    assert chat_of(running, key=issued.secret.reveal()).invoke("hello").content
