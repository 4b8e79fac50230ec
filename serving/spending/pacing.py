"""Pacing: spread a day's premium budget over the day, so that it buys the prompts that need premium most.

A hard cap serves the first prompts of the day and sends the last ones down, whatever they are. Buying the
best prompts that a budget can pay, as they come and without knowing which will come, is the online knapsack
problem; where each purchase is small, the best rule is a price: buy what is worth more than it, where "worth"
is here P(premium needed). This controller takes the price at which the expected spend of the rest of the day
equals the rest of the budget, and works it out anew for every request (re-solving):

    q = (left - forced demand of the rest of the day) / (demand of the rest of the day), within [0, 1]
    threshold = the (1 - q) quantile of the last P(premium needed) among prompts that the policy wants to
                send to premium; 0, so that the policy stands as it is, where q is 1

Demand is what would be spent if nothing were withheld. What was spent tells it: each premium call cost the
day's spend divided by the calls that were let through, so demand is that times the calls that were wanted.
Only ratios of counts enter, so a process that sees every third request of a shared budget finds the same
price, and so does one that was restarted: it goes on from the spend alone. The rest of the day is told by a
traffic profile. The estimates are smoothed towards what previous days, or a day that fits the budget, would
give, with the weight of some time.

Calls differ in size, and dollars are what is scarce: given how many times as dear as a usual one a call is
likely to be (its prompt's length is known beforehand, its answer's is not), scores are P(premium needed) by
size, and counts and quantiles are weighted by size. Without sizes every prompt counts alike.

Re-solving a threshold on a known distribution loses a bounded amount of value to the best that hindsight
could do (Jasin and Kumar, Mathematics of Operations Research 37, 2012); setting the price from what has been
seen so far goes back to Agrawal, Wang and Ye (Operations Research 62, 2014). The alternative in advertising
is adaptive pacing, an integral controller on the price (Balseiro and Gur, Management Science 65, 2019): it
needs a step size to be tuned and answers to a burst only after it was paid; `day_simulation` compares both.
"""

import threading
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from itertools import accumulate
from math import inf, nextafter
from operator import neg
from typing import Protocol

from classifier import Policy
from serving.spending.budget_terms import PREMIUM, Budget, Standing, Unit
from serving.spending.paced_policy import PacedPolicy
from serving.spending.traffic_profile import Day, TrafficProfile

__all__ = ["Demand", "History", "Pacer", "Scores", "spent_of"]

_WINDOW = 1000  # scores: some hours of traffic, and a quantile within two points
_LEAST_SCORES = 20
_NEUTRAL_WEIGHT = 0.08  # of a day: how long a day that fits the budget is believed in
_KNOWN_WEIGHT = 0.2  # of a day: how long previous days are; figures hardly move between half and twice these


@dataclass(frozen=True, slots=True)
class Demand:
    """What premium calls would come to in a whole day if none were withheld.

    Attributes:
        wanted: by the policy, which may be withheld; micro-dollars or tokens.
        forced: by callers and floors, which may not.
    """

    wanted: float
    forced: float = 0.0


class History(Protocol):
    """What previous days teach."""

    @property
    def profile(self) -> TrafficProfile:
        """How demand is spread over the hours."""

    @property
    def demand(self) -> Mapping[Unit, Demand]:
        """Of a usual day, by unit; empty where nothing is known."""

    @property
    def scores(self) -> Sequence[float]:
        """The last P(premium needed) of prompts that the policy wanted to send to premium."""


def spent_of(standings: Iterable[Standing]) -> dict[Unit, int]:
    """Return what was settled against the premium budgets, by unit, of one day's standings.

    What is reserved is left out: bounds are several times what calls come to.
    """
    return {each.unit: each.spent for each in standings if each.scope == PREMIUM}


