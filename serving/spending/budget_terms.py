"""The terms that budgets are told in: amounts in whole units, days, claims and what became of them.

Amounts are integers: millionths of a US dollar (micro-dollars) or tokens. No budget is reckoned in floats.
"""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from decimal import ROUND_CEILING, Decimal

__all__ = [
    "MOST",
    "PREMIUM",
    "Budget",
    "Claim",
    "Orphan",
    "Overrun",
    "Refused",
    "Reserved",
    "Standing",
    "Unit",
    "day_of",
    "dollars",
    "key_scope",
    "micro_dollars",
    "next_day_at",
]

MOST = 10**15  # a billion dollars in micro-dollars: sums of such amounts stay far inside 64 bits
PREMIUM = "premium"  # the scope of all that is spent on the premium tier, whoever asks


class Unit(enum.StrEnum):
    """What a budget is counted in."""

    USD = "usd"  # in micro-dollars
    TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class Budget:
    """A hard cap on what may be spent in a day.

    Attributes:
        scope: whose spend it caps: `PREMIUM`, or `key_scope(key_id)`.
        unit: what it is counted in.
        cap: micro-dollars or tokens a day, in [0, MOST].
    """

    scope: str
    unit: Unit
    cap: int

    def __post_init__(self) -> None:
        _check("cap", self.cap)

    def claim(self, day: str, amount: int) -> "Claim":
        """Return the claim to so much of a day's budget."""
        return Claim(self.scope, self.unit, day, self.cap, amount)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a call may come to at most, against one budget.

    Attributes:
        scope: of the budget.
        unit: of the budget.
        day: the budget's day, as `day_of` tells it.
        cap: of the budget, as it is configured now, in [0, MOST].
        amount: upper bound of the call, micro-dollars or tokens, in [0, MOST].
    """

    scope: str
    unit: Unit
    day: str
    cap: int
    amount: int

    def __post_init__(self) -> None:
        _check("cap", self.cap)
        _check("amount", self.amount)


@dataclass(frozen=True, slots=True)
class Reserved:
    """Every claim was granted.

    Attributes:
        reservation_id: what to settle or release it by.
        claims: what was granted.
    """

    reservation_id: str
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """One claim found too little left, so none was granted.

    Attributes:
        claim: the first one, in the order of scopes, that was refused.
        left: what is left of its budget, micro-dollars or tokens, at least 0.
    """

    claim: Claim
    left: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a budget stands; `spent + reserved` exceeds `cap` only if the cap was lowered or a bound was wrong.

    Attributes:
        scope: of the budget.
        unit: of the budget.
        day: of the budget.
        cap: as the latest reservation knew it.
        spent: settled, and charged for orphans.
        reserved: held by calls that are under way.
        orphaned: the part of `spent` that was charged at its bound, because its process died.
        overrun: the part of `spent` that lay above what had been reserved for it.
    """

    scope: str
    unit: Unit
    day: str
    cap: int
    spent: int
    reserved: int
    orphaned: int
    overrun: int

    @property
    def left(self) -> int:
        """What may still be reserved, at least 0."""
        return max(0, self.cap - self.spent - self.reserved)


@dataclass(frozen=True, slots=True)
class Overrun:
    """A call that came to more than had been reserved for it: its bound was wrong.

    Attributes:
        scope: of the budget.
        unit: of the budget.
        day: of the budget.
        bound: what had been reserved.
        actual: what it came to.
    """

    scope: str
    unit: Unit
    day: str
    bound: int
    actual: int


@dataclass(frozen=True, slots=True)
class Orphan:
    """A reservation whose process died, charged at its bound.

    Attributes:
        reservation_id: of the reservation.
        instance: the process that died.
        charged: micro-dollars or tokens, by scope and unit.
    """

    reservation_id: str
    instance: str
    charged: Mapping[tuple[str, Unit], int]


def key_scope(key_id: str) -> str:
    """Return the scope of one API key's spend.

    >>> key_scope("4f1d")
    'key:4f1d'
    """
    return f"key:{key_id}"


def micro_dollars(usd: float) -> int:
    """Return US dollars as whole micro-dollars, rounded up; exact for what the float prints as.

    >>> micro_dollars(0.29), micro_dollars(0.0000001)
    (290000, 1)
    """
    return int((Decimal(repr(float(usd))) * 1_000_000).to_integral_value(ROUND_CEILING))


def dollars(micro: int) -> float:
    """Return micro-dollars as US dollars, for people.

    >>> dollars(290_000)
    0.29
    """
    return micro / 1_000_000


def day_of(at: float, zone: tzinfo) -> str:
    """Return the day of a moment, in a time zone.

    Args:
        at: seconds since the epoch.
        zone: the zone whose midnight begins the budgets' day.

    >>> from zoneinfo import ZoneInfo
    >>> day_of(1_795_380_000.0, ZoneInfo("UTC")), day_of(1_795_380_000.0, ZoneInfo("Pacific/Auckland"))
    ('2026-11-22', '2026-11-23')
    """
    return datetime.fromtimestamp(at, zone).date().isoformat()


def next_day_at(at: float, zone: tzinfo) -> float:
    """Return when the next day begins, seconds since the epoch; after days of 23 or 25 hours too."""
    tomorrow = datetime.fromtimestamp(at, zone).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time.min, zone).timestamp()


def _check(name: str, amount: int) -> None:
    if not 0 <= amount <= MOST:
        raise ValueError(f"{name} is {amount!r}: it must lie between 0 and {MOST}")
