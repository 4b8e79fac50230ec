"""What the ledger's rows of one hour come to, tier by tier, as a database adds them up."""

from dataclasses import dataclass, fields

__all__ = ["AnswerTimes", "HourTotals", "TierTotals"]


@dataclass(frozen=True, slots=True)
class TierTotals:
    """Counts and dollars of some attempts of one tier; the words mean what they mean in `report`.

    Attributes:
        requests: how many requests began.
        attempts: rows.
        answered: rows that answered, a cache's included.
        unknown: attempts whose cost nobody can say; in no sum.
        hits: requests that a cache answered.
        semantic_hits: those of them that the semantic one did.
        usd: US dollars of all attempts whose cost is known.
        cache_saved_usd: US dollars that the answers of the hits cost when they were made.
        input_tokens: of the attempts of models whose tokens and cost are known.
        output_tokens: of the same.
        known_usd: US dollars of the same: what other models' prices are compared with.
    """

    requests: int = 0
    attempts: int = 0
    answered: int = 0
    unknown: int = 0
    hits: int = 0
    semantic_hits: int = 0
    usd: float = 0.0
    cache_saved_usd: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    known_usd: float = 0.0

    def __add__(self, other: "TierTotals") -> "TierTotals":
        """Return both together.

        >>> (TierTotals(requests=2, usd=0.5) + TierTotals(requests=1, usd=0.25)).usd
        0.75
        """
        return TierTotals(*(getattr(self, name) + getattr(other, name) for name in _NAMES))


_NAMES = tuple(field.name for field in fields(TierTotals))


@dataclass(frozen=True, slots=True)
class HourTotals:
    """One hour of a day.

    Attributes:
        start: seconds since the epoch.
        label: when it begins, by the clocks of the day's time zone.
        tiers: by the tier's label, or `NAMED` where callers named a model; tiers without rows left out.
    """

    start: float
    label: str
    tiers: dict[str, TierTotals]


@dataclass(frozen=True, slots=True)
class AnswerTimes:
    """How long one answer took, in seconds from the arrival of its request; None where nobody knows.

    Attributes:
        tier: its label, or `NAMED`.
        routing: to the first request upstream.
        first_token: to the first token, without a stream to the first byte.
        total: to the end.
    """

    tier: str
    routing: float | None
    first_token: float | None
    total: float | None
