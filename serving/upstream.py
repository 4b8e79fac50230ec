"""The OpenAI SDK, as far as this package leans on it: the one module that imports it.

The router is a subclass of the SDK's client, so that everything the SDK can do keeps working. Four seams of
the SDK carry it; whoever upgrades the SDK looks here first, and the tests in `tests/serving` go through each:

- every chat completion (`create`, `parse`, `stream`, raw or not) goes through `client.post`;
- `post` takes an absolute URL and headers, which is how a call goes through another channel;
- `post` hands what it has parsed to the option `post_parser`, also when a raw response is parsed later;
- `post` takes the class of the stream that it returns.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from httpx2 import Request, Response, Timeout
from openai import (
    APIConnectionError,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AsyncOpenAI,
    AsyncStream,
    OpenAI,
    OpenAIError,
    Stream,
)
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessage
from openai.types.chat.chat_completion_chunk import Choice as ChunkChoice
from openai.types.chat.chat_completion_chunk import ChoiceDelta

__all__ = [
    "CHAT_COMPLETIONS",
    "FAILURES",
    "PARSER_COMPLAINTS",
    "APIConnectionError",
    "APIError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncOpenAI",
    "AsyncStream",
    "BrokenAnswerError",
    "ChatCompletion",
    "ChatCompletionChunk",
    "ChunkChoice",
    "OpenAI",
    "Request",
    "Response",
    "Stream",
    "Timeout",
    "check_answer",
    "choices_of",
    "forget_environment",
    "has_token",
    "is_raw",
    "is_streaming_raw",
    "mask_error",
    "said",
    "status_error",
]

CHAT_COMPLETIONS = "/chat/completions"

_RAW_HEADER = "X-Stainless-Raw-Response"  # how the SDK's `with_..._response` wrappers mark a call


class BrokenAnswerError(Exception):
    """A response with status 200 that holds no answer."""


FAILURES = (APIError, BrokenAnswerError, json.JSONDecodeError, UnicodeDecodeError, TimeoutError)
"""What the SDK raises when an attempt fails; the standard library's errors come out of it unwrapped."""

PARSER_COMPLAINTS = (OpenAIError, ValueError, TypeError)
"""What the caller's `response_format` may raise about an answer that arrived in good order."""


def check_answer(parsed: object) -> None:
    """Check that what the SDK made of a response is a chat completion: it validates next to nothing itself.

    Raises:
        BrokenAnswerError: there are no choices in it, or they hold no messages.
    """
    choices = _field(parsed, "choices")
    if isinstance(choices, list) and choices and all(_field(choice, "message") for choice in choices):
        return
    error = _field(parsed, "error")
    if error:
        raise BrokenAnswerError(f"an error with status 200: {_field(error, 'message') or error}")
    what = "text" if isinstance(parsed, str) else "no choices"
    raise BrokenAnswerError(f"status 200 with {what} instead of a chat completion")


def said(message: object) -> str:
    """Return all that a message, or a delta of one, says: its text, its reasoning, its tool calls."""
    if not isinstance(message, ChatCompletionMessage | ChoiceDelta):
        return ""
    pieces: list[object] = [message.content, message.refusal]
    if message.model_extra:  # asked by name: pydantic takes microseconds to say that an attribute is missing
        pieces += [message.model_extra.get(name) for name in ("reasoning_content", "reasoning")]
    for call in message.tool_calls or ():
        function = getattr(call, "function", None)
        pieces += [getattr(function, "name", None), getattr(function, "arguments", None)]
    return "".join(piece for piece in pieces if isinstance(piece, str))


def has_token(choice: ChunkChoice) -> bool:
    """Whether a choice in a chunk carries a part of the answer, or its end; the role alone is neither."""
    if choice.finish_reason:
        return True
    if not isinstance(choice.delta, ChoiceDelta):
        return False
    fields = {**vars(choice.delta), **(choice.delta.model_extra or {})}
    return any(value for name, value in fields.items() if name != "role")


def choices_of(chunk: object) -> list[ChunkChoice]:
    """Return the choices in a chunk, whatever the upstream has sent as one."""
    listed = chunk.choices if isinstance(chunk, ChatCompletionChunk) else None
    return [each for each in listed if isinstance(each, ChunkChoice)] if isinstance(listed, list) else []


def _field(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)


def mask_error(error: Exception, mask: Callable[[str], str]) -> None:
    """Mask what an error says, also in the body that the upstream sent: some upstreams repeat the key."""
    error.args = tuple(_masked(each, mask) for each in error.args)
    if isinstance(error, APIError):
        error.message, error.body = mask(error.message), _masked(error.body, mask)


def _masked(value: Any, mask: Callable[[str], str]) -> Any:
    match value:
        case str():
            return mask(value)
        case dict():
            return {name: _masked(each, mask) for name, each in value.items()}
        case list():
            return [_masked(each, mask) for each in value]
    return value


def status_error(response: Response) -> APIStatusError:
    """Return the SDK's exception for a response with an error status that has been read."""
    words = f"Error code: {response.status_code}"
    try:
        body: Any = json.loads(response.content)
    except (ValueError, RecursionError):
        body = response.text
    details = body.get("error", body) if isinstance(body, Mapping) else body
    message = _field(details, "message")
    if isinstance(message, str) and message:
        words = f"{words} - {message}"
    return APIStatusError(words, response=response, body=details)


def is_raw(options: Mapping[str, Any]) -> bool:
    """Whether the caller came through `with_raw_response`."""
    return _raw_mark(options) == "true"


def is_streaming_raw(options: Mapping[str, Any]) -> bool:
    """Whether the caller came through `with_streaming_response`, and wants to read the body alone."""
    return _raw_mark(options) == "stream"


def _raw_mark(options: Mapping[str, Any]) -> str | None:
    headers = options.get("headers")
    return headers.get(_RAW_HEADER) if headers else None


def forget_environment(client: OpenAI | AsyncOpenAI, options: Mapping[str, Any]) -> None:
    """Drop what the SDK picked up from `OPENAI_*` variables: it belongs to another company's account.

    Args:
        client: a client that was just constructed.
        options: what it was constructed with on purpose, which stays.
    """
    client.organization = options.get("organization")
    client.project = options.get("project")
    client.admin_api_key = options.get("admin_api_key")
    client._custom_headers = dict(options.get("default_headers") or {})
