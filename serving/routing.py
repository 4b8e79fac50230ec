"""The record of one call: what was decided, who was asked, what it cost and how long it took."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from classifier.tier import Tier
from serving.chain import Skipped
from serving.cost import UNKNOWN, Cost
from serving.errors import RoutingMissingError
from serving.keys import Channel

if TYPE_CHECKING:
    from classifier import Decision

__all__ = ["Attempt", "Latency", "Reasons", "Routing", "attach", "routing_of"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to one model.

    Attributes:
        model: who was asked.
        channel: on which channel.
        seconds: until its failure, or until its answer was complete.
        failure: what went wrong, in a few words; empty when it answered.
        status: of an error response, otherwise None.
        responded: whether the head of a response had come; told by the proxy alone.
    """

    model: str
    channel: Channel
    seconds: float
    failure: str = ""
    status: int | None = None
    responded: bool = field(default=False, compare=False)

    def as_dict(self) -> dict[str, object]:
        """Return the attempt as JSON-able values."""
        return {
            "model": self.model,
            "channel": self.channel.value,
            "seconds": self.seconds,
            "failure": self.failure,
            "status": self.status,
        }


@dataclass(frozen=True, slots=True)
class Latency:
    """Where the time went, in seconds.

    Attributes:
        routing: from the call to the first request: the decision and what stands around it.
        first_token: from the call to the first token, failed attempts included; without a stream, to the
            first byte of the answer. None when none came.
        total: from the call to the end of the answer; None while a stream is running.
    """

    routing: float
    first_token: float | None = None
    total: float | None = None

    def as_dict(self) -> dict[str, float | None]:
        """Return the latencies as JSON-able values."""
        return {
            "routing_seconds": self.routing,
            "first_token_seconds": self.first_token,
            "total_seconds": self.total,
        }


class Reasons:
    """The reasons of a decision, worked out when somebody reads them: most calls' are never read."""

    __slots__ = ("_explain", "_found")

    def __init__(self, explain: Callable[[], tuple[str, ...]]) -> None:
        """Take what works the reasons out."""
        self._explain: Callable[[], tuple[str, ...]] | None = explain
        self._found: tuple[str, ...] = ()

    @classmethod
    def known(cls, *reasons: str) -> "Reasons":
        """Return reasons that need no working out."""
        return cls(lambda: reasons)

    def __call__(self) -> tuple[str, ...]:
        """Return the reasons, strongest first."""
        explain = self._explain
        if explain is not None:
            self._found, self._explain = explain(), None
        return self._found

    def __reduce__(self) -> tuple[Callable[..., "Reasons"], tuple[str, ...]]:
        return Reasons.known, self()

    def __repr__(self) -> str:
        return f"Reasons{self()!r}"


@dataclass(frozen=True, slots=True)
class Routing:
    """The record of one call; frozen: on a stream, read it again for a later state.

    Attributes:
        requested: what the caller gave as `model`.
        tier: the tier that was decided on or asked for; None when the caller named a model.
        decision: the classifier's, with probabilities and risk; None when it was not asked or failed.
        planned: the model that was meant to answer.
        model: the model that answered, None when none has.
        channel: the channel that it answered on.
        attempts: every request that was made, in order.
        skipped: the models of the chain that were not asked, and why.
        cost: of the answer; failed attempts are taken to cost nothing, since no upstream reports them.
        latency: in seconds.
        complete: whether the answer has ended, so that nothing here changes any more.
    """

    requested: str
    tier: Tier | None
    decision: "Decision | None"
    planned: str
    model: str | None
    channel: Channel | None
    attempts: tuple[Attempt, ...]
    skipped: tuple[Skipped, ...]
    latency: Latency
    cost: Cost = UNKNOWN
    complete: bool = True
    _reasons: Reasons = field(default_factory=Reasons.known, repr=False, compare=False)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why this tier, in words for people, the strongest reason first; worked out on first reading."""
        return self._reasons()

    @property
    def probabilities(self) -> tuple[float, float, float] | None:
        """The probability of each tier being the needed one, in Tier order; None without a decision."""
        return None if self.decision is None else self.decision.probabilities

    @property
    def fell_back(self) -> bool:
        """Whether another model than the planned one answered."""
        return self.model is not None and self.model != self.planned

    def failure(self) -> str:
        """Return, in one line, what became of every model that was tried or skipped."""
        tried = [
            f"{each.model} ({each.channel}, {each.seconds:.1f} s): {each.failure}" for each in self.attempts
        ]
        left_out = [f"{each.model} (not tried): {each.reason}" for each in self.skipped]
        return f"no model answered {self.requested!r}: {'; '.join(tried + left_out)}"

    def as_dict(self) -> dict[str, object]:
        """Return the record as JSON-able values, for logs."""
        return {
            "requested": self.requested,
            "tier": None if self.tier is None else self.tier.label,
            "decision": None if self.decision is None else self.decision.as_dict(),
            "reasons": list(self.reasons),
            "planned": self.planned,
            "model": self.model,
            "channel": None if self.channel is None else self.channel.value,
            "attempts": [each.as_dict() for each in self.attempts],
            "skipped": [{"model": each.model, "reason": each.reason} for each in self.skipped],
            "cost": self.cost.as_dict(),
            "latency": self.latency.as_dict(),
            "complete": self.complete,
        }


def attach(answer: object, routing: Routing) -> None:
    """Set the attribute `routing` of an answer or an error, past pydantic, so that no dump shows it."""
    if hasattr(answer, "__dict__"):
        object.__setattr__(answer, "routing", routing)


def routing_of(answer: object) -> Routing:
    """Return the record of the call that an answer, a stream or an error came from.

    Args:
        answer: a completion, a stream (also the `stream` helper's), a raw response, or an exception.

    Raises:
        RoutingMissingError: the object came from somewhere else.
    """
    for holder in (answer, getattr(answer, "_routed", None), getattr(answer, "_raw_stream", None)):
        routing = getattr(
            holder, "routing", None
        )  # the last: the SDK's stream helper keeps our stream inside
        if isinstance(routing, Routing):
            return routing
    raise RoutingMissingError(
        f"{type(answer).__name__} carries no routing record: it came from no TierRouter"
    )
