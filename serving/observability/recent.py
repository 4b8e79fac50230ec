"""The last decisions of this process, for people to look at: never a prompt, and gone with the process."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from serving.observability.observers import Headers
from serving.observability.request_record import RequestRecord
from serving.spending.ledger_row import LedgerRow

__all__ = ["RecentDecision", "RecentDecisions"]

_KEPT = 50
_LONGEST = 300  # characters of a reason, or of what a client gave as a model
_MOST_REASONS = 6


@dataclass(frozen=True, slots=True)
class RecentDecision:
    """A request that something was decided on, once it is over.

    Attributes:
        at: when it arrived, seconds since the epoch.
        key_id: the public id of the caller's API key, or None.
        tier: the label of the tier that was settled on; None where the caller named a model.
        chosen_by: who or what settled it.
        model: who answered, or was asked last; what the caller gave where nobody was asked.
        risk: P(the needed tier is above the chosen one), in [0, 1]; None without a decision.
        reasons: why, and what went wrong; words of the prompt may stand in them.
        outcome: what became of it, as its client sees it.
        cache: which cache answered, or None.
        seconds: from its arrival to its end.
        first_token_seconds: from its arrival to the first token; None without one.
        usd: US dollars of all its attempts; None when nobody can say.
    """

    at: float
    key_id: str | None
    tier: str | None
    chosen_by: str
    model: str
    risk: float | None
    reasons: tuple[str, ...]
    outcome: str
    cache: str | None
    seconds: float | None
    first_token_seconds: float | None
    usd: float | None

    @classmethod
    def of(cls, request: RequestRecord) -> "RecentDecision | None":
        """Return what is kept of a request; None where nothing was decided."""
        if request.chosen_by is None:
            return None
        last, costs = request.last, [row.usd for row in request.rows]
        return cls(
            at=request.at,
            key_id=request.key_id,
            tier=request.tier,
            chosen_by=request.chosen_by.value,
            model=(request.requested if last is None else last.model)[:_LONGEST],
            risk=None if last is None else last.risk,
            reasons=_reasons(request),
            outcome=request.outcome.value,
            cache=None if last is None else last.cache,
            seconds=request.seconds,
            first_token_seconds=None if last is None else last.first_token_seconds,
            usd=None if None in costs else sum((each for each in costs if each is not None), 0.0),
        )

    def as_dict(self, *, told_to: str | None) -> dict[str, Any]:
        """Return it as JSON-able values.

        Args:
            told_to: the public id of the API key that asks, or None where no key is needed: the reasons,
                which quote words of the prompt, are told to the key whose request it was.
        """
        is_own = told_to is None or told_to == self.key_id
        return {
            "at": self.at,
            "tier": self.tier,
            "chosen_by": self.chosen_by,
            "model": self.model,
            "risk": self.risk,
            "reasons": list(self.reasons) if is_own else None,
            "outcome": self.outcome,
            "cache": self.cache,
            "seconds": self.seconds,
            "first_token_seconds": self.first_token_seconds,
            "usd": self.usd,
        }


class RecentDecisions:
    """An observer that keeps the last ones; used in one event loop."""

    def __init__(self, kept: int = _KEPT) -> None:
        """Begin with none.

        Args:
            kept: how many; older ones are forgotten.
        """
        self._kept: deque[RecentDecision] = deque(maxlen=kept)

    def newest_first(self) -> list[RecentDecision]:
        """Return what is kept."""
        return list(reversed(self._kept))

    def began(self, request: RequestRecord) -> None:
        """Take in that a request has arrived: it is kept when it is over."""

    def attempting(self, row: LedgerRow, request: RequestRecord | None) -> None:
        """Take in that an attempt is about to be made: it is told with its request."""

    def attempted(self, row: LedgerRow, request: RequestRecord | None) -> None:
        """Take in that an attempt has ended: it is told with its request."""

    def headers(self, request_id: str) -> Headers:
        """Return nothing: upstream, nobody needs to know."""
        del request_id
        return ()

    def ended(self, request: RequestRecord) -> None:
        """Keep a request on which something was decided."""
        decision = RecentDecision.of(request)
        if decision is not None:
            self._kept.append(decision)


def _reasons(request: RequestRecord) -> tuple[str, ...]:
    failures = (f"{row.model}: {row.cause}" for row in request.rows if row.cause)
    said = (*request.reasons(), *failures)
    return tuple(each[:_LONGEST] for each in said[:_MOST_REASONS])
