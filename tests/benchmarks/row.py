"""One line of the benchmark: a figure, what it is compared with, and the number to reach."""

import enum
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

__all__ = ["Goal", "Of", "Peer", "Row", "Sense", "Unavailable"]


class Unavailable(Exception):
    """Something that a row needs is not there; the message says what, in one line."""


class Sense(enum.Enum):
    """Which side of a goal is good."""

    AT_LEAST = ">="
    AT_MOST = "<="


class Of(enum.Enum):
    """What a goal is about: the figure itself, or how many times the peer's time ours is."""

    FIGURE = "figure"
    SPEED = "speed"


@dataclass(frozen=True, slots=True)
class Goal:
    """A number to reach.

    Attributes:
        bound: the number.
        sense: which side of it is good.
        of: what it is about.
    """

    bound: float
    sense: Sense = Sense.AT_LEAST
    of: Of = Of.FIGURE

    def met_by(self, value: float) -> bool:
        """Return whether the value is on the good side, the bound included."""
        return value >= self.bound if self.sense is Sense.AT_LEAST else value <= self.bound


@dataclass(frozen=True, slots=True)
class Peer:
    """What a figure is compared with, measured in the same run unless its name says otherwise."""

    name: str
    figure: float


@dataclass(frozen=True, slots=True)
class Row:
    """One measured line.

    Attributes:
        what: what was measured.
        figure: the project's figure; None where it could not be taken, and `note` says why.
        unit: "us", "ms", "s", "MB", or "" for shares and scores.
        interval: the 95 % interval of the figure.
        peer: what it is compared with.
        goal: the number to reach.
        note: how it was measured, or why it could not be.
    """

    what: str
    figure: float | None = None
    unit: str = ""
    interval: tuple[float, float] | None = None
    peer: Peer | None = None
    goal: Goal | None = None
    note: str = field(default="", kw_only=True)

    @property
    def speed(self) -> float | None:
        """How many times as fast as the peer, for figures that are times; below 1 the peer is faster.

        >>> Row("decide", 10.0, "us", peer=Peer("pipeline", 200.0)).speed
        20.0
        """
        if self.figure is None or self.peer is None or self.unit not in ("us", "ms", "s"):
            return None
        return self.peer.figure / self.figure if self.figure > 0 else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal, or without what it is about."""
        value = self.figure if self.goal is None or self.goal.of is Of.FIGURE else self.speed
        if self.goal is None or value is None or not isfinite(value):
            return None
        return self.goal.met_by(value)

    def as_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return {
            "what": self.what,
            "figure": self.figure,
            "unit": self.unit,
            "interval": None if self.interval is None else list(self.interval),
            "peer": None if self.peer is None else {"name": self.peer.name, "figure": self.peer.figure},
            "times_as_fast_as_peer": self.speed,
            "goal": None
            if self.goal is None
            else {"bound": self.goal.bound, "sense": self.goal.sense.value, "of": self.goal.of.value},
            "met": self.met,
            "note": self.note,
        }
