"""What the ledger's rows come to: counts, dollars, savings, latencies; exact, and read in one pass.

Definitions, which the report's text and its JSON share:

- An attempt is one row; a request is all attempts with its id. In a group (a model, say) a request counts by
  those of its attempts that belong to the group.
- A request is answered when an attempt of it was; else it was cancelled, when its last attempt was; else it
  failed. A fallback is a request that another model answered than the planned one, because that one failed;
  a request that a budget sent lower, by pacing or at its cap, is counted apart from those.
- Spent is the sum of all known costs, those reckoned from estimated tokens included. Attempts whose cost
  nobody can say are counted, and stand in no sum.
- A hit is a request that a cache answered, or the call of another one that asked the same at the same time:
  no model was asked for it, and it cost nothing. What it saved is what its answer cost when it was made,
  where that is known. Its tokens and its latency stand in no sum and no percentile: those tell
  of models.
- What another model would have cost is reckoned token for token, at the configured prices, from the attempts
  that were routed by tier and whose tokens and cost are known. Another model would have said other things.
- Latencies are those of answered requests, from the arrival, failed attempts included; percentiles by the
  nearest rank, so that each is a value that was measured.
"""

import enum
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from classifier import TIERS, Tier
from serving.config import RouterConfig
from serving.cost import Price, Tokens
from serving.keys import Channel
from serving.latency import Latencies, Percentiles
from serving.spending.budget_terms import day_of
from serving.spending.exact_sum import ExactSum
from serving.spending.ledger_row import ChosenBy, LedgerRow, Outcome
from serving.spending.requests import LoggedRequest, requests_of
from serving.summary import NAMED, Summary

__all__ = ["By", "Figures", "Report", "build_report"]

NO_KEY = "no key"
_BREAK_GLASS = Channel.BREAK_GLASS.value


class By(enum.StrEnum):
    """What rows are put together by."""

    TIER = "tier"
    MODEL = "model"
    KEY = "key"
    DAY = "day"

    def group_of(self, row: LedgerRow, zone: tzinfo) -> str:
        """Return the group that a row belongs to; days are those of the zone."""
        match self:
            case By.TIER:
                return row.tier or NAMED
            case By.MODEL:
                return row.model
            case By.KEY:
                return row.key_id or NO_KEY
        return day_of(row.at, zone)


