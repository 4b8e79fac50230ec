"""Which conversation a request belongs to: as the caller names it, or told from what has been said.

A caller's name is taken at its word, within one API key. Without one, the conversation's first turns name it:
the system prompt, the first thing that the human said, and the first answer, once there is one; a first
request has a provisional name for that reason. A `user` is a person with many conversations, so it is only
mixed in.

Many conversations begin alike ("hi", "Hello! How can I help?") and would share one name. So what is
remembered of an unnamed one stands under its place: the name, how many messages there were, and the last of
them. The next request of the conversation repeats them all before its last answer, and no other one does;
providers' prompt caches know conversations by the same sign. Only the ledger, which is asked after a restart
or by another replica, knows them by name alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from classifier.injected import strip_injected

__all__ = ["SESSION_HEADER", "SessionId", "identify", "role_of"]

SESSION_HEADER = "x-tierwise-session"
"""The header in which callers name a conversation, and in which the proxy tells which one it took it for."""

_END = 4096  # characters of a long text that are read at either end
_LATEST = 32  # messages that tell a place
_FIRST = 64  # messages in which the first turns are looked for
_ANSWERS = frozenset({"assistant"})
_SYSTEM = frozenset({"system", "developer"})


@dataclass(frozen=True, slots=True)
class SessionId:
    """Which conversation a request belongs to, and where it stands in it.

    Attributes:
        name: as callers and the ledger know the conversation; of an unnamed one, nothing can be read from it.
        place: under which the answer to this request is remembered.
        previous: under which the answer before is remembered; None where the conversation begins.
        known_as: the names under which the ledger may know the answer before; none where it begins.
        answered: how many messages were there before the last answer: what comes after them is new.
    """

    name: str
    place: str
    previous: str | None
    known_as: tuple[str, ...]
    answered: int


def identify(
    messages: Sequence[Any], *, scope: str = "", given: str | None = None, user: str | None = None
) -> SessionId:
    """Return which conversation a request belongs to; the time that it takes is bounded.

    Args:
        messages: OpenAI messages, mappings or objects.
        scope: within which names mean something: the caller's API key.
        given: the caller's own name of the conversation.
        user: the person, as the request tells it.

    >>> first = [{"role": "user", "content": "Prove it."}]
    >>> second = [*first, {"role": "assistant", "content": "So be it."}, {"role": "user", "content": "Go on"}]
    >>> identify(second).previous == identify(first).place, identify(first).previous is None
    (True, True)
    >>> identify(second, scope="another key").previous == identify(first).place
    False
    """
    answered = _answered(messages)
    if given is not None:
        place = _digest(["named", scope, given])
        return SessionId(given, place, place, (given,) if answered else (), answered)
    salt = ["unnamed", scope, user or ""]
    name = _name(salt, messages)
    if not answered:
        return SessionId(name, _place(name, messages), None, (), 0)
    before = messages[:answered]
    provisional = _name(salt, before)  # the same name, from the second answer on
    known_as = tuple(dict.fromkeys((name, provisional)))
    return SessionId(name, _place(name, messages), _place(provisional, before), known_as, answered)


def role_of(message: Any) -> object:
    """Return the role of a message."""
    return _field(message, "role")


def _answered(messages: Sequence[Any]) -> int:
    """How many messages come before the last answer, which may be several messages long; 0 without one."""
    place = len(messages)
    while place and role_of(messages[place - 1]) not in _ANSWERS:
        place -= 1
    while place and role_of(messages[place - 1]) in _ANSWERS:
        place -= 1
    return place


def _name(salt: Sequence[str], messages: Sequence[Any]) -> str:
    return f"t-{_digest([*salt, *map(_told, _opening(messages))])[:24]}"


def _opening(messages: Sequence[Any]) -> list[Any]:
    """The system prompt, the human's first turn, and the answer to it where there is one."""
    opening: list[Any] = []
    human = False
    for message in messages[:_FIRST]:
        role = role_of(message)
        if role in _SYSTEM or (role == "user" and not human):
            opening.append(message)
        elif role in _ANSWERS and human:
            return [*opening, message]
        human = human or role == "user"
    return opening


def _place(name: str, messages: Sequence[Any]) -> str:
    return _digest([name, str(len(messages)), *map(_told, messages[-_LATEST:])])


def _digest(parts: Iterable[str]) -> str:
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _told(message: Any) -> str:
    """What a message says, of long ones the length and both ends; without what agents inject and take out."""
    role, text = role_of(message), _text(_field(message, "content"))
    if role == "user":
        text, _ = strip_injected(text)
    ends = text if len(text) <= 2 * _END else f"{text[:_END]}{text[-_END:]}"
    return f"{role} {len(text)} {ends}"


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        return ""
    texts = (_field(part, "text") for part in content)
    return "".join(text for text in texts if isinstance(text, str))


def _field(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
