"""Who may ask what, and how often: keys, known models, requests a minute."""

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil

from serving.sandbox.refusals import Refusal

_WINDOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True, repr=False)
class AcceptedKeys:
    """The keys that the simulated upstream accepts.

    Attributes:
        standard: the key of the standard channel.
        pro: the key of the Pro channel, alone good for models named `Pro/...`; None closes that channel.
    """

    standard: str
    pro: str | None = None

    def __repr__(self) -> str:
        return f"AcceptedKeys(standard=****, pro={'None' if self.pro is None else '****'})"

    def refusal(self, headers: Mapping[str, str], model: str) -> Refusal | None:
        """Return 401 for an unknown key, 403 for a Pro model without the Pro key, None when all is well."""
        given = headers.get("authorization", "").removeprefix("Bearer ")
        if not given or given not in (self.standard, self.pro):
            return Refusal(401, "the API key is missing or not known here", "invalid_api_key")
        if model.startswith("Pro/") and given != self.pro:
            return Refusal(403, f"the model {model} needs a key of the Pro channel", "pro_key_required")
        return None


class RateLimit:
    """Lets a number of requests through in any sixty seconds, for each key."""

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        """Keep the limit and the clock (seconds, from any origin)."""
        self._per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._passed: dict[str, deque[float]] = {}

    def refusal(self, headers: Mapping[str, str]) -> Refusal | None:
        """Count one request; return 429 with the seconds to wait when there were too many."""
        now = self._clock()
        with self._lock:
            passed = self._passed.setdefault(headers.get("authorization", ""), deque())
            while passed and passed[0] <= now - _WINDOW_SECONDS:
                passed.popleft()
            if len(passed) < self._per_minute:
                passed.append(now)
                return None
            wait = ceil(passed[0] + _WINDOW_SECONDS - now)
        message = f"more than {self._per_minute} requests a minute; try again in {wait} s"
        return Refusal(429, message, "rate_limit_exceeded", (("retry-after", str(wait)),))

    def clear(self) -> None:
        """Forget what was counted."""
        with self._lock:
            self._passed.clear()


def unknown_model(model: str) -> Refusal:
    """Return the 404 for a model that is not listed."""
    return Refusal(404, f"the model {model!r} does not exist here", "model_not_found")
