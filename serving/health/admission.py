"""Leave to ask a model, or why it may not be asked now; and what the configuration says of both."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass

from classifier.tier import Tier
from serving.health.breaker import Ticket
from serving.health.limiter import Limiter
from serving.health.pause import Pause
from serving.health.settings import BreakerSettings, LimitSettings
from serving.health.terms import Terms
from serving.keys import Channel

__all__ = ["Barred", "Bars", "HealthTerms", "Permit"]


class Bars(enum.StrEnum):
    """What keeps a model from being asked."""

    FAILING = "failing"
    SLOW = "slow"
    LIMITED = "limited"


@dataclass(frozen=True, slots=True)
class Barred:
    """A model may not be asked now.

    Attributes:
        by: what keeps it.
        reason: in words.
        retry_in: seconds until it may be asked, more than 0.
    """

    by: Bars
    reason: str
    retry_in: float


@dataclass(frozen=True, slots=True)
class HealthTerms:
    """What the configuration says.

    Attributes:
        breaker: the table of that name.
        limits: the table of that name.
        models: the first model of each tier.
        others: further models of the chains, to be shown before they are first asked.
        objectives: of the tiers that have one, in seconds.
        upstreams: the base URL of each channel: where it changes, what was known is forgotten.
    """

    breaker: BreakerSettings
    limits: LimitSettings
    models: Mapping[Tier, str]
    others: tuple[str, ...]
    objectives: Mapping[Tier, float]
    upstreams: Mapping[Channel, str]

    def of(self, model: str) -> Terms:
        """Return what a model is measured against: the objective of the tier whose first model it is.

        Of several such tiers the most lenient; a model that only stands in for others has none.
        """
        objectives = [self.objectives.get(tier) for tier, own in self.models.items() if own == model]
        known = [each for each in objectives if each is not None]
        return Terms(self.breaker, max(known) if known and len(known) == len(objectives) else None)

    def per_minute(self, channel: Channel) -> int | None:
        """Return how many requests a channel takes a minute, None for any number."""
        limits = self.limits.requests_per_minute
        return {Channel.STANDARD: limits.standard, Channel.PRO: limits.pro}.get(channel)


class Permit:
    """Leave for one attempt.

    Attributes:
        ticket: to tell the circuit what came of it.
        wait: seconds to wait before the request is sent.
        is_sent: whether it has been sent.
    """

    __slots__ = ("_limiter", "_moment", "_pause", "_terms", "is_sent", "ticket", "wait")

    def __init__(
        self,
        ticket: Ticket,
        pause: Pause,
        terms: HealthTerms,
        limiter: Limiter | None = None,
        moment: float = 0.0,
        wait: float = 0.0,
    ) -> None:
        self.ticket = ticket
        self.wait = wait
        self.is_sent = False
        self._pause = pause
        self._terms = terms
        self._limiter = limiter
        self._moment = moment

    def sending(self) -> None:
        """Tell that the request is about to be sent."""
        self.is_sent = True

    def unused(self) -> None:
        """Tell that no request will be sent."""
        self.ticket.freed()
        if self._limiter is not None:
            self._limiter.give_back(self._moment)
            self._limiter = None

    def leave_alone(self, seconds: float, status: int) -> None:
        """Tell for how many seconds the model asks to be left alone, with which status."""
        seconds = min(seconds, self._terms.limits.longest_retry_after_seconds)
        if seconds > 0:
            self._pause.extend(seconds, status)
