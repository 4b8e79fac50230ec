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

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from classifier.injected import strip_injected

__all__ = ["SESSION_HEADER", "SessionId", "identify", "is_anonymous", "role_of"]

SESSION_HEADER = "x-tierwise-session"
"""The header in which callers name a conversation, and in which the proxy tells which one it took it for."""

_END = 4096  # characters of a long text that are read at either end
_LATEST = 32  # messages that tell a place
_FIRST = 64  # messages in which the first turns are looked for
_NAME_DIGITS = 24
_WORDS, _PERSON = "t", "u"  # what a name was told from: the words alone, or a `user` as well
_ANONYMOUS = rf"{_WORDS}-[0-9a-f]{{{_NAME_DIGITS}}}"
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
        place = _digest([b"named", scope.encode(), given.encode("utf-8", "surrogatepass")])
        return SessionId(given, place, place, (given,) if answered else (), answered)
    talk = _Talk(messages, scope, user)
    name = talk.name(len(messages))
    if not answered:
        return SessionId(name, talk.place(len(messages)), None, (), 0)
    provisional = talk.name(answered)  # the same name, from the second answer on
    known_as = tuple(dict.fromkeys((name, provisional)))
    return SessionId(name, talk.place(len(messages)), talk.place(answered), known_as, answered)


def is_anonymous(name: str) -> bool:
    """Return whether a name was told from the words alone, so that people who say the same share it.

    >>> is_anonymous(identify([{"role": "user", "content": "hi"}]).name), is_anonymous("my conversation")
    (True, False)
    """
    return re.fullmatch(_ANONYMOUS, name) is not None


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


class _Talk:
    """The messages of an unnamed conversation; each is read at most once."""

    def __init__(self, messages: Sequence[Any], scope: str, user: str | None) -> None:
        self._messages = messages
        self._user = user
        self._salt = [b"unnamed", scope.encode(), (user or "").encode("utf-8", "surrogatepass")]
        self._read: dict[int, bytes] = {}

    def name(self, end: int) -> str:
        """The name that the conversation has after so many messages."""
        digest = _digest([*self._salt, *map(self._told, self._opening(end))])
        return f"{_WORDS if self._user is None else _PERSON}-{digest[:_NAME_DIGITS]}"

    def place(self, end: int) -> str:
        """What tells the conversation after so many messages apart from all others."""
        name, latest = self.name(end), range(max(0, end - _LATEST), end)
        return _digest([name.encode(), str(end).encode(), *map(self._told, latest)])

    def _opening(self, end: int) -> Iterator[int]:
        """The system prompt, the human's first turn, and the answer to it where there is one."""
        human = False
        for number in range(min(end, _FIRST)):
            role = role_of(self._messages[number])
            if role in _SYSTEM or (role == "user" and not human):
                yield number
            elif role in _ANSWERS and human:
                yield number
                return
            human = human or role == "user"

    def _told(self, number: int) -> bytes:
        """What a message says, of long ones the length and both ends; without what agents inject."""
        found = self._read.get(number)
        if found is None:
            message = self._messages[number]
            role, text = role_of(message), _text(_field(message, "content"))
            if role == "user":
                text, _ = strip_injected(text)
            ends = text if len(text) <= 2 * _END else f"{text[:_END]}{text[-_END:]}"
            found = self._read[number] = f"{role} {len(text)} {ends}".encode("utf-8", "surrogatepass")
        return found


def _digest(parts: Iterable[bytes]) -> str:
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        return ""
    texts = (_field(part, "text") for part in content)
    return "".join(text for text in texts if isinstance(text, str))


def _field(holder: Any, name: str) -> Any:
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)
