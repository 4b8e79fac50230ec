"""Whether an answer is whole and good, so that it may stand for the next one to the same request.

An answer that ended at a token limit is: the limit stands in the request, and the next one would end there
too. What a content filter cut short, what says nothing at all, and a stream without its last event are not.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from serving.proxy.chunks import RESPONSES, Dialect, parsed
from serving.proxy.events import DONE, EventCutter, data_of
from serving.upstream import CHAT_COMPLETIONS, BrokenAnswerError

__all__ = ["is_whole"]

_FINISHED = frozenset({"stop", "length", "tool_calls", "function_call"})


def is_whole(dialect: Dialect, body: bytes, *, streamed: bool) -> bool:
    """Return whether an answer, as the client got it, may be kept.

    Args:
        dialect: of the answer.
        body: one JSON object, or a stream's events.
        streamed: which of the two.
    """
    try:
        if streamed:
            return _is_whole_stream(dialect, [data for data in _data(body) if data is not None])
        answer = parsed(body)
        said = dialect.said(answer).text
    except BrokenAnswerError:
        return False
    if dialect.path == CHAT_COMPLETIONS:
        return bool(said) and all(each.get("finish_reason") in _FINISHED for each in answer["choices"])
    if dialect is RESPONSES:
        return bool(said) and _is_complete(answer)
    return bool(answer["data"])


def _is_whole_stream(dialect: Dialect, events: list[bytes]) -> bool:
    if dialect is RESPONSES:
        last = parsed(events[-1]) if events else None
        return isinstance(last, Mapping) and _is_complete(last.get("response"))
    if dialect.path != CHAT_COMPLETIONS or not events or events[-1] != DONE:
        return False
    chunks = [parsed(event) for event in events[:-1]]
    said = any(dialect.piece(chunk, begun=True).said for chunk in chunks)
    return said and all(reason in _FINISHED for reason in _reasons(chunks).values())


def _reasons(chunks: Iterable[object]) -> Mapping[object, object]:
    """The finish reason of each choice, None where it has none."""
    reasons: dict[object, object] = {}
    for chunk in chunks:
        choices = chunk.get("choices") if isinstance(chunk, Mapping) else None
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, Mapping):
                index = f"{choice.get('index')}"
                reasons[index] = choice.get("finish_reason") or reasons.get(index)
    return reasons or {"": None}


def _is_complete(response: Any) -> bool:
    match response:
        case {"status": "completed"}:
            return True
        case {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}:
            return True
    return False


def _data(body: bytes) -> Iterable[bytes | None]:
    cutter = EventCutter()
    yield from map(data_of, cutter.feed(body))
    yield data_of(cutter.rest())
