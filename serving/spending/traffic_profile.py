"""How much of a day's demand is usually behind at a given hour."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, tzinfo
from itertools import accumulate
from math import fsum, isfinite
from typing import Self

from serving.errors import ConfigError
from serving.spending.budget_terms import next_day_at

__all__ = ["HOURS", "Day", "TrafficProfile"]

HOURS = 24
_STEP = 900.0  # seconds: every offset from UTC in use is a whole number of quarters of an hour
_HALF_LIFE = 3.0  # days
_FLAT = 0.25  # of a usual day, spread evenly: an hour that was quiet for a week is not impossible


@dataclass(frozen=True, slots=True)
class TrafficProfile:
    """How a day's demand for premium is spread over the hours of the clock.

    Attributes:
        weights: of each local hour, shape (24,), at least 0, not all 0; only their ratios matter.

    >>> TrafficProfile((0.0,) * 12 + (1.0,) * 12).weights[12]
    1.0
    """

    weights: tuple[float, ...] = (1.0,) * HOURS

    def __post_init__(self) -> None:
        if len(self.weights) != HOURS:
            raise ConfigError(f"pacing.profile: {len(self.weights)} numbers: give one for each hour, 24")
        if not all(isfinite(each) and each >= 0 for each in self.weights) or not any(self.weights):
            raise ConfigError("pacing.profile: give 24 numbers, none below 0 and not all 0")

    @classmethod
    def learned(cls, days: Mapping[int, Sequence[float]]) -> Self:
        """Return the profile of previous days.

        A day counts half as much as one three days later, and a quarter of a usual day is spread evenly over
        the hours, so that a quiet week leaves no hour at nothing.

        Args:
            days: demand by local hour, shape (24,), by how many days ago it was (1 is yesterday).
        """
        kept = [(0.5 ** ((ago - 1) / _HALF_LIFE), hours) for ago, hours in days.items() if any(hours)]
        if not kept:
            return cls()
        total = fsum(weight for weight, _ in kept)
        usual = [fsum(weight * hours[hour] for weight, hours in kept) / total for hour in range(HOURS)]
        evenly = _FLAT * fsum(usual) / HOURS
        return cls(tuple(each + evenly for each in usual))


class Day:
    """One calendar day of a zone, of 23, 24 or 25 hours, and how a profile's demand passes in it."""

    __slots__ = ("_cumulated", "began_at", "ends_at")

    def __init__(self, at: float, zone: tzinfo, profile: TrafficProfile) -> None:
        """Take the day that a moment lies in, seconds since the epoch."""
        self.began_at = datetime.combine(datetime.fromtimestamp(at, zone).date(), time.min, zone).timestamp()
        self.ends_at = next_day_at(at, zone)
        steps = [self.began_at + _STEP * number for number in range(self._quarters())]
        weights = (profile.weights[datetime.fromtimestamp(step, zone).hour] for step in steps)
        self._cumulated = [0.0, *accumulate(weights)]

    def _quarters(self) -> int:
        return max(1, round((self.ends_at - self.began_at) / _STEP))

    def holds(self, at: float) -> bool:
        """Return whether a moment lies in this day."""
        return self.began_at <= at < self.ends_at

    def elapsed(self, at: float) -> float:
        """Return the share of the day's demand that is to be expected before a moment, in [0, 1]."""
        quarters = min(max((at - self.began_at) / _STEP, 0.0), len(self._cumulated) - 1.0)
        whole, whole_sum = int(quarters), self._cumulated[int(quarters)]
        last = min(whole + 1, len(self._cumulated) - 1)
        behind = whole_sum + (quarters - whole) * (self._cumulated[last] - whole_sum)
        total = self._cumulated[-1]
        return behind / total if total else quarters / (len(self._cumulated) - 1)

    def at(self, elapsed: float) -> float:
        """Return the moment before which a share of the demand is to be expected; inverse of `elapsed`."""
        wanted = elapsed * self._cumulated[-1]
        whole = min(bisect_right(self._cumulated, wanted) - 1, len(self._cumulated) - 2)
        step = self._cumulated[whole + 1] - self._cumulated[whole]
        part = (wanted - self._cumulated[whole]) / step if step else 0.0
        return self.began_at + _STEP * (whole + part)
