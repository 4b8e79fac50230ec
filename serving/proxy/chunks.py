"""What upstreams' JSON says, of whole answers and of streams' events; the bytes themselves are passed on."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from serving.cost import Tokens, cached_of
from serving.stream_watch import Piece
from serving.upstream import CHAT_COMPLETIONS, BrokenAnswerError

__all__ = ["CHAT", "EMBEDDINGS", "RESPONSES", "Dialect", "Said", "parsed", "tokens_of"]


class Said(NamedTuple):
    """What a whole answer comes to.

    Attributes:
        tokens: its usage, where the upstream tells it.
        text: all that it says, to count tokens from where it does not.
    """

    tokens: Tokens | None
    text: str


class Dialect(Protocol):
    """How one kind of answer is read.

    Attributes:
        path: below the base URL, that gives such answers.
    """

    path: str

    def said(self, answer: object) -> Said:
        """Return what a whole answer comes to.

        Raises:
            BrokenAnswerError: it is none.
        """

    def piece(self, chunk: object, *, begun: bool) -> Piece:
        """Return what an event of a stream comes to, whatever the upstream has sent as one.

        Args:
            chunk: as parsed from the event.
            begun: whether the first token has come, so that nothing need be looked for any more.
        """

    def is_plain(self, events: bytes, count: int) -> bool:
        """Whether events behind the first token carry more of the answer alone, judged by their bytes.

        That is quick, and in doubt it is False: for an end, a usage, an error, and what is oddly written.

        Args:
            events: one or more, whole.
            count: how many.
        """

    def failure(self, chunk: object) -> str:
        """Return what an event says of a failure; empty when it is none."""


def parsed(data: bytes) -> Any:
    """Return the JSON in some bytes.

    Raises:
        BrokenAnswerError: there is none, or such that no client could read it.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BrokenAnswerError(f"broken JSON: {error}") from error


def tokens_of(usage: object) -> Tokens | None:
    """Return the tokens of a `usage` object; None where it holds no usable counts.

    >>> tokens_of({"prompt_tokens": 3, "completion_tokens": 4})
    Tokens(input=3, output=4, estimated=False, cached=0)
    >>> tokens_of({"input_tokens": 3, "output_tokens": 4, "input_tokens_details": {"cached_tokens": 2}})
    Tokens(input=3, output=4, estimated=False, cached=2)
    """
    match usage:
        case {"prompt_tokens": int() as prompt, "completion_tokens": int() as answer}:
            details = usage.get("prompt_tokens_details")  # type: ignore[attr-defined]
        case {"input_tokens": int() as prompt, "output_tokens": int() as answer}:
            details = usage.get("input_tokens_details")  # type: ignore[attr-defined]
        case _:
            return None
    told = details.get("cached_tokens") if isinstance(details, Mapping) else None
    return Tokens(prompt, answer, cached=cached_of(told, prompt)) if prompt >= 0 and answer >= 0 else None


class _Chat:
    path = CHAT_COMPLETIONS

    def said(self, answer: object) -> Said:
        match answer:
            case {"choices": [_, *_] as choices} if all(_is_message(choice) for choice in choices):
                text = "".join(_text_of(choice["message"]) for choice in choices)
                return Said(tokens_of(answer.get("usage")), text)  # type: ignore[attr-defined]
        raise _not_an_answer(answer, "choices instead of a chat completion")

    def piece(self, chunk: object, *, begun: bool) -> Piece:
        listed = chunk.get("choices") if isinstance(chunk, Mapping) else None
        choices = [each for each in listed if isinstance(each, Mapping)] if isinstance(listed, list) else []
        usage = chunk.get("usage") if isinstance(chunk, Mapping) else None
        return Piece(
            said="".join([_text_of(choice.get("delta")) for choice in choices]),
            has_token=begun or any(_has_token(choice) for choice in choices),
            has_choices=bool(choices),
            finished=any(choice.get("finish_reason") is not None for choice in choices),
            has_usage=usage is not None,
            tokens=tokens_of(usage),
        )

    def is_plain(self, events: bytes, count: int) -> bool:
        return (
            events.startswith(b"data: {")
            and events.count(b"data: {") == count == events.count(b"}\n\n")
            and b'"error"' not in events
            and _is_null(b'"finish_reason"', events)
            and _is_null(b'"usage"', events)
        )

    def failure(self, chunk: object) -> str:
        return _error_in(chunk)