class Scores:
    """The last so many scores with their weights, in order of size; its owner keeps threads apart."""

    def __init__(self, size: int = _WINDOW) -> None:
        """Keep so many; older ones are forgotten."""
        self._last: deque[tuple[float, float]] = deque(maxlen=size)
        self._ordered: list[tuple[float, float]] = []
        self._seen: list[tuple[float, float]] = []  # as they were when the tails were summed
        self._tails: list[float] = []
        self._new = 0

    def add(self, score: float, weight: float = 1.0) -> None:
        """Take in one."""
        if len(self._last) == self._last.maxlen:
            del self._ordered[bisect_left(self._ordered, self._last[0])]
        self._last.append((score, weight))
        insort(self._ordered, (score, weight))
        self._new += 1

    def __len__(self) -> int:
        return len(self._ordered)

    def threshold(self, share: float) -> float:
        """Return the least score to admit so that about this share of the weight is; ties go together.

        With many scores, the last fiftieth of them is only reckoned with when there are more.

        >>> scores = Scores()
        >>> for each in (0.5, 0.6, 0.7, 0.8):
        ...     scores.add(each)
        >>> scores.threshold(0.5), scores.threshold(1.0)
        (0.7, 0.5)
        """
        if self._new > len(self._ordered) // 50:
            self._sum_up()
        tails, scores = self._tails, self._seen
        wanted = share * tails[0]
        first = min(bisect_left(tails, -wanted, key=neg), len(scores) - 1)
        least = scores[first][0]
        begin, end = bisect_left(scores, (least,)), bisect_left(scores, (nextafter(least, inf),))
        before = begin if begin < first or not begin else bisect_left(scores, (scores[begin - 1][0],))
        best = min((end, begin, before), key=lambda place: abs(tails[place] - wanted))
        return scores[best][0] if best < len(scores) else nextafter(least, inf)

    def _sum_up(self) -> None:
        """Note what each score and those above it weigh together, from all of them down to nothing."""
        weights = (weight for _, weight in reversed(self._ordered))
        self._tails = [0.0, *accumulate(weights)][::-1]
        self._seen, self._new = self._ordered.copy(), 0


@dataclass(slots=True)
class _Meter:
    """One budget on one day, as this process has seen it.

    Attributes:
        cap: of the budget.
        first: spent when the process first looked.
        spent: now.
        usual: demand of a whole day to believe in before anything was seen.
        weight: how long to believe it, as a share of a day's demand.
    """

    cap: int
    first: int
    spent: int
    usual: Demand
    weight: float

    def share(self, counts: "_Counts", began: float, elapsed: float) -> float:
        """Return which share of the wanted calls the rest of the budget pays, at least 0."""
        demand = self.demand(counts, elapsed - began)
        rest = 1.0 - elapsed
        left = self.cap - self.spent - demand.forced * rest
        wanted = demand.wanted * rest
        return max(0.0, left) / wanted if wanted > 0 else inf

    def demand(self, counts: "_Counts", seen: float) -> Demand:
        """Return the demand of a whole day; `seen` is the share of it that this process has lived through."""
        calls = counts.admitted + counts.forced
        if not calls:
            return self.usual
        each, whole = (self.spent - self.first) / calls, seen + self.weight
        wanted = (each * counts.wanted + self.weight * self.usual.wanted) / whole
        return Demand(wanted, (each * counts.forced + self.weight * self.usual.forced) / whole)


@dataclass(slots=True)
class _Counts:
    """Calls of this process on this day, each counted by its size."""

    wanted: float = 0.0
    admitted: float = 0.0
    forced: float = 0.0


@dataclass(slots=True)
class _Today:
    """A day's state."""

    day: Day
    began: float
    counts: _Counts = field(default_factory=_Counts)
    meters: dict[Unit, _Meter] = field(default_factory=dict)


