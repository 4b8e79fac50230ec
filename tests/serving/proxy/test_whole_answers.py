import json
from typing import Any

import pytest

from serving.proxy.chunks import CHAT, EMBEDDINGS, RESPONSES, Dialect
from serving.proxy.whole_answers import is_whole

FORBIDDEN = (b"", b"{}", b"[]", b"null", b'{"error": {"message": "no"}}', b"\xff", b"data: {}\n\n")


def chat(*reasons: Any, text: str = "yes") -> bytes:
    choices = [{"message": {"content": text}, "finish_reason": reason} for reason in reasons]
    return json.dumps({"choices": choices}).encode()


def events(*chunks: Any, done: bool = True) -> bytes:
    sent = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*sent, "data: [DONE]\n\n" if done else ""]).encode()


def delta(text: str = "", reason: str | None = None, index: int = 0) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": {"content": text}, "finish_reason": reason}]}


def response(status: str, text: str = "yes", reason: str | None = None) -> dict[str, Any]:
    output = [{"content": [{"type": "output_text", "text": text}]}]
    details = {"incomplete_details": {"reason": reason}} if reason else {}
    return {"object": "response", "status": status, "output": output, **details}


CALL = {
    "choices": [{"message": {"tool_calls": [{"function": {"name": "f"}}]}, "finish_reason": "tool_calls"}]
}


@pytest.mark.parametrize(
    ("dialect", "body", "whole"),
    [
        (CHAT, chat("stop"), True),
        (CHAT, chat("length"), True),
        (CHAT, json.dumps(CALL).encode(), True),
        (CHAT, chat("stop", "stop"), True),
        (CHAT, chat("content_filter"), False),
        (CHAT, chat("stop", None), False),
        (CHAT, chat("stop", text=""), False),
        (RESPONSES, json.dumps(response("completed")).encode(), True),
        (RESPONSES, json.dumps(response("incomplete", reason="max_output_tokens")).encode(), True),
        (RESPONSES, json.dumps(response("incomplete", reason="content_filter")).encode(), False),
        (RESPONSES, json.dumps(response("queued", text="")).encode(), False),
        (EMBEDDINGS, b'{"data": [{"embedding": [1.0]}]}', True),
        (EMBEDDINGS, b'{"data": []}', False),
        *((dialect, body, False) for dialect in (CHAT, RESPONSES, EMBEDDINGS) for body in FORBIDDEN),
    ],
)
def test_a_whole_answer_is_told_from_the_others(dialect: Dialect, body: bytes, whole: bool) -> None:
    assert is_whole(dialect, body, streamed=False) is whole


@pytest.mark.parametrize(
    ("dialect", "body", "whole"),
    [
        (CHAT, events(delta("yes"), delta(reason="stop")), True),
        (CHAT, events(delta("yes"), delta(reason="length"), {"choices": [], "usage": {}}), True),
        (CHAT, b": ping\n\n" + events(delta("yes", reason="stop")), True),
        (CHAT, events(delta("yes"), delta(reason="stop"), done=False), False),
        (CHAT, events(delta("yes")), False),
        (CHAT, events(delta("yes"), delta(reason="content_filter")), False),
        (CHAT, events(delta(reason="stop")), False),
        (CHAT, events(delta("a"), delta("b", index=1), delta(reason="stop")), False),
        (CHAT, events(delta("a", reason="stop"), {"error": {"message": "broke"}}, done=False), False),
        (CHAT, events({}, [], 1, {"choices": 1}), False),
        (RESPONSES, events({"type": "x"}, {"response": response("completed")}, done=False), True),
        (RESPONSES, events({"response": response("failed")}, done=False), False),
        (RESPONSES, events({"type": "response.created"}, done=False), False),
        (EMBEDDINGS, events({}), False),
        *((dialect, body, False) for dialect in (CHAT, RESPONSES) for body in FORBIDDEN),
    ],
)
def test_a_whole_stream_is_told_from_the_others(dialect: Dialect, body: bytes, whole: bool) -> None:
    assert is_whole(dialect, body, streamed=True) is whole
