"""What kind of turn a request is, from the end of its messages alone."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from classifier.follow_up import is_assent, is_closing
from classifier.reading import read
from serving.cost import estimate_prompt
from serving.sessions.session_id import role_of
from serving.spending.call_size import prompt_characters

__all__ = ["Kind", "fresh_tokens", "kind_of"]

_SHORT = 60  # characters; where the classifier's own measure of brevity has fallen to 1/e
_LOOKED_AT = 64  # messages from the end
_COUNTED = 2**16  # characters; beyond them a character is a quarter of a token, whatever its script


class Kind(enum.Enum):
    """What a turn is to the conversation."""

    ASK = "an ask of its own"
    FOLLOW_UP = "a short follow-up"
    ASSENT = "a go-ahead"
    TOOL = "a turn that only carries a tool's result"


@dataclass(frozen=True, slots=True)
class _Last:
    text: str
    has_attachment: bool


def kind_of(messages: Sequence[Any]) -> Kind:
    """Return what kind of turn ends a conversation.

    Args:
        messages: OpenAI messages that the classifier could read.

    >>> kind_of([{"role": "user", "content": "and in French?"}])
    <Kind.FOLLOW_UP: 'a short follow-up'>
    """
    latest = messages[-_LOOKED_AT:]
    if latest and role_of(latest[-1]) in ("tool", "function"):
        return Kind.TOOL
    last = _last_turn(latest)
    if last.has_attachment:
        return Kind.ASK
    if is_assent(last.text):
        return Kind.ASSENT
    return Kind.FOLLOW_UP if len(last.text) <= _SHORT or is_closing(last.text) else Kind.ASK


def fresh_tokens(messages: Sequence[Any]) -> int:
    """Return about how many tokens the messages have that came since the last request."""
    characters = prompt_characters(messages)
    return characters // 4 if characters > _COUNTED else estimate_prompt({"messages": messages})


def _last_turn(messages: Sequence[Any]) -> _Last:
    """What the human said last, injected blocks aside."""
    for message in reversed(messages):
        if role_of(message) == "user":
            reading = read([message])
            has_attachment = reading.images + reading.audios + reading.files > 0
            if has_attachment or reading.turns[-1].strip():
                return _Last(reading.turns[-1].strip(), has_attachment)
    return _Last("", has_attachment=True)
