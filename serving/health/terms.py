"""What a circuit can be, why it opens, and the terms on which it does."""

import enum
import math
from dataclasses import dataclass

from serving.health.settings import BreakerSettings
from serving.health.window import Counts

__all__ = ["Cause", "State", "Terms"]

_STANDARD_ERRORS = 2.0


class State(enum.StrEnum):
    """Of a circuit."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Cause(enum.StrEnum):
    """Why a circuit opened."""

    FAILING = "failing"
    SLOW = "slow"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a model is measured against.

    Attributes:
        settings: of the breaker.
        objective: seconds to the first token that 95 % of its calls are to keep, or None for no objective.
    """

    settings: BreakerSettings
    objective: float | None = None

    @property
    def slow_after(self) -> float:
        """Seconds beyond which a call is slow; infinity where none is."""
        seconds = self.settings.slow_seconds if self.objective is None else self.objective
        return math.inf if seconds is None else seconds

    @property
    def slow_share(self) -> float:
        """The share of slow calls that is still in order, in [0, 1]."""
        return self.settings.slow_rate if self.objective is None else 0.05

    def verdict(self, counts: Counts) -> Cause | None:
        """Return why a circuit should open, or None.

        Slow calls open it when they are more than two standard errors of the binomial distribution above the
        share that is in order, so that a model which just keeps its objective is not punished by chance.
        """
        settings = self.settings
        if not settings.enabled or counts.number < settings.minimum_calls:
            return None
        if counts.failed >= settings.error_rate * counts.number:
            return Cause.FAILING
        expected = self.slow_share * counts.number
        deviation = math.sqrt(expected * (1 - self.slow_share))
        enough = counts.slow >= settings.minimum_slow
        return Cause.SLOW if enough and counts.slow > expected + _STANDARD_ERRORS * deviation else None
