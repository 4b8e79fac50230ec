"""Who may be asked now: circuits, `Retry-After` and limits of all models behind one question."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from classifier.tier import TIERS, Tier
from serving.health.admission import Barred, Bars, HealthTerms, Permit
from serving.health.breaker import Breaker, Standing
from serving.health.limiter import Limiter
from serving.health.pause import Pause
from serving.health.snapshot import TargetHealth, TierHealth
from serving.keys import Channel
from serving.latency import Percentiles

__all__ = ["Health"]

_MOST_TARGETS = 1024
_LAST_TIMES = 2048


@dataclass(frozen=True, slots=True)
class _Target:
    model: str
    channel: Channel
    breaker: Breaker
    pause: Pause

    @property
    def idle(self) -> bool:
        return self.breaker.idle and not self.pause.left()[0]


class Health:
    """What is known of the models; safe to use from several threads, and bounded in memory."""

    def __init__(
        self,
        terms: HealthTerms,
        clock: Callable[[], float],
        wall: Callable[[], float] = time.time,
        old: "Health | None" = None,
    ) -> None:
        """Begin.

        Args:
            terms: from the configuration.
            clock: seconds, from any start, never going back; the same as the old one's.
            wall: seconds since the epoch.
            old: the health before a reload, which goes on in this one, where the upstream is still the same.
        """
        self.terms = terms
        self.wall = wall
        self._clock = clock
        self._lock = threading.RLock()
        self._targets: dict[tuple[str, Channel], _Target] = {}
        self._limiters: dict[Channel, Limiter] = {}
        self._times: dict[Tier, deque[tuple[float, float]]] = {
            tier: deque(maxlen=_LAST_TIMES) for tier in TIERS
        }
        if old is not None:
            self._go_on_from(old)
        for channel in Channel:
            self._limit(channel)
        for model in dict.fromkeys((*terms.models.values(), *terms.others)):
            self._target(model, Channel.of(model))

    def admit(
        self, model: str, channel: Channel, until: float, *, last_resort: bool = False
    ) -> Permit | Barred:
        """Return leave to ask a model, or why it may not be asked now.

        Args:
            model: its name.
            channel: by which it is reached.
            until: when the call must have ended, by the clock.
            last_resort: whether nobody else is left: then a model that is only slow may be asked.
        """
        target = self._target(model, channel)
        if target.pause.is_on:
            seconds, status = target.pause.left()
            return Barred(Bars.LIMITED, _asked_for(status, seconds), max(seconds, 1e-3))
        ticket = target.breaker.admit(until, last_resort=last_resort)
        if ticket is None:
            return _refused(target.breaker)
        limiter = self._limiters.get(channel)
        if limiter is None:
            return Permit(ticket, target.pause, self.terms)
        now = self._clock()
        moment = limiter.take(min(self.terms.limits.longest_wait_seconds, max(0.0, until - now)))
        if moment is None:
            ticket.freed()
            wait = limiter.wait()
            return Barred(Bars.LIMITED, _is_full(channel, limiter, wait), max(wait, 1e-3))
        return Permit(ticket, target.pause, self.terms, limiter, moment, max(0.0, moment - now))

    def retry_in(self, model: str, channel: Channel) -> tuple[float, Bars | None]:
        """Return after how many seconds a model may be asked, 0 for now, and what keeps it till then."""
        target = self._target(model, channel)
        limiter = self._limiters.get(channel)
        full = 0.0 if limiter is None else limiter.wait()
        limited = max(target.pause.left()[0], 0.0 if full <= self.terms.limits.longest_wait_seconds else full)
        opened = 0.0 if target.breaker.is_only_slow else target.breaker.refusal()[0]
        if limited <= 0 and opened <= 0:
            return 0.0, None
        return max(limited, opened), Bars.LIMITED if limited >= opened else Bars.FAILING

    def observe(self, tier: Tier, seconds: float) -> None:
        """Take in after how many seconds a call of a tier had its first token, whoever answered it."""
        self._times[tier].append((self._clock(), seconds))

    def snapshot(self) -> tuple[TargetHealth, ...]:
        """Return how each model fares: those of the tiers first, then others that have been asked."""
        with self._lock:
            targets = tuple(self._targets.values())
        return tuple(sorted(map(self._seen, targets), key=lambda each: (not each.tiers, each.tiers)))

    def tiers(self) -> tuple[TierHealth, ...]:
        """Return how fast each tier answers."""
        since = self._clock() - self.terms.breaker.window_seconds
        return tuple(self._tier(tier, since) for tier in TIERS)

    def _tier(self, tier: Tier, since: float) -> TierHealth:
        times = [seconds for at, seconds in self._times[tier].copy() if at > since]
        return TierHealth(tier, len(times), _p95(times), self.terms.objectives.get(tier))

    def _seen(self, target: _Target) -> TargetHealth:
        standing: Standing = target.breaker.standing()
        paused, status = target.pause.left()
        why = standing.why or (_asked_for(status, paused) if paused else "")
        own = self.terms.models.items() if target.channel is Channel.of(target.model) else ()
        age = None if standing.opened_at is None else self._clock() - standing.opened_at
        return TargetHealth(
            model=target.model,
            channel=target.channel,
            tiers=tuple(tier for tier, model in own if model == target.model),
            state=standing.state,
            cause=standing.cause,
            why=why,
            calls=standing.counts.number,
            error_rate=standing.counts.error_rate,
            slow_rate=standing.counts.slow_rate,
            opened_at=None if age is None else self.wall() - age,
            retry_in=max(standing.retry_in, self.retry_in(target.model, target.channel)[0]),
            p95_seconds=_p95(standing.times),
            objective_seconds=target.breaker.terms.objective,
        )

    def _target(self, model: str, channel: Channel) -> _Target:
        target = self._targets.get((model, channel))
        if target is not None:
            return target
        with self._lock:
            if len(self._targets) >= _MOST_TARGETS:
                self._forget_one()
            breaker = Breaker(self.terms.of(model), self._clock, model)
            made = _Target(model, channel, breaker, Pause(self._clock))
            return self._targets.setdefault((model, channel), made)

    def _forget_one(self) -> None:
        """Forget a model of which there is nothing to remember, else the one that came first."""
        configured = {*self.terms.models.values(), *self.terms.others}
        known = [place for place in self._targets if place[0] not in configured]
        idle = (place for place in known if self._targets[place].idle)
        for place in (next(idle, *known[:1]),) if known else ():
            del self._targets[place]

    def _limit(self, channel: Channel) -> None:
        per_minute, limiter = self.terms.per_minute(channel), self._limiters.pop(channel, None)
        if per_minute is not None:
            limiter = limiter or Limiter(per_minute, self._clock)
            limiter.per_minute = per_minute
            self._limiters[channel] = limiter

    def _go_on_from(self, old: "Health") -> None:
        before, now = old.terms.upstreams, self.terms.upstreams
        kept = {each for each in Channel if before.get(each) == now.get(each)}
        with old._lock:
            targets = dict(old._targets)
        for place, target in targets.items():
            if target.channel in kept:
                target.breaker.terms = self.terms.of(target.model)
                self._targets[place] = target
        self._limiters = {each: limiter for each, limiter in old._limiters.items() if each in kept}
        self._times = old._times


def _refused(breaker: Breaker) -> Barred:
    seconds, words = breaker.refusal()
    return Barred(Bars.SLOW if breaker.is_only_slow else Bars.FAILING, words, max(seconds, 1e-3))


def _asked_for(status: int, seconds: float) -> str:
    return f"it answered {status} and asks to be left alone for {math.ceil(seconds)} s"


def _is_full(channel: Channel, limiter: Limiter, wait: float) -> str:
    most = f"the {channel} channel has sent the {limiter.per_minute} requests that it may in a minute"
    return f"{most}; the next may go in {math.ceil(wait)} s"


def _p95(times: tuple[float, ...] | list[float]) -> float | None:
    found = Percentiles.of(times)
    return None if found is None else found.p95
