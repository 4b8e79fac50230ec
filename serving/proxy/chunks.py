"""What chat completions and their chunks say, read from plain JSON; the bytes themselves are passed on."""

from collections.abc import Mapping, Sequence
from typing import Any

from serving.cost import Tokens
from serving.stream_watch import Piece
from serving.upstream import BrokenAnswerError

__all__ = ["check_completion", "piece_of", "said_in", "tokens_of"]


def tokens_of(usage: object) -> Tokens | None:
    """Return the tokens of a `usage` object; None where it holds no usable counts.

    >>> tokens_of({"prompt_tokens": 3, "completion_tokens": 4})
    Tokens(input=3, output=4, estimated=False)
    """
    match usage:
        case {"prompt_tokens": int() as prompt, "completion_tokens": int() as answer}:
            return Tokens(prompt, answer) if prompt >= 0 and answer >= 0 else None
    return None


def check_completion(body: object) -> Mapping[str, Any]:
    """Return a body that is a chat completion.

    Raises:
        BrokenAnswerError: there are no choices in it, or they hold no messages.
    """
    match body:
        case {"choices": [_, *_] as choices} if all(_message(choice) for choice in choices):
            return body  # type: ignore[return-value]
        case {"error": error} if error:
            words = error.get("message") if isinstance(error, Mapping) else None
            raise BrokenAnswerError(f"an error with status 200: {words or error}")
    raise BrokenAnswerError("status 200 without choices instead of a chat completion")


def said_in(completion: Mapping[str, Any]) -> str:
    """Return all that the choices of a completion say: text, reasoning, tool calls."""
    return "".join(_said(choice.get("message")) for choice in completion["choices"])


def piece_of(chunk: object, *, begun: bool) -> Piece:
    """Return what a chunk of a stream comes to, whatever the upstream has sent as one.

    Args:
        chunk: as parsed from the event.
        begun: whether the first token has come, so that nothing need be looked for any more.
    """
    listed = chunk.get("choices") if isinstance(chunk, Mapping) else None
    choices = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
    usage = chunk.get("usage") if isinstance(chunk, Mapping) else None
    return Piece(
        said="".join([_said(choice.get("delta")) for choice in choices]),
        has_token=begun or any(_has_token(choice) for choice in choices),
        has_choices=bool(choices),
        finished=any(choice.get("finish_reason") is not None for choice in choices),
        has_usage=usage is not None,
        tokens=tokens_of(usage),
    )


def _message(choice: object) -> bool:
    return isinstance(choice, Mapping) and isinstance(choice.get("message"), Mapping)


def _has_token(choice: Mapping[str, Any]) -> bool:
    delta = choice.get("delta")
    if choice.get("finish_reason"):
        return True
    return isinstance(delta, Mapping) and any(value for name, value in delta.items() if name != "role")


def _said(message: object) -> str:
    if not isinstance(message, Mapping):
        return ""
    pieces = [message.get(name) for name in ("content", "refusal", "reasoning_content", "reasoning")]
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, Sequence) else ():
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            pieces += [function.get("name"), function.get("arguments")]
    return "".join(piece for piece in pieces if isinstance(piece, str))
