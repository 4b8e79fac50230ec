"""What a sandbox has received, and which faults it is to show next. Safe to use from several threads."""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from serving.sandbox.faults import Fault, Normal

_NORMAL = Normal()


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived.

    Attributes:
        path: for example `/v1/chat/completions`.
        headers: names in lower case.
        body: the JSON value of the body, or None when there was none or it did not parse.
        at: seconds since the epoch when the body was complete.
    """

    path: str
    headers: Mapping[str, str] = field(repr=False)  # holds the key
    body: object
    at: float

    @property
    def model(self) -> str | None:
        """The model that the body names."""
        name = self.body.get("model") if isinstance(self.body, dict) else None
        return name if isinstance(name, str) else None


class Ledger:
    """The requests received last, and the scripted faults."""

    def __init__(self, most_requests: int) -> None:
        """Keep at most so many requests; older ones are forgotten."""
        self._lock = threading.Lock()
        self._received: deque[Received] = deque(maxlen=most_requests)
        self._next: dict[str, deque[Fault]] = {}
        self._always: dict[str, Fault] = {}

    def record(self, received: Received) -> None:
        """Add a request."""
        with self._lock:
            self._received.append(received)

    @property
    def requests(self) -> tuple[Received, ...]:
        """The requests, oldest first."""
        with self._lock:
            return tuple(self._received)

    def script(self, target: str, faults: tuple[Fault, ...]) -> None:
        """Queue faults for a target: each is shown once."""
        with self._lock:
            self._next.setdefault(target, deque()).extend(faults)

    def always(self, target: str, fault: Fault) -> None:
        """Show a fault on every request that no queued fault takes."""
        with self._lock:
            self._always[target] = fault

    def fault_for(self, *targets: str) -> Fault:
        """Return, and use up, the next fault queued for the first of the targets that has one."""
        with self._lock:
            for target in targets:
                if self._next.get(target):
                    return self._next[target].popleft()
            return next((self._always[target] for target in targets if target in self._always), _NORMAL)

    def clear(self) -> None:
        """Forget the requests and the faults."""
        with self._lock:
            self._received.clear()
            self._next.clear()
            self._always.clear()
