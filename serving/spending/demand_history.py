"""What previous days in the ledger say of the demand for premium: how much, when, how much needed."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Self

from classifier import Policy, Tier
from serving.spending.budget_terms import Unit
from serving.spending.ledger_row import ChosenBy, LedgerRow
from serving.spending.pacing import Demand
from serving.spending.requests import LoggedRequest, requests_of
from serving.spending.traffic_profile import HOURS, TrafficProfile

__all__ = ["DemandHistory"]

_SCORES = 1000
_HALF_LIFE = 3.0  # days, as in the profile
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True)
class DemandHistory:
    """What previous days teach a `Pacer`.

    Attributes:
        profile: demand by hour; flat where there were no days.
        demand: of a usual day, by unit; empty where no premium answer with a known cost was seen.
        scores: the last P(premium needed) of prompts that the policy wanted to send to premium, in order of
            time, at most 1,000; today's too.
    """

    profile: TrafficProfile
    demand: Mapping[Unit, Demand]
    scores: Sequence[float]

    @classmethod
    def of(cls, rows: Iterable[LedgerRow], policy: Policy, zone: tzinfo, today: str) -> Self:
        """Read rows of some days, a week is plenty; what was withheld then is counted as wanted.

        What the policy wants is asked of it again, from the logged probabilities, so that neither pacing nor
        a cap of the time hides demand. Days count half as much as those three days later. Today, which is not
        over, gives its scores alone.

        Args:
            rows: in order of time, as `Ledger.rows` yields them.
            policy: that is followed now, unpaced.
            zone: whose midnight begins the day.
            today: as `budget_terms.day_of` tells it.
        """
        seen = _Seen()
        now = datetime.fromisoformat(today).date()
        for request in requests_of(rows):
            at = datetime.fromtimestamp(request.first.at, zone)
            seen.add(request, (now - at.date()).days, at.hour, policy)
        return cls(
            TrafficProfile.learned({ago: day.wanted for ago, day in seen.days.items() if ago > 0}),
            seen.demand(),
            tuple(seen.scores),
        )


@dataclass(slots=True)
class _Counted:
    """Requests of one day: the wanted ones by hour, and the tokens of those whose answers' are known."""

    wanted: list[int] = field(default_factory=lambda: [0] * HOURS)
    counted: int = 0
    tokens: int = 0
    forced: int = 0

    def whole(self, usual: float) -> float:
        """Return the tokens of the wanted requests; those that are not known are taken as usual ones."""
        return self.tokens + (sum(self.wanted) - self.counted) * usual


@dataclass(slots=True)
class _Seen:
    """What has been read so far."""

    days: dict[int, _Counted] = field(default_factory=dict)
    scores: deque[float] = field(default_factory=lambda: deque(maxlen=_SCORES))
    answers: int = 0
    usd: float = 0.0
    tokens: int = 0

    def add(self, request: LoggedRequest, ago: int, hour: int, policy: Policy) -> None:
        day = self.days.setdefault(ago, _Counted())
        row = request.first
        if row.cache is not None:  # nothing was spent on it, and nothing is to be set aside for its like
            return
        if row.chosen_by in (ChosenBy.CALLER, ChosenBy.FLOOR, ChosenBy.SESSION):
            day.forced += row.tier == Tier.PREMIUM.label
        elif row.probabilities is not None and policy.choose(row.probabilities) is Tier.PREMIUM:
            day.wanted[hour] += 1
            self.scores.append(row.probabilities[Tier.PREMIUM])
            if request.answer is not None and (tokens := _tokens(request.answer)):
                day.counted, day.tokens = day.counted + 1, day.tokens + tokens
        self._add_cost(request.answer)

    def _add_cost(self, row: LedgerRow | None) -> None:
        if row is None or row.tier != Tier.PREMIUM.label or row.fell_back or row.usd is None:
            return
        self.answers += 1
        self.usd += row.usd
        self.tokens += _tokens(row)

    def demand(self) -> dict[Unit, Demand]:
        """Return a usual day's: the tokens of its answers, whoever gave them, at premium's cost a token."""
        past = {ago: day for ago, day in self.days.items() if ago > 0}
        if not past or not self.tokens:
            return {}
        weights = {ago: 0.5 ** (ago / _HALF_LIFE) for ago in range(1, max(past) + 1)}  # days without rows too
        total, usual = sum(weights.values()), self.tokens / self.answers
        wanted = sum(weights[ago] * day.whole(usual) for ago, day in past.items()) / total
        forced = sum(weights[ago] * day.forced * usual for ago, day in past.items()) / total
        prices = {Unit.USD: self.usd * _MICRO / self.tokens, Unit.TOKENS: 1.0}
        return {unit: Demand(wanted * price, forced * price) for unit, price in prices.items()}


def _tokens(row: LedgerRow) -> int:
    return (row.input_tokens or 0) + (row.output_tokens or 0)
