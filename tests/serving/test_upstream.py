"""The seams of the SDK that the package leans on, and what is made of odd things that come through them."""

from contextlib import suppress
from typing import Any

import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai._models import construct_type
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from serving.upstream import (
    BrokenAnswerError,
    check_answer,
    choices_of,
    has_token,
    is_raw,
    is_streaming_raw,
    mask_error,
    said,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "choices",
                    "message",
                    "delta",
                    "content",
                    "tool_calls",
                    "function",
                    "usage",
                    "error",
                    "index",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


def built(kind: Any, value: object) -> Any:
    """What the SDK makes of a JSON value: it validates next to nothing."""
    return construct_type(type_=kind, value=value)


def delta(**fields: Any) -> Any:
    chunk = built(ChatCompletionChunk, {"choices": [{"index": 0, "delta": fields}]})
    return chunk.choices[0]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"choices": None},
        {"choices": []},
        {"choices": [{}]},
        {"choices": [3]},
        {"choices": {}},
        "text",
        None,
        3,
    ],
    ids=str,
)
def test_what_holds_no_choices_is_no_answer(body: object) -> None:
    with pytest.raises(BrokenAnswerError, match="status 200 with"):
        check_answer(built(ChatCompletion, body))


@pytest.mark.parametrize(
    ("error", "words"),
    [({"message": "no capacity"}, "no capacity"), ("busy", "busy"), ({"code": 5}, "'code': 5")],
    ids=["with message", "text", "without message"],
)
def test_an_error_that_came_with_status_200_is_told(error: object, words: str) -> None:
    with pytest.raises(BrokenAnswerError, match=f"an error with status 200: .*{words}"):
        check_answer(built(ChatCompletion, {"error": error}))


def test_an_answer_passes() -> None:
    check_answer(built(ChatCompletion, {"choices": [{"message": {"content": ""}}]}))


@pytest.mark.parametrize(
    ("fields", "counts"),
    [
        ({"role": "assistant"}, False),
        ({"role": "assistant", "content": ""}, False),
        ({"content": "H"}, True),
        ({"refusal": "No"}, True),
        ({"tool_calls": [{"index": 0}]}, True),
        ({"reasoning_content": "Let me see"}, True),
        ({"audio": {"id": "a"}}, True),
        ({}, False),
    ],
    ids=["role", "empty content", "content", "refusal", "tool call", "reasoning", "sound", "nothing"],
)
def test_a_token_is_any_part_of_an_answer_but_the_role(fields: dict[str, Any], counts: bool) -> None:
    assert has_token(delta(**fields)) is counts


def test_a_finish_reason_is_a_token() -> None:
    chunk = built(ChatCompletionChunk, {"choices": [{"delta": {}, "finish_reason": "stop"}]})
    assert has_token(chunk.choices[0])


def test_everything_that_is_billed_as_output_is_said() -> None:
    call = {"index": 0, "type": "function", "function": {"name": "look_up", "arguments": "{}"}}
    spoken = delta(content="a", refusal="b", reasoning_content="c", reasoning="d", tool_calls=[call])
    assert said(spoken.delta) == "abcdlook_up{}"


@given(JSON)
def test_no_chunk_is_too_odd_to_be_read(value: object) -> None:
    chunk = built(ChatCompletionChunk, value)
    for choice in choices_of(chunk):
        assert has_token(choice) in (True, False)
        assert isinstance(said(choice.delta), str)


@given(JSON)
def test_any_body_is_an_answer_or_a_broken_one(value: object) -> None:
    completion = built(ChatCompletion, value)
    with suppress(BrokenAnswerError):  # either outcome is right, and nothing else may be raised
        check_answer(completion)
        assert all(isinstance(said(choice.message), str) for choice in completion.choices)


def test_the_sdk_marks_its_raw_calls_as_we_read_them() -> None:
    seen: list[Any] = []

    class Recorder(openai.OpenAI):
        def post(self, *_args: Any, options: Any = None, **_rest: Any) -> Any:
            seen.append(options)

    with Recorder(api_key="k") as client:
        client.chat.completions.create(model="m", messages=[])
        client.chat.completions.with_raw_response.create(model="m", messages=[])
        client.chat.completions.with_streaming_response.create(model="m", messages=[]).__enter__()
    assert [(is_raw(each), is_streaming_raw(each)) for each in seen] == [
        (False, False),
        (True, False),
        (False, True),
    ]


def test_masking_reaches_into_the_body() -> None:
    error = openai.APIError("key k1", request=None, body={"message": "k1", "more": [{"deep": "k1"}], "n": 1})  # type: ignore[arg-type]
    mask_error(error, lambda text: text.replace("k1", "***"))
    assert str(error) == error.message == "key ***"
    assert error.body == {"message": "***", "more": [{"deep": "***"}], "n": 1}
