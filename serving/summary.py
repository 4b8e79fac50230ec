"""What a router's calls came to: counts, dollars, savings, latencies."""

import threading
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from classifier import Tier
from serving.config import RouterConfig
from serving.latency import Latencies, LatencyWindow
from serving.routing import Routing

__all__ = ["NAMED", "Collector", "Summary"]

NAMED = "named"
"""Stands in the place of a tier for calls whose caller named a model."""

_WINDOW = 2_048


@dataclass(frozen=True, slots=True)
class Summary:
    """What the finished calls of a router came to.

    Attributes:
        requests: calls that ended, well or not.
        failures: calls that got no answer.
        fallbacks: calls that another model answered than the planned one.
        by_tier: calls by the tier that was decided on; "named" where the caller named a model.
        by_model: answers by the model that gave them.
        usd: US dollars of all answers whose cost is known.
        estimated: answers whose tokens were counted from the text, because the upstream sent no usage.
        unknown_cost: answers whose cost nobody can say; they are in none of the sums.
        tier_usd: US dollars of the answers to calls that were routed by tier.
        always_usd: what these answers would have cost, token for token, from each tier's own model.
        latencies: percentiles over the last 2,048 calls of each entry in `by_tier`.
    """

    requests: int
    failures: int
    fallbacks: int
    by_tier: Mapping[str, int]
    by_model: Mapping[str, int]
    usd: float
    estimated: int
    unknown_cost: int
    tier_usd: float
    always_usd: Mapping[str, float]
    latencies: Mapping[str, Latencies]

    def saved_usd(self, tier: Tier) -> float:
        """Return the US dollars saved against always asking one tier's model; negative if that is cheaper."""
        return self.always_usd[tier.label] - self.tier_usd

    def saved_share(self, tier: Tier) -> float | None:
        """Return the same as a fraction of what always asking that model costs; None when that is nothing."""
        always = self.always_usd[tier.label]
        return self.saved_usd(tier) / always if always else None

    def as_dict(self) -> dict[str, object]:
        """Return the summary for JSON."""
        return {
            "requests": self.requests,
            "failures": self.failures,
            "fallbacks": self.fallbacks,
            "by_tier": dict(self.by_tier),
            "by_model": dict(self.by_model),
            "usd": self.usd,
            "estimated": self.estimated,
            "unknown_cost": self.unknown_cost,
            "always_usd": dict(self.always_usd),
            "saved_usd": {tier.label: self.saved_usd(tier) for tier in Tier},
            "saved_share": {tier.label: self.saved_share(tier) for tier in Tier},
            "latency_seconds": {name: each.as_dict() for name, each in self.latencies.items()},
        }


class Collector:
    """Adds up finished calls; safe to use from several threads, and bounded in memory."""

    def __init__(self, config: RouterConfig) -> None:
        """Start with nothing; the configuration gives the prices of the comparisons."""
        self._lock = threading.RLock()  # a stream that is dropped, not closed, ends inside any allocation
        self._prices = {tier.label: config.price(config.tier(tier).model) for tier in Tier}
        self._counts: Counter[str] = Counter()
        self._tiers: Counter[str] = Counter()
        self._models: Counter[str] = Counter()
        self._usd: defaultdict[str, float] = defaultdict(float)
        self._windows: dict[str, LatencyWindow] = {}

    def add(self, routing: Routing) -> None:
        """Take in one finished call."""
        name = NAMED if routing.tier is None else routing.tier.label
        with self._lock:
            self._counts["requests"] += 1
            self._tiers[name] += 1
            self._windows.setdefault(name, LatencyWindow(_WINDOW)).add(routing.latency)
            if routing.model is None:
                self._counts["failures"] += 1
                return
            self._models[routing.model] += 1
            self._counts["fallbacks"] += routing.fell_back
            self._add_cost(routing)

    def summary(self) -> Summary:
        """Return what has been collected so far."""
        with self._lock:
            return Summary(
                requests=self._counts["requests"],
                failures=self._counts["failures"],
                fallbacks=self._counts["fallbacks"],
                by_tier=dict(self._tiers),
                by_model=dict(self._models),
                usd=self._usd["all"],
                estimated=self._counts["estimated"],
                unknown_cost=self._counts["unknown_cost"],
                tier_usd=self._usd["by tier"],
                always_usd={label: self._usd[label] for label in self._prices},
                latencies={name: window.latencies() for name, window in self._windows.items()},
            )

    def _add_cost(self, routing: Routing) -> None:
        cost = routing.cost
        if cost.usd is None or cost.tokens is None:
            self._counts["unknown_cost"] += 1
            return
        self._counts["estimated"] += cost.estimated
        self._usd["all"] += cost.usd
        if routing.tier is None:
            return
        self._usd["by tier"] += cost.usd
        for label, price in self._prices.items():
            self._usd[label] += 0.0 if price is None else price.of(cost.tokens)