class _Responses:
    path = "/responses"

    def said(self, answer: object) -> Said:
        match answer:
            case {"object": "response", "output": list() as output}:
                return Said(tokens_of(answer.get("usage")), "".join(map(_output_text, output)))  # type: ignore[attr-defined]
        raise _not_an_answer(answer, "a response object")

    def piece(self, chunk: object, *, begun: bool) -> Piece:
        event = chunk if isinstance(chunk, Mapping) else {}
        kind, inner = f"{event.get('type')}", event.get("response")
        finished = kind in ("response.completed", "response.incomplete", "response.failed")
        usage = inner.get("usage") if finished and isinstance(inner, Mapping) else None
        delta = event.get("delta") if kind.endswith(".delta") else ""
        return Piece(
            said=delta if isinstance(delta, str) else "",
            has_token=begun or finished or kind.endswith(".delta"),
            has_choices=True,  # every event is the client's
            finished=finished,
            has_usage=usage is not None,
            tokens=tokens_of(usage),
        )

    def is_plain(self, events: bytes, count: int) -> bool:  # noqa: ARG002
        return False

    def failure(self, chunk: object) -> str:
        match chunk:
            case {"type": "error", "message": message}:
                return f"{message}"
            case {"type": "response.failed", "response": inner}:
                return _error_in(inner) or "the response failed"
        return _error_in(chunk)


class _Embeddings:
    path = "/embeddings"

    def said(self, answer: object) -> Said:
        match answer:
            case {"data": list(), "usage": {"prompt_tokens": int() as prompt}} if prompt >= 0:
                return Said(Tokens(prompt, 0), "")
            case {"data": list()}:
                return Said(None, "")
        raise _not_an_answer(answer, "embeddings")

    def piece(self, chunk: object, *, begun: bool) -> Piece:  # noqa: ARG002
        return Piece("", has_token=True, has_choices=True, finished=True, has_usage=False, tokens=None)

    def is_plain(self, events: bytes, count: int) -> bool:  # noqa: ARG002
        return False

    def failure(self, chunk: object) -> str:
        return _error_in(chunk)


CHAT: Dialect = _Chat()
RESPONSES: Dialect = _Responses()
EMBEDDINGS: Dialect = _Embeddings()


def _is_null(name: bytes, events: bytes) -> bool:
    """Whether a member is null wherever it stands; in a string its quotes are escaped, so it is not met."""
    return events.count(name) == events.count(name + b":null") + events.count(name + b": null")


def _not_an_answer(answer: object, expected: str) -> BrokenAnswerError:
    error = _error_in(answer)
    if error:
        return BrokenAnswerError(f"an error with status 200: {error}")
    return BrokenAnswerError(f"status 200 without {expected}")


def _error_in(answer: object) -> str:
    error = answer.get("error") if isinstance(answer, Mapping) else None
    if not error:
        return ""
    words = error.get("message") if isinstance(error, Mapping) else None
    return f"{words or error}"


def _is_message(choice: object) -> bool:
    return isinstance(choice, Mapping) and isinstance(choice.get("message"), Mapping)


def _has_token(choice: Mapping[str, Any]) -> bool:
    delta = choice.get("delta")
    if choice.get("finish_reason"):
        return True
    return isinstance(delta, Mapping) and any(value for name, value in delta.items() if name != "role")


def _text_of(message: object) -> str:
    if not isinstance(message, Mapping):
        return ""
    pieces = [message.get(name) for name in ("content", "refusal", "reasoning_content", "reasoning")]
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, Sequence) else ():
        function = call.get("function") if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            pieces += [function.get("name"), function.get("arguments")]
    return "".join(piece for piece in pieces if isinstance(piece, str))


def _output_text(item: object) -> str:
    if not isinstance(item, Mapping):
        return ""
    content = item.get("content")
    parts = (
        [part.get("text") for part in content if isinstance(part, Mapping)]
        if isinstance(content, list)
        else []
    )
    parts += [item.get("name"), item.get("arguments")]
    return "".join(part for part in parts if isinstance(part, str))