class Pacer:
    """Sets the price of premium through the day; any number of threads may share it, and it does no I/O.

    It only ever withholds: where the budget is ample, the policy stands as it is. Times are seconds since the
    epoch; `spent` is what was settled today against the budgets, by unit (micro-dollars, tokens), by all
    processes that share them.
    """

    def __init__(
        self, budgets: Iterable[Budget], zone: tzinfo, profile: TrafficProfile | None = None
    ) -> None:
        """Pace budgets.

        Args:
            budgets: of premium spend, at most one in each unit; the scarcest rules.
            zone: whose midnight begins the day.
            profile: how demand is spread over the hours; flat where nothing is known, and until `learn`.
        """
        self._caps = {budget.unit: budget.cap for budget in budgets}
        self._zone = zone
        self._declared = profile
        self._profile = profile or TrafficProfile()
        self._usual: dict[Unit, Demand] = {}
        self._scores = Scores()
        self._today: _Today | None = None
        self._lock = threading.Lock()

    def paces(self, budgets: Iterable[Budget], zone: tzinfo, profile: TrafficProfile | None) -> bool:
        """Return whether it was made for just these, so that a reload may keep it with all it has seen."""
        caps = {budget.unit: budget.cap for budget in budgets}
        return (caps, zone, profile) == (self._caps, self._zone, self._declared)

    def learn(self, history: History) -> None:
        """Take in what previous days teach; call it at start and after midnight. A declared profile stays."""
        with self._lock:
            self._profile = self._declared or history.profile
            self._usual = {unit: each for unit, each in history.demand.items() if unit in self._caps}
            for score in history.scores if not len(self._scores) else ():
                self._scores.add(score)
            if self._today is not None:
                self._replan(self._today)

    def threshold(self, now: float, spent: Mapping[Unit, int], size: float = 1.0) -> float:
        """Return the least P(premium needed) that premium is spent on now; 0 withholds nothing.

        Args:
            now: when.
            spent: today, by unit.
            size: how many times as dear as a usual one the call is likely to be, above 0; a price is paid by
                the dollar, so that a call of twice the size needs premium twice as much. 1 for all to have
                every prompt count alike.
        """
        if not self._caps:
            return 0.0
        with self._lock:
            return self._price(now, spent) * size

    def policy_for(self, now: float, spent: Mapping[Unit, int], policy: Policy, size: float = 1.0) -> Policy:
        """Return the policy to follow now: the given one itself where nothing is to be withheld."""
        threshold = self.threshold(now, spent, size)
        return PacedPolicy(policy, threshold) if threshold > 0 else policy

    def wanted(
        self, now: float, spent: Mapping[Unit, int], score: float, *, admitted: bool, size: float = 1.0
    ) -> None:
        """Count a request that the policy wanted to send to premium.

        Args:
            now: when.
            spent: today, by unit.
            score: its P(premium needed).
            admitted: whether it went there.
            size: as `threshold` was given it.
        """
        with self._lock:
            counts = self._at(now, spent).counts
            counts.wanted += size
            counts.admitted += size * admitted
            self._scores.add(score / size, size)

    def forced(self, now: float, spent: Mapping[Unit, int], size: float = 1.0) -> None:
        """Count a premium call that a caller or a floor asked for, which is never withheld."""
        with self._lock:
            self._at(now, spent).counts.forced += size

    def _price(self, now: float, spent: Mapping[Unit, int]) -> float:
        today = self._at(now, spent)
        elapsed = max(today.began, today.day.elapsed(now))
        share = min(meter.share(today.counts, today.began, elapsed) for meter in today.meters.values())
        if share >= 1.0 or len(self._scores) < _LEAST_SCORES:
            return 0.0
        return self._scores.threshold(share)

    def _at(self, now: float, spent: Mapping[Unit, int]) -> _Today:
        """Return the state of the day, begun anew after midnight, with the spend noted."""
        today = self._today
        if today is None or now >= today.day.ends_at:
            today = self._today = self._begin(now, spent)
        for unit, meter in today.meters.items():
            meter.spent = spent.get(unit, meter.spent)
            if meter.spent < meter.first:  # yesterday's spend was still told, or an orphan was put right
                meter.first = meter.spent
                self._expect(unit, meter, today.began)
        return today

    def _begin(self, now: float, spent: Mapping[Unit, int]) -> _Today:
        self._carry_over()
        day = Day(now, self._zone, self._profile)
        today = _Today(day, day.elapsed(now))
        for unit, cap in self._caps.items():
            first = spent.get(unit, 0)
            meter = today.meters[unit] = _Meter(cap, first, first, Demand(0.0), _NEUTRAL_WEIGHT)
            self._expect(unit, meter, today.began)
        return today

    def _expect(self, unit: Unit, meter: _Meter, began: float) -> None:
        """Believe in what is known of other days, else in a rest of the day that the budget just pays."""
        known = self._usual.get(unit)
        meter.weight = _NEUTRAL_WEIGHT if known is None else _KNOWN_WEIGHT
        neutral = max(0, meter.cap - meter.first) / max(1.0 - began, _NEUTRAL_WEIGHT)
        meter.usual = Demand(neutral) if known is None else known

    def _carry_over(self) -> None:
        """Expect of the new day what the old one came to."""
        if self._today is None:
            return
        seen = 1.0 - self._today.began
        for unit, meter in self._today.meters.items():
            self._usual[unit] = meter.demand(self._today.counts, seen)

    def _replan(self, today: _Today) -> None:
        began_at = today.day.at(today.began)
        today.day = Day(began_at, self._zone, self._profile)
        today.began = today.day.elapsed(began_at)
        for unit, meter in today.meters.items():
            self._expect(unit, meter, today.began)
