"""So many requests in any minute, and no more: how long the next one has to wait.

Own code, because what is asked for is a decision without a wait: at which moment a request may go, if that
is soon enough, and the place given back when it is not sent. pyrate-limiter 4 and aiolimiter do their waiting
themselves (in calls of their own for threads and for asyncio), and limits 5.8 reads `time.time` and cannot
give a place back or promise one for later.
"""

import threading
from collections import deque
from collections.abc import Callable

__all__ = ["Limiter"]

_MINUTE = 60.0


class Limiter:
    """A sliding log of the last requests; safe to use from several threads.

    At no moment have more than `per_minute` requests been let through in the 60 seconds before.

    Attributes:
        per_minute: how many requests; it may be changed, and what was sent before still counts.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float]) -> None:
        """Begin with a minute's room.

        Args:
            per_minute: how many requests, at least 1.
            clock: seconds, from any start, never going back.
        """
        self.per_minute = per_minute
        self._clock = clock
        self._lock = threading.RLock()
        self._moments: deque[float] = deque()

    def wait(self) -> float:
        """Return after how many seconds the next request may go, 0 for now; takes no place."""
        with self._lock:
            return max(0.0, self._next() - self._clock())

    def take(self, longest: float) -> float | None:
        """Take a place; return its moment by the clock, or None when none is free in `longest` seconds."""
        with self._lock:
            now = self._clock()
            moment = max(now, self._next())
            if moment - now > longest:
                return None
            self._moments.append(moment)
            return moment

    def give_back(self, moment: float) -> None:
        """Give back the place of a request that was not sent."""
        with self._lock:
            if moment in self._moments:
                self._moments.remove(moment)

    def _next(self) -> float:
        """The moment from which there is room: never before one that was promised to an earlier request."""
        now = self._clock()
        while self._moments and self._moments[0] <= now - _MINUTE:
            self._moments.popleft()
        taken = len(self._moments)
        if taken < self.per_minute:
            return self._moments[-1] if taken else now
        return max(self._moments[-1], self._moments[taken - self.per_minute] + _MINUTE)
