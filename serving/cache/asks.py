"""The ask of a request, apart from everything that its answer depends on beside."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

from serving.cache.differences import LONGEST
from serving.cache.request_key import Place, canonical

__all__ = ["Ask", "ask_of"]

_FORM = 1  # of what is hashed; a change of meaning needs another number
_TEXTS = ("text", "input_text", "output_text")
_EXCLUDED = (  # what answers by more than words, or from more than the request
    "tools",
    "functions",
    "audio",
    "web_search_options",
    "conversation",
    "previous_response_id",
    "background",
    "prompt",
    "store",
)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a request asks.

    Attributes:
        text: the last user turn's words, which alone are embedded.
        bucket: digest of all the rest, the turns before and the parameters included.
    """

    text: str
    bucket: str


def ask_of(place: Place, body: Mapping[str, Any], embedding: str) -> Ask | None:
    """Return the ask of a request, or None of one whose answer cannot serve another.

    It ends in a user's turn that is text alone, of 1 to 2,000 characters; it has no tools, pictures or
    sounds, wants one answer in text, and rests on nothing that the provider keeps.

    Args:
        place: what the answer depends on beside the body.
        body: normalised, its values of any type.
        embedding: what tells the embedding model apart from others.

    Raises:
        RecursionError: the body is nested too deeply.
    """
    name = {"/chat/completions": "messages", "/responses": "input"}.get(place.path)
    if name is None or any(body.get(each) for each in _EXCLUDED) or body.get("n") not in (None, 1):
        return None
    if body.get("modalities") not in (None, ["text"]):
        return None
    turns = body.get(name)
    if isinstance(turns, str) and name == "input":
        turns = [{"role": "user", "content": turns}]
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, Mapping) for turn in turns):
        return None
    text = None if not all(map(_is_text, turns)) else _words(turns[-1])
    if text is None or not 0 < len(text) <= LONGEST:
        return None
    rest = {**body, name: [*turns[:-1], {**turns[-1], "content": None}]}
    told = {"form": _FORM, "place": asdict(place), "body": rest, "embedding": embedding}
    return Ask(text, sha256(canonical(told).encode()).hexdigest())


def _words(turn: Mapping[str, Any]) -> str | None:
    """Return the words of a user's turn; None where it is another's."""
    if turn.get("role") != "user" or turn.get("type") not in (None, "message"):
        return None
    content = turn.get("content")
    if isinstance(content, str):
        return content.strip()
    return "\n".join(f"{part['text']}" for part in content or ()).strip()


def _is_text(turn: Mapping[str, Any]) -> bool:
    content: Sequence[Any] | None = turn.get("content")
    if content is None or isinstance(content, str):
        return not turn.get("audio")
    if not isinstance(content, list):
        return False
    return all(
        isinstance(part, Mapping) and part.get("type") in _TEXTS and isinstance(part.get("text"), str)
        for part in content
    )
