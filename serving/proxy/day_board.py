"""What the ledger's day comes to, for those who look: read in a thread, when somebody looks, and not often.

The hours that are over are remembered, so that a look costs the current hour and the one before it, whatever
the day holds. The database gets a pause twenty times as long as the last reading took: however large the
ledger, looking at it takes at most a twentieth of one core, and of the database's time.
"""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from serving.errors import StateError
from serving.latency import Latencies
from serving.spending.budget_terms import day_of, next_day_at
from serving.spending.day_overview import latencies_of
from serving.spending.day_totals import HourTotals, TierTotals
from serving.state.totals import Totals

__all__ = ["DayBoard", "DayFigures", "day_hours"]

_AN_HOUR = 3600.0
_SETTLED_SECONDS = 900.0  # after an hour's end; rows are written when their requests end
_REMEMBERED_SECONDS = 600.0  # rows can come late, from the journal of a proxy that was down
_LEAST_PAUSE = 3.0
_MOST_PAUSE = 60.0
_PAUSES = 20.0  # times as long as the reading took
_LATEST = 2048  # attempts whose answers' times are looked at


@dataclass(frozen=True, slots=True)
class DayFigures:
    """A day as it was read.

    Attributes:
        day: as `day_of` tells it.
        read_at: seconds since the epoch.
        hours: that have begun, in order.
        latencies: of the answers among the latest attempts, by tier.
    """

    day: str
    read_at: float
    hours: tuple[HourTotals, ...]
    latencies: Mapping[str, Latencies]


@dataclass(slots=True)
class _Reader:
    """Reads the day in one thread at a time, and remembers the hours that are over."""

    totals: Totals
    day: str = ""
    remembered: dict[float, tuple[float, dict[str, TierTotals]]] = field(default_factory=dict)

    def read(self, now: float, zone: ZoneInfo) -> DayFigures:
        day = day_of(now, zone)
        if day != self.day:
            self.day, self.remembered = day, {}
        begun = [start for start in day_hours(now, zone) if start <= now]
        self._forget_one(now)
        hours = tuple(HourTotals(start, _label(start, zone), self._hour(start, now)) for start in begun)
        latencies = latencies_of(self.totals.latest_times(begun[0], _LATEST))
        return DayFigures(day, now, hours, latencies)

    def _hour(self, start: float, now: float) -> dict[str, TierTotals]:
        found = self.remembered.get(start)
        if found is not None:
            return found[1]
        end = start + _AN_HOUR
        tiers = self.totals.by_tier(start, end)
        if now >= end + _SETTLED_SECONDS:
            self.remembered[start] = now, tiers
        return tiers

    def _forget_one(self, now: float) -> None:
        """Forget the hour that was read longest ago, if that is long enough: not all at once."""
        oldest = min(self.remembered.items(), key=lambda item: item[1][0], default=None)
        if oldest is not None and now - oldest[1][0] > _REMEMBERED_SECONDS:
            del self.remembered[oldest[0]]


class DayBoard:
    """The day's figures as they were last read.

    Attributes:
        figures: None before the first time.
        unavailable: whether the database did not answer last time.
    """

    def __init__(
        self,
        totals: Totals,
        now: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin before the first look.

        Args:
            totals: of the ledger.
            now: seconds since the epoch.
            clock: seconds, from any start, never going back.
        """
        self.figures: DayFigures | None = None
        self.unavailable = False
        self._reader = _Reader(totals)
        self._now = now
        self._clock = clock
        self._reading: asyncio.Task[None] | None = None
        self._next_at = -math.inf

    async def look(self, zone: ZoneInfo, patience: float) -> None:
        """Read anew if it is time; wait no longer than that for what is being read.

        Args:
            zone: whose midnight begins the day.
            patience: seconds.
        """
        if self._reading is None and self._clock() >= self._next_at:
            self._reading = asyncio.ensure_future(self._read(zone))
        if self._reading is not None:
            await asyncio.wait((self._reading,), timeout=patience)

    async def _read(self, zone: ZoneInfo) -> None:
        began = self._clock()
        try:
            self.figures = await asyncio.to_thread(self._reader.read, self._now(), zone)
            self.unavailable = False
        except StateError:
            self.unavailable = True
        finally:
            ended = self._clock()
            self._next_at = ended + min(_MOST_PAUSE, max(_LEAST_PAUSE, _PAUSES * (ended - began)))
            self._reading = None


def day_hours(now: float, zone: ZoneInfo) -> list[float]:
    """Return when the hours of a moment's day begin: 24 of them, 23 or 25 where clocks are changed.

    >>> len(day_hours(1_795_380_000.0, ZoneInfo("UTC")))
    24
    >>> len(day_hours(1_792_925_000.0, ZoneInfo("Europe/Berlin")))
    25
    """
    day = datetime.fromtimestamp(now, zone).date()
    first = datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()
    count = math.ceil((next_day_at(now, zone) - first) / _AN_HOUR)
    return [first + number * _AN_HOUR for number in range(count)]


def _label(start: float, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(start, zone).strftime("%H:%M")