@dataclass(slots=True)
class Figures:
    """What some attempts come to; added up while the ledger is read.

    Attributes:
        requests: that they belong to.
        attempts: how many there are.
        answered: requests that got an answer.
        cancelled: requests that ended because the client left.
        fallbacks: requests that another model answered than the planned one, which failed.
        lowered: requests that a budget sent to a lower tier.
        hits: requests that a cache answered.
        break_glass: requests that a direct provider answered, because the aggregator could not be reached.
        failed_attempts: attempts that failed, or of which nothing is known.
        estimated: attempts whose tokens were counted from the text.
        unknown: attempts whose cost nobody can say; in no sum.
        input_tokens: of all attempts whose tokens are known, hits left out.
        output_tokens: of the same.
    """

    requests: int = 0
    attempts: int = 0
    answered: int = 0
    cancelled: int = 0
    fallbacks: int = 0
    lowered: int = 0
    hits: int = 0
    break_glass: int = 0
    failed_attempts: int = 0
    estimated: int = 0
    unknown: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    _usd: ExactSum = field(default_factory=ExactSum)
    _estimated_usd: ExactSum = field(default_factory=ExactSum)
    _cache_saved_usd: ExactSum = field(default_factory=ExactSum)
    _break_glass_usd: ExactSum = field(default_factory=ExactSum)

    @property
    def failed(self) -> int:
        """Requests that got no answer, and were not cancelled."""
        return self.requests - self.answered - self.cancelled

    @property
    def usd(self) -> float:
        """US dollars of all attempts whose cost is known."""
        return self._usd.value

    @property
    def estimated_usd(self) -> float:
        """The part of `usd` that was reckoned from estimated tokens."""
        return self._estimated_usd.value

    @property
    def hit_rate(self) -> float | None:
        """The hits as a fraction of all requests; None of none."""
        return self.hits / self.requests if self.requests else None

    @property
    def cache_saved_usd(self) -> float:
        """US dollars that the answers of the hits cost when they were made."""
        return self._cache_saved_usd.value

    @property
    def break_glass_usd(self) -> float:
        """The part of `usd` that went to direct providers."""
        return self._break_glass_usd.value

    def add(self, request: LoggedRequest) -> None:
        """Take in a request, or those attempts of it that belong here."""
        self.requests += 1
        answer = request.answer
        self.answered += answer is not None
        self.cancelled += request.outcome is Outcome.CANCELLED
        self._add_way(answer)
        for row in request.attempts:
            self._add_attempt(row)

    def _add_way(self, answer: LedgerRow | None) -> None:
        if answer is not None:
            by_budget = answer.chosen_by is ChosenBy.BUDGET
            self.lowered += by_budget
            self.hits += answer.cache is not None
            self.break_glass += answer.cache is None and answer.channel == _BREAK_GLASS
            self.fallbacks += answer.fell_back and not by_budget

    def _add_attempt(self, row: LedgerRow) -> None:
        self.attempts += 1
        self.failed_attempts += row.outcome in (Outcome.FAILED, Outcome.UNKNOWN)
        if row.cache is not None:
            self._cache_saved_usd.add(row.saved_usd or 0.0)
            return
        self.input_tokens += row.input_tokens or 0
        self.output_tokens += row.output_tokens or 0
        if row.usd is None:
            self.unknown += 1
            return
        self._usd.add(row.usd)
        if row.channel == _BREAK_GLASS:
            self._break_glass_usd.add(row.usd)
        if row.estimated:
            self.estimated += 1
            self._estimated_usd.add(row.usd)

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for JSON and CSV."""
        return {
            "requests": self.requests,
            "attempts": self.attempts,
            "answered": self.answered,
            "failed": self.failed,
            "cancelled": self.cancelled,
            "fallbacks": self.fallbacks,
            "lowered_by_a_budget": self.lowered,
            "cache_hits": self.hits,
            "cache_hit_rate": self.hit_rate,
            "cache_saved_usd": self.cache_saved_usd,
            "break_glass_answers": self.break_glass,
            "break_glass_usd": self.break_glass_usd,
            "failed_attempts": self.failed_attempts,
            "usd": self.usd,
            "estimated_attempts": self.estimated,
            "estimated_usd": self.estimated_usd,
            "unknown_cost_attempts": self.unknown,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
        }


@dataclass(slots=True)
class _Routed:
    """Attempts that were routed by tier and whose tokens and cost are known."""

    input_tokens: int = 0
    output_tokens: int = 0
    usd: ExactSum = field(default_factory=ExactSum)

    def add(self, row: LedgerRow) -> None:
        if row.usd is not None and row.input_tokens is not None and row.output_tokens is not None:
            self.input_tokens += row.input_tokens
            self.output_tokens += row.output_tokens
            self.usd.add(row.usd)

    def at(self, price: Price | None) -> float:
        """Return what so many tokens cost elsewhere; nothing without a price."""
        return 0.0 if price is None else price.of(Tokens(self.input_tokens, self.output_tokens))


@dataclass(slots=True)
class _Times:
    """Seconds of answered requests, as compact as arrays are."""

    routing: "array[float]" = field(default_factory=lambda: array("d"))
    first_token: "array[float]" = field(default_factory=lambda: array("d"))
    total: "array[float]" = field(default_factory=lambda: array("d"))

    def add(self, row: LedgerRow) -> None:
        measured = (row.routing_seconds, row.first_token_seconds, row.total_seconds)
        for values, seconds in zip((self.routing, self.first_token, self.total), measured, strict=True):
            if seconds is not None:
                values.append(seconds)

    def latencies(self) -> Latencies:
        return Latencies(*map(Percentiles.of, (self.routing, self.first_token, self.total)))


@dataclass(frozen=True, slots=True)
class Report:
    """What a span of the ledger comes to.

    Attributes:
        by: what `groups` are put together by.
        total: of all attempts.
        groups: by name, in the order to show them.
        summary: the same as a running router tells it, with what each tier's model would have cost.
        cheap_requests: requests that cheap's own model answered because cheap was decided on.
        cheap_saved_usd: US dollars that these saved over balanced's model, token for token.
        against: another model that the spend is compared with, or None.
        against_usd: what that one would have cost.
    """

    by: By
    total: Figures
    groups: Mapping[str, Figures]
    summary: Summary
    cheap_requests: int
    cheap_saved_usd: float
    against: str | None = None
    against_usd: float = 0.0

    @property
    def cheap_saved_share(self) -> float | None:
        """What cheap saved over balanced, as a fraction of always asking balanced; None of nothing."""
        always = self.summary.always_usd[Tier.BALANCED.label]
        return self.cheap_saved_usd / always if always else None

    def as_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""
        against = None
        if self.against is not None:
            saved = self.against_usd - self.summary.tier_usd
            against = {"model": self.against, "usd": self.against_usd, "saved_usd": saved}
        told = self.summary.as_dict()
        return {
            "by": self.by.value,
            "total": self.total.as_dict(),
            "groups": {name: each.as_dict() for name, each in self.groups.items()},
            "routed_usd": self.summary.tier_usd,
            **{name: told[name] for name in ("always_usd", "saved_usd", "saved_share", "latency_seconds")},
            "against": against,
            "cheap_over_balanced": {
                "requests": self.cheap_requests,
                "saved_usd": self.cheap_saved_usd,
                "share_of_always_balanced": self.cheap_saved_share,
            },
        }


def build_report(
    rows: Iterable[LedgerRow],
    config: RouterConfig,
    by: By,
    zone: tzinfo,
    *,
    against: str | None = None,
) -> Report:
    """Add up rows of the ledger.

    Memory grows with the number of answered requests (24 bytes each) and of groups.

    Args:
        rows: in order of time, as `Ledger.rows` yields them.
        config: whose prices and tiers' models the comparisons are made with.
        by: what to put rows together by.
        zone: of the days.
        against: a model with a configured price, to compare with.
    """
    reading = _Reading(config, by, zone)
    for request in requests_of(rows):
        reading.add(request)
    return reading.report(against)


class _Reading:
    """The report while the ledger is read."""

    def __init__(self, config: RouterConfig, by: By, zone: tzinfo) -> None:
        self._config = config
        self._by = by
        self._zone = zone
        self._cheap_model = config.tier(Tier.CHEAP).model
        self._total = Figures()
        self._groups: dict[str, Figures] = {}
        self._tiers: Counter[str] = Counter()
        self._models: Counter[str] = Counter()
        self._times: dict[str, _Times] = {}
        self._routed, self._cheap = _Routed(), _Routed()
        self._cheap_requests = 0

    def add(self, request: LoggedRequest) -> None:
        self._total.add(request)
        for name, attempts in self._parted(request).items():
            self._groups.setdefault(name, Figures()).add(LoggedRequest(tuple(attempts)))
        tier, answer = request.first.tier or NAMED, request.answer
        self._tiers[tier] += 1
        if tier != NAMED:
            for row in request.attempts:
                if row.cache is None:
                    self._routed.add(row)
        if answer is not None and answer.cache is None:
            self._add_answer(tier, answer)

    def _add_answer(self, tier: str, answer: LedgerRow) -> None:
        self._models[answer.model] += 1
        self._times.setdefault(tier, _Times()).add(answer)
        if tier == Tier.CHEAP.label and answer.model == self._cheap_model:
            self._cheap_requests += 1
            self._cheap.add(answer)

    def _parted(self, request: LoggedRequest) -> Mapping[str, list[LedgerRow]]:
        parts: dict[str, list[LedgerRow]] = {}
        for row in request.attempts:
            parts.setdefault(self._by.group_of(row, self._zone), []).append(row)
        return parts

    def report(self, against: str | None) -> Report:
        balanced = self._price(Tier.BALANCED)
        return Report(
            by=self._by,
            total=self._total,
            groups=dict(sorted(self._groups.items(), key=self._place)),
            summary=self._summary(),
            cheap_requests=self._cheap_requests,
            cheap_saved_usd=self._cheap.at(balanced) - self._cheap.usd.value,
            against=against,
            against_usd=0.0 if against is None else self._routed.at(self._config.price(against)),
        )

    def _summary(self) -> Summary:
        total = self._total
        return Summary(
            requests=total.requests,
            failures=total.requests - total.answered,
            fallbacks=total.fallbacks,
            by_tier=self._tiers,
            by_model=self._models,
            usd=total.usd,
            estimated=total.estimated,
            unknown_cost=total.unknown,
            tier_usd=self._routed.usd.value,
            always_usd={tier.label: self._routed.at(self._price(tier)) for tier in TIERS},
            latencies={name: self._times[name].latencies() for name in _TIER_ORDER if name in self._times},
        )

    def _price(self, tier: Tier) -> Price | None:
        return self._config.price(self._config.tier(tier).model)

    def _place(self, group: tuple[str, Figures]) -> tuple[float, str]:
        """Tiers in their order, days by date, the others by what they cost."""
        name, figures = group
        match self._by:
            case By.TIER:
                return float(_TIER_ORDER.index(name)) if name in _TIER_ORDER else len(_TIER_ORDER), name
            case By.DAY:
                return 0.0, name
        return -figures.usd, name


_TIER_ORDER = (*(tier.label for tier in TIERS), NAMED)
