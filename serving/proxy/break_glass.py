"""Break-glass: a direct provider for each tier, asked only when the aggregator itself cannot be reached.

The aggregator counts as unreachable for a call when nothing that could be asked of it gave a sign of life:

- every attempt was cut (no connection: refused, DNS, TLS; or a reset before any byte of a response), or
  silent (no connection, or no byte of a response, in time), or got a gateway's status (502, 503, 504);
- every model that was passed over for its circuit, its `Retry-After` or its channel's limit had failed in one
  of these ways when it was last asked, and since then nothing has come from the aggregator at all: that
  spares most requests of an outage the time-outs;
- and at least one of them was cut, or at least two models were silent or behind a failing gateway: that a
  single model is silent says little about the aggregator.

Any other answer is a sign of life: 500, 429, 401, the caller's own 400, an answer that breaks off. Models
that were left out for want of a key, of budget, of time or of leave say nothing, one way or the other.

A direct provider is asked last, within the deadline of the call, and for the tier that was settled on: for
what a caller's API key may not have, no glass is broken, nor for a model that the caller named. What it may
spend a day is a budget of its own, by tier. A budget of the API key holds for it as for everything; the
premium budgets hold for it where the tier is premium, or where its price is no lower than the premium tier's.
Where one of them is used up, the caller gets the error that there would have been without it.
"""

import enum
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from classifier import Tier
from serving.alarms import Alarms
from serving.break_glass_settings import DirectSettings
from serving.call import Call
from serving.chain import TIMED_OUT, Candidate
from serving.core import RouterCore
from serving.direct import Direct
from serving.keys import Channel
from serving.routing import Attempt, Routing
from serving.serve_config import ServeConfig

__all__ = ["BREAK_GLASS", "BreakGlass", "Evidence", "evidence_of", "is_unreachable"]

BREAK_GLASS = "break-glass"
"""The name of the alarm that stands while a direct provider is asked."""

_GATEWAY = frozenset({502, 503, 504})
_ENOUGH = 2  # silent models, or models behind a failing gateway


class Evidence(enum.StrEnum):
    """How an attempt shows that the aggregator cannot be reached."""

    CUT = "cut"
    SILENT = "silent"
    GATEWAY = "gateway"


def evidence_of(attempt: Attempt) -> Evidence | None:
    """Return how an attempt shows that the aggregator cannot be reached; None for a sign of life."""
    if attempt.status is not None:
        return Evidence.GATEWAY if attempt.status in _GATEWAY else None
    if attempt.responded or not attempt.failure:
        return None
    return Evidence.SILENT if attempt.failure == TIMED_OUT else Evidence.CUT


def is_unreachable(
    attempts: Iterable[Attempt], passed_over: Iterable[str], last_seen: Mapping[str, Evidence]
) -> bool:
    """Return whether the aggregator cannot be reached, as far as one call knows.

    Args:
        attempts: of the call, on the aggregator's channels.
        passed_over: models that were not asked because of their health.
        last_seen: what the last attempt of a model showed, since the last sign of life.
    """
    found = {model: last_seen.get(model) for model in passed_over}
    found |= {attempt.model: evidence_of(attempt) for attempt in attempts}
    if not found or None in found.values():
        return False
    return Evidence.CUT in found.values() or len(found) >= _ENOUGH


class BreakGlass:
    """The direct providers of a proxy, and what was last seen of the aggregator; used in one event loop."""

    def __init__(
        self, candidates: Mapping[Tier, Candidate], alarms: Alarms, old: "BreakGlass | None" = None
    ) -> None:
        """Begin.

        Args:
            candidates: the direct providers' models, by tier.
            alarms: of which one stands while a provider is asked.
            old: the one before a reload, whose memory goes on in this one.
        """
        self.candidates = candidates
        self._alarms = alarms
        self._last_seen: dict[str, Evidence] = {} if old is None else old._last_seen
        if not candidates:  # nobody would take the alarm of before a reload back
            alarms.clear(BREAK_GLASS)

    @classmethod
    def of(cls, serve: ServeConfig, core: RouterCore, old: "BreakGlass | None" = None) -> "BreakGlass":
        """Compose from the settings; the keys are among the core's."""
        candidates = {
            tier: Candidate(each.model, Channel.BREAK_GLASS, _direct(each, tier, serve, core))
            for tier, each in serve.break_glass.by_tier().items()
        }
        return cls(candidates, core.alarms, old)

    def arm(self, call: Call, tier: Tier | None, more: Mapping[str, Any]) -> None:
        """Let a call ask the direct provider of its tier, when everything else has shown to be in vain.

        Args:
            call: not yet begun.
            tier: that was settled on; None where the caller named a model.
            more: what is put into the body, where the caller's does not hold it.
        """
        candidate = None if tier is None else self.candidates.get(tier)
        if candidate is None or candidate.direct is None:
            return
        limited = replace(candidate, direct=replace(candidate.direct, more=more))
        call.beyond = lambda: limited if self._breaks(call, f"{tier}", limited.model) else None

    def _breaks(self, call: Call, tier: str, model: str) -> bool:
        passed_over = [each.model for each in call.kept_out]
        if not is_unreachable(call.routing().attempts, passed_over, self._last_seen):
            return False
        words = f"the aggregator cannot be reached: {model} is asked directly for the tier {tier}"
        self._alarms.sound(BREAK_GLASS, words)
        return True

    def learn(self, routing: Routing) -> None:
        """Take in what a call has shown of the aggregator; on streams once at the first token is enough."""
        if not self.candidates:
            return
        answered, attempts = routing.model is not None, routing.attempts
        failed = attempts[:-1] if answered and routing.complete else attempts
        for attempt in failed:
            if attempt.channel is not Channel.BREAK_GLASS:
                self._saw(attempt.model, evidence_of(attempt), remember=routing.tier is not None)
        came = answered and (not routing.complete or attempts[-1].responded)  # or the caller left before
        if came and routing.channel is not Channel.BREAK_GLASS:
            self._last_seen.clear()
            self._alarms.clear(BREAK_GLASS)

    def _saw(self, model: str, evidence: Evidence | None, *, remember: bool) -> None:
        """Take in one attempt; models that callers name are not remembered: there is no end of them."""
        if evidence is None:
            self._last_seen.clear()
        elif remember:
            self._last_seen[model] = evidence


def _direct(own: DirectSettings, tier: Tier, serve: ServeConfig, core: RouterCore) -> Direct:
    premium = core.config.price(core.config.tier(Tier.PREMIUM).model)
    dear = premium is None or own.rates.input >= premium.input or own.rates.output >= premium.output
    budgets = (own.budget(tier), *(serve.budgets.premium if dear or tier is Tier.PREMIUM else ()))
    return Direct(own.base_url, core.keys.more[own.key_variable], own.rates, budgets)
