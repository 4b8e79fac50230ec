"""Counts over a rolling time, kept in a ring of buckets: constant time and memory, whatever the traffic."""

from typing import NamedTuple

__all__ = ["Counts", "RollingWindow"]

_BUCKETS = 12


class Counts(NamedTuple):
    """What a window has seen.

    Attributes:
        calls: whose first token came, or which failed without one.
        failed: which failed, at whatever moment.
        slow: which took too long.
    """

    calls: int = 0
    failed: int = 0
    slow: int = 0

    @property
    def number(self) -> int:
        """How many calls the rates refer to: those that fail late may have begun before the window."""
        return max(self.calls, self.failed)

    @property
    def error_rate(self) -> float | None:
        """The share of calls that failed, in [0, 1]; None without calls."""
        return self.failed / self.number if self.number else None

    @property
    def slow_rate(self) -> float | None:
        """The share of calls that took too long, in [0, 1]; None without calls."""
        return min(1.0, self.slow / self.number) if self.number else None


class RollingWindow:
    """Counts of the last so many seconds, to a twelfth of them; its owner keeps threads apart.

    >>> window = RollingWindow(60.0)
    >>> window.add(0.0, calls=1, failed=1)
    >>> window.add(30.0, calls=1)
    >>> window.counts(59.0)
    Counts(calls=2, failed=1, slow=0)
    >>> window.counts(61.0)
    Counts(calls=1, failed=0, slow=0)
    """

    __slots__ = ("_at", "_calls", "_failed", "_ring", "_slow", "_width")

    def __init__(self, seconds: float) -> None:
        """Begin empty.

        Args:
            seconds: that count, more than 0.
        """
        self._width = seconds / _BUCKETS
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._ring = [[0, 0, 0] for _ in range(_BUCKETS)]
        self._at: int | None = None
        self._calls = self._failed = self._slow = 0

    def add(self, now: float, *, calls: int = 0, failed: int = 0, slow: int = 0) -> None:
        """Count at a moment; a clock that went back counts at the latest moment seen."""
        bucket = self._ring[self._advance(now) % _BUCKETS]
        bucket[0] += calls
        bucket[1] += failed
        bucket[2] += slow
        self._calls += calls
        self._failed += failed
        self._slow += slow

    def counts(self, now: float) -> Counts:
        """Return what the window holds at a moment."""
        self._advance(now)
        return Counts(self._calls, self._failed, self._slow)

    def _advance(self, now: float) -> int:
        current = int(now // self._width)
        last = self._at
        if last is None:
            self._at = current
            return current
        for passed in range(last + 1, min(current, last + _BUCKETS) + 1):
            self._expire(self._ring[passed % _BUCKETS])
        self._at = max(last, current)
        return self._at

    def _expire(self, bucket: list[int]) -> None:
        self._calls -= bucket[0]
        self._failed -= bucket[1]
        self._slow -= bucket[2]
        bucket[:] = (0, 0, 0)
