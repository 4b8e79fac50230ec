"""How long calls take: percentiles over the last so many of each tier."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from serving.routing import Latency

__all__ = ["Latencies", "LatencyWindow", "Percentiles"]


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles of a duration, in seconds, by the nearest rank: each is a value that was measured.

    Attributes:
        count: how many values they were taken from.
        p50: half of the values are at most this.
        p95: 95 % are.
        p99: 99 % are.
    """

    count: int
    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Percentiles | None":
        """Return the percentiles of some values, or None when there are none.

        >>> Percentiles.of([4.0, 1.0, 3.0, 2.0])
        Percentiles(count=4, p50=2.0, p95=4.0, p99=4.0)
        """
        ordered = sorted(values)
        if not ordered:
            return None
        ranks = (ceil(share * len(ordered)) - 1 for share in (0.50, 0.95, 0.99))
        return cls(len(ordered), *(ordered[rank] for rank in ranks))

    def as_dict(self) -> dict[str, float]:
        """Return the percentiles for JSON."""
        return {"count": self.count, "p50": self.p50, "p95": self.p95, "p99": self.p99}


@dataclass(frozen=True, slots=True)
class Latencies:
    """Percentiles of each part of a call; None where nothing was measured.

    Attributes:
        routing: from the call to the first request.
        first_token: from the call to the first token, or first byte.
        total: from the call to the end of the answer.
    """

    routing: Percentiles | None
    first_token: Percentiles | None
    total: Percentiles | None

    def as_dict(self) -> dict[str, object]:
        """Return the percentiles for JSON, in seconds."""
        parts = {"routing": self.routing, "first_token": self.first_token, "total": self.total}
        return {name: None if part is None else part.as_dict() for name, part in parts.items()}


class LatencyWindow:
    """The latencies of the last calls; its owner keeps threads apart."""

    def __init__(self, size: int) -> None:
        """Keep so many calls; older ones are forgotten."""
        self._last: deque[Latency] = deque(maxlen=size)

    def add(self, latency: "Latency") -> None:
        """Take in one call."""
        self._last.append(latency)

    def latencies(self) -> Latencies:
        """Return the percentiles over what is kept."""
        return Latencies(
            Percentiles.of(each.routing for each in self._last),
            Percentiles.of(each.first_token for each in self._last if each.first_token is not None),
            Percentiles.of(each.total for each in self._last if each.total is not None),
        )
