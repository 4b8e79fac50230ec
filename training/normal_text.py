"""The text by which rows are compared: what two prompts share when they are the same but for their typing."""

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence

__all__ = ["normal_text", "normalise"]


def normalise(text: str) -> str:
    r"""Return `text` without its differences of case, width, composition and spacing.

    Unicode NFKC, case folding, NFKC again (folding can undo it), and every run of white space as one space.

    >>> normalise("  Ｗhat is\n a MONAD? ")
    'what is a monad?'
    """
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(unicodedata.normalize("NFKC", folded).split())


def normal_text(prompt: str | Sequence[Mapping[str, object]]) -> str:
    r"""Return the normalised text of a prompt, or of a conversation with the roles of its turns.

    A conversation gives one line a turn, `role: text`; one that is a single user turn gives the same text as
    that turn as a plain prompt. Images, files and tool calls stand in it as a digest of their JSON.

    >>> normal_text([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello!"}])
    'user: hi\nassistant: hello!'
    """
    if isinstance(prompt, str):
        return normalise(prompt)
    turns = [(str(message.get("role", "")), _turn(message)) for message in prompt]
    if len(turns) == 1 and turns[0][0] == "user":
        return turns[0][1]
    return "\n".join(f"{role}: {text}" for role, text in turns)


def _turn(message: Mapping[str, object]) -> str:
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    pieces = [_piece(part) for part in parts if part is not None]
    calls = message.get("tool_calls")
    return " ".join([*pieces, _marker(calls)] if calls else pieces)


def _piece(part: object) -> str:
    if isinstance(part, str):
        return normalise(part)
    if isinstance(part, Mapping) and isinstance(part.get("text"), str):
        return normalise(part["text"])
    return _marker(part)


def _marker(part: object) -> str:
    canonical = json.dumps(part, sort_keys=True, default=str).encode()
    return f"[{hashlib.blake2b(canonical, digest_size=8).hexdigest()}]"
