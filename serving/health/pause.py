"""How long each model is left alone because it asked for it (`Retry-After`)."""

import math
import threading
from collections.abc import Callable

__all__ = ["Pause"]


class Pause:
    """Until when one model is not asked; safe to use from several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin without a pause, by a clock in seconds that never goes back."""
        self._clock = clock
        self._lock = threading.RLock()
        self._until = -math.inf
        self._status = 0

    def extend(self, seconds: float, status: int) -> None:
        """Leave it alone for so many seconds from now, or longer if that was asked before."""
        with self._lock:
            until = self._clock() + seconds
            if until > self._until:
                self._until, self._status = until, status

    @property
    def is_on(self) -> bool:
        """Whether the model is left alone now."""
        return self._until > self._clock()

    def left(self) -> tuple[float, int]:
        """Return the seconds left, 0 without a pause, and the status that the model answered with."""
        with self._lock:
            return max(0.0, self._until - self._clock()), self._status
