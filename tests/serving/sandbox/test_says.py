"""Words that the test chooses, as the SDK reads them."""

import openai
import pytest

from serving.sandbox import Sandbox, Says
from tests.serving.sandbox.test_chat import ASK


def test_a_text_arrives_whole_with_its_finish_reason(client: openai.OpenAI, sandbox: Sandbox) -> None:
    sandbox.script("m", Says("half a", finish="length"))
    completion = client.chat.completions.create(model="m", messages=ASK)
    assert completion.choices[0].message.content == "half a"
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage is not None


def test_a_refusal_arrives_as_one(client: openai.OpenAI, sandbox: Sandbox) -> None:
    sandbox.script("m", Says("no", refusal=True))
    message = client.chat.completions.create(model="m", messages=ASK).choices[0].message
    assert (message.content, message.refusal) == (None, "no")


@pytest.mark.parametrize("refusal", [False, True], ids=["text", "refusal"])
def test_a_stream_says_the_same(client: openai.OpenAI, sandbox: Sandbox, refusal: bool) -> None:
    sandbox.script("m", Says("words", refusal=refusal))
    chunks = list(client.chat.completions.create(model="m", messages=ASK, stream=True))
    delta = chunks[0].choices[0].delta
    assert (delta.refusal if refusal else delta.content) == "words"
    assert chunks[1].choices[0].finish_reason == "stop"
