from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from serving import Answer, routing_of
from serving.answer import answer_of, as_messages
from serving.routing import attach
from tests.serving.test_routing import record


def completion(message: dict[str, Any]) -> ChatCompletion:
    made = ChatCompletion.model_validate(
        {
            "id": "c",
            "object": "chat.completion",
            "created": 0,
            "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}],
        }
    )
    attach(made, record())
    return made


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"content": "Paris."}, "Paris."),
        ({"content": None, "refusal": "I would rather not."}, "I would rather not."),
        ({"content": None, "tool_calls": []}, ""),
    ],
    ids=["text", "refusal", "a tool call alone"],
)
def test_an_answer_is_its_text(message: dict[str, Any], text: str) -> None:
    answer = answer_of(completion(message))
    assert (str(answer), answer.text) == (text, text)
    assert answer.routing is routing_of(answer.completion)


def test_an_answer_shows_its_text_and_record_but_not_the_whole_completion() -> None:
    shown = repr(answer_of(completion({"content": "Paris."})))
    assert shown.startswith("Answer(text='Paris.', routing=Routing(")
    assert "ChatCompletion" not in shown


def test_a_system_prompt_stands_before_the_question() -> None:
    assert as_messages("Why?", None) == [{"role": "user", "content": "Why?"}]
    assert as_messages("Why?", "Be brief.")[0] == {"role": "system", "content": "Be brief."}


def test_an_answer_cannot_be_changed() -> None:
    with pytest.raises(AttributeError, match="cannot assign"):
        answer_of(completion({"content": "Paris."})).text = "Lyon."  # type: ignore[misc]
    assert Answer.__slots__
