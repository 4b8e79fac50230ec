"""How models and tiers fare, for those who look at it: status pages, metrics, people."""

from dataclasses import dataclass

from classifier.tier import Tier
from serving.health.terms import Cause, State
from serving.keys import Channel

__all__ = ["TargetHealth", "TierHealth"]


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """How one model fares on its channel.

    Attributes:
        model: its name.
        channel: by which it is reached.
        tiers: whose first model it is.
        state: of its circuit.
        cause: why the circuit is not closed; None when it is.
        why: why the model is not asked now, or not without reserve, in words; empty when it is.
        calls: in the window; where the circuit is not closed, in the one that opened it.
        error_rate: the share of them that failed, in [0, 1]; None without calls.
        slow_rate: the share of them that took too long, in [0, 1]; None without calls.
        opened_at: when the circuit opened, in seconds since the epoch; None when it is closed.
        retry_in: seconds until the model may be asked again, for its circuit, its `Retry-After` or its
            channel's limit; 0 for now.
        p95_seconds: 95 % of the calls in the window had their first token within this; None without calls.
        objective_seconds: what that is to be at most; None without an objective.
    """

    model: str
    channel: Channel
    tiers: tuple[Tier, ...]
    state: State
    cause: Cause | None
    why: str
    calls: int
    error_rate: float | None
    slow_rate: float | None
    opened_at: float | None
    retry_in: float
    p95_seconds: float | None
    objective_seconds: float | None

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON-able values."""
        return {
            "model": self.model,
            "channel": self.channel.value,
            "tiers": [tier.label for tier in self.tiers],
            "state": self.state.value,
            "cause": None if self.cause is None else self.cause.value,
            "why": self.why,
            "calls": self.calls,
            "error_rate": self.error_rate,
            "slow_rate": self.slow_rate,
            "opened_at": self.opened_at,
            "retry_in_seconds": self.retry_in,
            "p95_seconds": self.p95_seconds,
            "objective_seconds": self.objective_seconds,
        }


@dataclass(frozen=True, slots=True)
class TierHealth:
    """How fast a tier answers, whichever model does.

    Attributes:
        tier: whose calls.
        calls: in the window, that came to a first token.
        p95_seconds: 95 % of them had it within this, failed attempts and waits included; None without calls.
        objective_seconds: what that is to be at most; None without an objective.
    """

    tier: Tier
    calls: int
    p95_seconds: float | None
    objective_seconds: float | None

    @property
    def is_met(self) -> bool | None:
        """Whether the objective is kept; None without one, or without calls."""
        if self.p95_seconds is None or self.objective_seconds is None:
            return None
        return self.p95_seconds <= self.objective_seconds

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON-able values."""
        return {
            "tier": self.tier.label,
            "calls": self.calls,
            "p95_seconds": self.p95_seconds,
            "objective_seconds": self.objective_seconds,
            "is_met": self.is_met,
        }
