"""A simulated chat reply and its two forms on the wire: one JSON body, or a stream of server-sent events."""

import json
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the alternatives in a reply.

    Attributes:
        tokens: the text, or the arguments of the call, in the pieces that a stream sends.
        tool: the name of the function that is called, or None for a text.
        finish: `stop`, `length` or `tool_calls`.
    """

    tokens: tuple[str, ...]
    tool: str | None = None
    finish: str = "stop"

    @property
    def text(self) -> str:
        """The pieces joined."""
        return "".join(self.tokens)


@dataclass(frozen=True, slots=True)
class Reply:
    """A chat completion before it takes its form on the wire.

    Attributes:
        id: `chatcmpl-...`.
        created: seconds since the epoch.
        model: the name that the request gave.
        choices: at least one.
        prompt_tokens: tokens counted in the request.
    """

    id: str
    created: int
    model: str
    choices: tuple[Choice, ...]
    prompt_tokens: int

    @property
    def usage(self) -> dict[str, int]:
        """Token counts as the upstream reports them."""
        answered = sum(len(choice.tokens) for choice in self.choices)
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": answered,
            "total_tokens": self.prompt_tokens + answered,
        }


@dataclass(frozen=True, slots=True)
class Events:
    """A reply as server-sent events, in the order of sending.

    Attributes:
        head: the events before any token: who speaks, and which function is called.
        tokens: one event for each token.
        tail: the finish reasons, the usage where it was asked for, and `[DONE]`.
    """

    head: tuple[bytes, ...]
    tokens: tuple[bytes, ...]
    tail: tuple[bytes, ...]


DONE = b"data: [DONE]\n\n"

_ENCODER = json.JSONEncoder(separators=(",", ":"))


def event(data: Mapping[str, object]) -> bytes:
    """Return one server-sent event that carries a JSON object."""
    return b"data: " + dumps(data) + b"\n\n"


def dumps(value: object) -> bytes:
    """Return a value as compact JSON in ASCII, so that lone surrogates travel as escapes."""
    return _ENCODER.encode(value).encode("ascii")


def as_completion(reply: Reply, *, usage: bool = True) -> bytes:
    """Return the JSON body of a plain answer, with or without its usage."""
    body: dict[str, object] = {
        "id": reply.id,
        "object": "chat.completion",
        "created": reply.created,
        "model": reply.model,
        "choices": [_choice(index, choice) for index, choice in enumerate(reply.choices)],
    }
    if usage:
        body["usage"] = reply.usage
    return dumps(body)


def as_events(reply: Reply, *, usage: bool) -> Events:
    """Return the events of a streamed answer; with `usage`, its chunk comes before `[DONE]`."""
    chunks = _Chunks(reply, usage=usage)
    indexed = tuple(enumerate(reply.choices))
    finishes = tuple(chunks.finish(index, choice) for index, choice in indexed)
    return Events(
        head=tuple(chunks.head(index, choice) for index, choice in indexed),
        tokens=tuple(one for index, choice in indexed for one in chunks.tokens(index, choice)),
        tail=(*finishes, *chunks.usage(), DONE),
    )


def _choice(index: int, choice: Choice) -> dict[str, object]:
    message: dict[str, object] = {"role": "assistant", "content": choice.text}
    if choice.tool is not None:
        message = {"role": "assistant", "content": None, "tool_calls": [_tool_call(index, choice)]}
    return {"index": index, "message": message, "logprobs": None, "finish_reason": choice.finish}


def _tool_call(index: int, choice: Choice) -> dict[str, object]:
    function = {"name": choice.tool, "arguments": choice.text}
    return {"id": f"call_simulated_{index}", "type": "function", "function": function}


class _Chunks:
    """Builds the chunks of one reply; the parts that never change are encoded once."""

    def __init__(self, reply: Reply, *, usage: bool) -> None:
        self._reply = reply
        self._with_usage = usage
        common = {
            "id": reply.id,
            "object": "chat.completion.chunk",
            "created": reply.created,
            "model": reply.model,
        }
        self._prefix = b"data: " + dumps(common)[:-1] + b',"choices":['
        self._suffix = b'],"usage":null}\n\n' if usage else b"]}\n\n"

    def head(self, index: int, choice: Choice) -> bytes:
        delta: dict[str, object] = {"role": "assistant", "content": ""}
        if choice.tool is not None:
            call = {"index": 0, "id": f"call_simulated_{index}", "type": "function"}
            called = {**call, "function": {"name": choice.tool, "arguments": ""}}
            delta = {"role": "assistant", "content": None, "tool_calls": [called]}
        return self._wrap(dumps({"index": index, "delta": delta, "logprobs": None, "finish_reason": None}))

    def tokens(self, index: int, choice: Choice) -> list[bytes]:
        before, after = (
            (b'{"index":%d,"delta":{"content":' % index),
            b'},"logprobs":null,"finish_reason":null}',
        )
        if choice.tool is not None:
            before = b'{"index":%d,"delta":{"tool_calls":[{"index":0,"function":{"arguments":' % index
            after = b'}}]},"logprobs":null,"finish_reason":null}'
        opening, closing = self._prefix + before, after + self._suffix
        return [opening + dumps(token) + closing for token in choice.tokens]

    def finish(self, index: int, choice: Choice) -> bytes:
        last = {"index": index, "delta": {}, "logprobs": None, "finish_reason": choice.finish}
        return self._wrap(dumps(last))

    def usage(self) -> tuple[bytes, ...]:
        if not self._with_usage:
            return ()
        return (self._prefix + b'],"usage":' + dumps(self._reply.usage) + b"}\n\n",)

    def _wrap(self, choice: bytes) -> bytes:
        return self._prefix + choice + self._suffix
