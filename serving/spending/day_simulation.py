"""A day under a hard cap, simulated: which prompts get premium, by different rules, at the same budget.

Calls are reserved at their bound, last as long as their answers and are settled at their cost, so that the
spend which a rule sees lags behind as it does in the proxy. The hard cap stands behind every rule.

`Paced` is the controller that the proxy runs. Beside it stand the cliff (the cap alone: first come, first
served), uniform thinning, a PI controller on the spend against its plan, and two that know the whole day
beforehand: the best fixed threshold on the same scores, which is what pacing can hope for at most on average,
and the oracle, which knows who needs premium and what it costs, which no rule can know.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from serving.spending.budget_terms import Unit
from serving.spending.day_traffic import Arrival
from serving.spending.pacing import Pacer
from serving.spending.traffic_profile import Day

__all__ = [
    "Cliff",
    "DayResult",
    "Paced",
    "Proportional",
    "Rule",
    "Thinned",
    "best_threshold",
    "oracle",
    "simulate_day",
]


class Rule(Protocol):
    """Says which prompts of those that the policy wants to send to premium go there."""

    def admits(self, arrival: Arrival, spent: int) -> bool:
        """Return whether this one may, given what was settled so far, in micro-dollars."""


@dataclass(frozen=True, slots=True)
class DayResult:
    """How a day went.

    Attributes:
        cap: of the day, micro-dollars.
        spent: micro-dollars.
        most_held: the most that was spent and reserved at any time, micro-dollars.
        served: prompts that got premium.
        met: of these, the ones that needed it.
        needing: prompts of the day that needed it and were wanted by the policy.
    """

    cap: int
    spent: int
    most_held: int
    served: int
    met: int
    needing: int

    @property
    def used(self) -> float:
        """Share of the budget that was spent."""
        return self.spent / self.cap if self.cap else 1.0

    @property
    def lost(self) -> int:
        """Prompts that needed premium, would have got it without a cap, and did not."""
        return self.needing - self.met


def simulate_day(arrivals: Sequence[Arrival], cap: int, rule: Rule) -> DayResult:
    """Run a day.

    Args:
        arrivals: in order of time.
        cap: micro-dollars.
        rule: who goes to premium; where the cap refuses a call that the rule admits, it does not.
    """
    spent = reserved = most = served = met = 0
    under_way: list[tuple[float, int, int]] = []
    for each in arrivals:
        while under_way and under_way[0][0] <= each.at:
            _, cost, bound = heapq.heappop(under_way)
            spent, reserved = spent + cost, reserved - bound
        if not rule.admits(each, spent) or spent + reserved + each.bound > cap:
            continue
        reserved += each.bound
        heapq.heappush(under_way, (each.at + each.seconds, each.cost, each.bound))
        most, served, met = max(most, spent + reserved), served + 1, met + each.needs
    spent += sum(cost for _, cost, _ in under_way)
    return DayResult(cap, spent, most, served, met, sum(each.needs for each in arrivals))


class Cliff:
    """The hard cap alone."""

    def admits(self, _arrival: Arrival, _spent: int) -> bool:
        """Admit everything."""
        return True


class Thinned:
    """Every prompt with the same probability."""

    def __init__(self, share: float, random: Random) -> None:
        """Admit a share in [0, 1]."""
        self._share = share
        self._random = random

    def admits(self, _arrival: Arrival, _spent: int) -> bool:
        """Toss a coin."""
        return self._random.random() < self._share


class Paced:
    """The proxy's own controller, by the dollar or with every prompt counting alike."""

    def __init__(self, pacer: Pacer, *, by_size: bool = False) -> None:
        """Follow a pacer of one budget in dollars."""
        self._pacer = pacer
        self._by_size = by_size

    def admits(self, arrival: Arrival, spent: int) -> bool:
        """Ask the pacer, and count what came of it, as `PacedPredictor` does."""
        told: Mapping[Unit, int] = {Unit.USD: spent}
        size = arrival.size if self._by_size else 1.0
        admitted = arrival.score >= self._pacer.threshold(arrival.at, told, size)
        self._pacer.wanted(arrival.at, told, arrival.score, admitted=admitted, size=size)
        return admitted


class Proportional:
    """A PI controller: the threshold follows how far the spend is ahead of its plan.

    threshold = start + gain * (ahead + rate * integral of ahead over the day), within [0, 1], where `ahead`
    is the spend less the planned one as a share of the cap, and the plan follows the traffic profile. The
    integral stands still while the threshold is at a bound.
    """

    def __init__(self, cap: int, day: Day, *, start: float, gain: float, rate: float) -> None:
        """Follow a plan of spending the cap over the day."""
        self._cap = cap
        self._day = day
        self._start = start
        self._gain = gain
        self._rate = rate
        self._integral = 0.0
        self._last = 0.0

    def admits(self, arrival: Arrival, spent: int) -> bool:
        """Compare with the threshold of the moment."""
        elapsed = self._day.elapsed(arrival.at)
        ahead = spent / self._cap - elapsed
        integral = self._integral + ahead * (elapsed - self._last)
        wanted = self._start + self._gain * (ahead + self._rate * integral)
        if 0.0 < wanted < 1.0:
            self._integral = integral
        self._last = elapsed
        return arrival.score >= min(max(wanted, 0.0), 1.0)


def best_threshold(arrivals: Sequence[Arrival], cap: int) -> DayResult:
    """Return the day with the prompts of the highest scores, as far as the cap goes: hindsight of the day."""
    return _bought(sorted(arrivals, key=lambda each: -each.score), arrivals, cap)


def oracle(arrivals: Sequence[Arrival], cap: int) -> DayResult:
    """Return the day with the most prompts met that the cap can pay: those that need it, cheapest first."""
    return _bought(sorted(arrivals, key=lambda each: (not each.needs, each.cost)), arrivals, cap)


def _bought(ordered: Sequence[Arrival], arrivals: Sequence[Arrival], cap: int) -> DayResult:
    """Buy in this order, leaving out what does not fit any more."""
    spent = served = met = 0
    for each in ordered:
        if spent + each.cost <= cap:
            spent, served, met = spent + each.cost, served + 1, met + each.needs
    return DayResult(cap, spent, spent, served, met, sum(each.needs for each in arrivals))
