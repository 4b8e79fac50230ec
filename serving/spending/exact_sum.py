"""Sums of floats that do not depend on their order."""

from math import fsum

__all__ = ["ExactSum"]


class ExactSum:
    """Adds floats up without rounding, in the little memory that the range of their sizes takes.

    Partial sums that do not overlap are kept, as `math.fsum` does inside (Shewchuk, Discrete & Computational
    Geometry 18, 1997), so that a ledger of any length is added up as it is read.

    >>> dimes = ExactSum()
    >>> for _ in range(10):
    ...     dimes.add(0.1)
    >>> dimes.value, sum([0.1] * 10) == 1.0
    (1.0, False)
    """

    __slots__ = ("_partials",)

    def __init__(self) -> None:
        self._partials: list[float] = []

    def add(self, value: float) -> None:
        """Add a finite number."""
        kept = []
        for partial in self._partials:
            large, small = (value, partial) if abs(value) >= abs(partial) else (partial, value)
            value = large + small
            lost = small - (value - large)
            if lost:
                kept.append(lost)
        self._partials = [*kept, value]

    @property
    def value(self) -> float:
        """The sum, rounded once."""
        return fsum(self._partials)
