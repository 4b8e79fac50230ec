"""What is remembered of conversations: how each was last answered; bounded in number and in age."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from classifier.tier import Tier

__all__ = ["Memory", "Remembered"]


@dataclass(frozen=True, slots=True)
class Remembered:
    """How a conversation was last answered.

    Attributes:
        tier: that it has: the one settled on, or that of the model which answered where that is lower.
        model: that answered, whose provider has the prompt cached.
        input_tokens: of that prompt.
        output_tokens: of the answer, or None when unknown.
        at: when the answer ended, seconds by the clock of whoever remembers.
    """

    tier: Tier
    model: str
    input_tokens: int
    output_tokens: int | None
    at: float


class Memory:
    """The latest conversations, the least recently answered forgotten first; safe to share among threads."""

    def __init__(self, most: int) -> None:
        """Remember nothing yet.

        Args:
            most: conversations to remember.
        """
        self._most = most
        self._found: OrderedDict[Hashable, Remembered] = OrderedDict()
        self._lock = threading.RLock()  # a stream that is dropped, not closed, ends inside any allocation

    def find(self, key: Hashable, since: float) -> Remembered | None:
        """Return what is remembered of a conversation that was answered at a moment or after it."""
        with self._lock:
            found = self._found.get(key)
        return found if found is not None and found.at >= since else None

    def put(self, key: Hashable, remembered: Remembered, since: float) -> None:
        """Remember how a conversation was answered, unless a later answer is known.

        Args:
            key: of the conversation.
            remembered: how it was answered.
            since: answers from before are forgotten.
        """
        with self._lock:
            known = self._found.get(key)
            if known is None or known.at <= remembered.at:
                self._found[key] = remembered
                self._found.move_to_end(key)
            self._forget(since)

    def resize(self, most: int) -> None:
        """Remember so many conversations from now on."""
        with self._lock:
            self._most = most
            self._forget(float("-inf"))

    def __len__(self) -> int:
        return len(self._found)

    def _forget(self, since: float) -> None:
        while self._found:
            oldest = next(iter(self._found.values()))
            if len(self._found) <= self._most and oldest.at >= since:
                return
            self._found.popitem(last=False)
