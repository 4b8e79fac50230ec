"""A day at a glance, from sums that a database made: spend, savings, tiers by the hour, what the cache saved.

The words mean what they mean in `serving.spending.report`, and the dollars are the same, but for the last
digits: databases add floats in whatever order they find them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from classifier import TIERS, Tier
from serving.config import RouterConfig
from serving.cost import Tokens
from serving.latency import Latencies, Percentiles
from serving.spending.day_totals import AnswerTimes, HourTotals, TierTotals
from serving.summary import NAMED

__all__ = ["DayOverview", "latencies_of"]

_NAMES = (*(tier.label for tier in TIERS), NAMED)


@dataclass(frozen=True, slots=True)
class DayOverview:
    """What a day comes to, so far.

    Attributes:
        hours: of the day, in order.
        latencies: of the latest answers, by tier.
        config: whose prices and tiers' models the comparisons are made with.
        objectives: seconds that 95 % of a tier's first tokens may take, by its label, where it has any.
    """

    hours: Sequence[HourTotals]
    latencies: Mapping[str, Latencies]
    config: RouterConfig
    objectives: Mapping[str, float]

    def as_dict(self) -> dict[str, Any]:
        """Return the day for JSON."""
        by_tier = {name: self._of(name) for name in _NAMES}
        total = reduce(add, by_tier.values())
        routed = sum(by_tier[tier.label].known_usd for tier in TIERS)
        always = {tier.label: sum(self._at(tier, by_tier[each.label]) for each in TIERS) for tier in TIERS}
        return {
            "requests": total.requests,
            "attempts": total.attempts,
            "answered": total.answered,
            "usd": total.usd,
            "unknown_cost_attempts": total.unknown,
            "routed_usd": routed,
            "always_usd": always,
            "saved_usd": {name: usd - routed for name, usd in always.items()},
            "tiers": [self._tier(name, by_tier[name], total.requests) for name in _NAMES],
            "hours": [_hour(each) for each in self.hours],
            "cache": {
                "hits": total.hits,
                "semantic_hits": total.semantic_hits,
                "hit_rate": total.hits / total.requests if total.requests else None,
                "saved_usd": total.cache_saved_usd,
            },
        }

    def _of(self, name: str) -> TierTotals:
        return sum((hour.tiers[name] for hour in self.hours if name in hour.tiers), TierTotals())

    def _at(self, tier: Tier, totals: TierTotals) -> float:
        """Return what a tier's own model would have cost, token for token; nothing without a price."""
        price = self.config.price(self.config.tier(tier).model)
        return 0.0 if price is None else price.of(Tokens(totals.input_tokens, totals.output_tokens))

    def _tier(self, name: str, totals: TierTotals, requests: int) -> dict[str, Any]:
        is_tier = name != NAMED
        model = self.config.tier(Tier.parse(name)).model if is_tier else None
        price = None if model is None else self.config.price(model)
        balanced = self._at(Tier.BALANCED, totals) if is_tier else None
        latencies = self.latencies.get(name)
        return {
            "tier": name,
            "model": model,
            "usd_per_million_tokens": price and {"input": price.input, "output": price.output},
            "requests": totals.requests,
            "share": totals.requests / requests if requests else None,
            "usd": totals.usd,
            "known_usd": totals.known_usd,
            "balanced_usd": balanced,
            "saved_over_balanced_usd": None if balanced is None else balanced - totals.known_usd,
            "latency_seconds": None if latencies is None else latencies.as_dict(),
            "objective_seconds": self.objectives.get(name),
        }


def latencies_of(times: Iterable[AnswerTimes]) -> dict[str, Latencies]:
    """Return the percentiles of some answers by tier; tiers without answers are left out."""
    by_tier: dict[str, list[AnswerTimes]] = {}
    for each in times:
        by_tier.setdefault(each.tier, []).append(each)
    return {name: _latencies(own) for name, own in by_tier.items()}


def _latencies(times: Sequence[AnswerTimes]) -> Latencies:
    return Latencies(
        Percentiles.of(each.routing for each in times if each.routing is not None),
        Percentiles.of(each.first_token for each in times if each.first_token is not None),
        Percentiles.of(each.total for each in times if each.total is not None),
    )


def _hour(hour: HourTotals) -> dict[str, Any]:
    counts = {name: hour.tiers[name].requests if name in hour.tiers else 0 for name in _NAMES}
    usd = sum((each.usd for each in hour.tiers.values()), 0.0)
    return {"start": hour.start, "label": hour.label, "requests": counts, "usd": usd}
