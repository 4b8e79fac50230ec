"""One call in progress: its attempts, its times, and the record that grows out of them. No I/O here."""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from serving.chain import Candidate, Plan, Skipped
from serving.config import RouterConfig
from serving.cost import UNKNOWN, Cost
from serving.deadline import Deadline, Limits
from serving.errors import ChainFailedError
from serving.health import Barred, Bars, Health, Permit
from serving.keys import Keys
from serving.routing import Attempt, Latency, Routing
from serving.selection import Selection
from serving.trial import Trial
from serving.upstream import CHAT_COMPLETIONS, Request

__all__ = ["Call", "Order", "Shared"]

_log = logging.getLogger("serving")

_TIMERS = 0.99  # those of the system may be early by their resolution


@dataclass(frozen=True, slots=True)
class Shared:
    """What all calls of a router share.

    Attributes:
        config: models, prices, times.
        keys: of the channels.
        clock: seconds, from any start, never going back.
        finished: takes in the record of each call that ended.
        health: of the models.
    """

    config: RouterConfig
    keys: Keys
    clock: Callable[[], float]
    finished: Callable[[Routing], None]
    health: Health


@dataclass(frozen=True, slots=True)
class Order:
    """What the caller ordered, as the SDK hands it to `post`.

    Attributes:
        body: of the request, with the caller's `model`.
        options: headers, query, additions to the body, the parser of the answer.
        streams: whether a stream is wanted.
        limits: the times of the call.
        path: below the base URL.
        prompt: where the prompt is not in the body's `messages`, a chat body with the same prompt, which its
            tokens are counted from when the upstream does not tell them.
    """

    body: Mapping[str, Any]
    options: Mapping[str, Any]
    streams: bool
    limits: Limits
    path: str = CHAT_COMPLETIONS
    prompt: Mapping[str, Any] | None = None

    @property
    def wants_usage(self) -> bool:
        """Whether the caller asked for the chunk with the usage at the end of a stream."""
        return bool((self.body.get("stream_options") or {}).get("include_usage"))

    def body_for(self, model: str) -> dict[str, Any]:
        """Return the body for a model: the caller's, and on streams the wish for the usage."""
        body = {**self.body, "model": model}
        if self.streams and self.path == CHAT_COMPLETIONS:
            body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
        return body


class Call:
    """A call from the caller's request to the end of the answer.

    Attributes:
        shared: what all calls share.
        order: what the caller ordered.
        complete: whether the record is closed.
        barred: what kept models of the chain from being asked, as far as it was their health.
        kept_out: the models that it kept.
        beyond: asked at the end of the chain for somebody else who may be asked, past the aggregator.
    """

    def __init__(
        self, shared: Shared, order: Order, selection: Selection, plan: Plan, started_at: float
    ) -> None:
        """Begin; the selection has been made since `started_at`, by the clock."""
        self.shared = shared
        self.order = order
        self.complete = False
        self._selection = selection
        self._plan = plan
        self._started_at = started_at
        self._routing_seconds = shared.clock() - started_at
        self._attempts: list[Attempt] = []
        self._skipped = list(plan.skipped)
        self._may_come_back = list(plan.candidates)
        self.barred: list[Barred] = []
        self.kept_out: list[Candidate] = []
        self.beyond: Callable[[], Candidate | None] | None = None
        self._answering: Trial | None = None
        self._cost = UNKNOWN
        self._ended_at: float | None = None
        self._last_error: BaseException | None = None
        self._record: Routing | None = None

    @property
    def alone(self) -> bool:
        """Whether the caller named the model, so that no other may answer."""
        return self._plan.alone

    def trials(self) -> Iterator[Trial]:
        """Yield the attempts to make, in order, for as long as there is time.

        Models whose circuit is open are passed over; those that are only slow are asked when no other has
        answered. Whoever takes an attempt waits for its `wait` seconds first.
        """
        slow: list[tuple[Candidate, Skipped]] = []
        for number, candidate in enumerate(self._plan.candidates):
            if number and self._is_too_late(candidate):
                continue
            admitted = self._admit(candidate, last_resort=False)
            if isinstance(admitted, Permit):
                yield from self._trial(candidate, admitted)
                continue
            skipped = self._bar(candidate, admitted)
            if admitted.by is Bars.SLOW:
                slow.append((candidate, skipped))
        yield from self._last_resorts(slow)
        beyond = None if self.beyond is None else self.beyond()
        if beyond is not None:
            yield from self._as_last_resort(beyond)

    def _last_resorts(self, slow: list[tuple[Candidate, Skipped]]) -> Iterator[Trial]:
        for candidate, skipped in slow:
            self._skipped.remove(skipped)
            yield from self._as_last_resort(candidate)

    def _as_last_resort(self, candidate: Candidate) -> Iterator[Trial]:
        if self._is_too_late(candidate):
            return
        admitted = self._admit(candidate, last_resort=True)
        if isinstance(admitted, Permit):
            yield from self._trial(candidate, admitted)
        else:
            self._bar(candidate, admitted)

    def _admit(self, candidate: Candidate, *, last_resort: bool) -> Permit | Barred:
        until = self._started_at + self.order.limits.whole
        return self.shared.health.admit(
            candidate.model, candidate.channel, until, last_resort=last_resort or self.alone
        )

    def _trial(self, candidate: Candidate, permit: Permit) -> Iterator[Trial]:
        limits, clock = self.order.limits, self.shared.clock
        deadline = Deadline(limits, self._started_at + limits.whole, clock, permit.wait)
        trial = Trial(self, candidate, deadline, permit)
        try:
            yield trial
        finally:  # an answer under way will tell; anything else that is still untold never will
            if self._answering is not trial:
                trial.dropped()

    def _is_too_late(self, candidate: Candidate) -> bool:
        whole = self.order.limits.whole
        if self.shared.clock() < self._started_at + whole:
            return False
        self._skipped.append(Skipped(candidate.model, f"the call's {whole:g} s were over"))
        return True

    def _bar(self, candidate: Candidate, barred: Barred) -> Skipped:
        skipped = Skipped(candidate.model, barred.reason)
        self.barred.append(barred)
        self.kept_out.append(candidate)
        self._skipped.append(skipped)
        return skipped

    def skip(self, candidate: Candidate, reason: str) -> None:
        """Note that a model of the chain is not asked, although its turn had come."""
        if candidate in self._may_come_back:
            self._may_come_back.remove(candidate)
        self._skipped.append(Skipped(candidate.model, reason))

    def was_patient(self, seconds: float, *, begun: bool) -> bool:
        """Whether an attempt that timed out had the time that is configured, not less that its caller gave.

        Args:
            seconds: since the attempt began.
            begun: whether its first token was there.
        """
        config, tier = self.shared.config, self._selection.tier
        whole = config.deadline(tier)
        if begun:
            return self.shared.clock() - self._started_at >= whole * _TIMERS
        return seconds >= min(config.first_byte(tier), whole) * _TIMERS

    def failed(self, attempt: Attempt, error: BaseException) -> None:
        """Take in an attempt that failed and is not the last word."""
        self._attempts.append(attempt)
        self._last_error = error
        self._answering = None  # a stream may break in the very read that brings its first token
        _log.info("%s failed, trying the next model: %s", attempt.model, attempt.failure)

    def answering(self, trial: Trial) -> None:
        """Note which attempt the answer comes from."""
        self._answering = trial

    def end(self, attempt: Attempt, cost: Cost) -> None:
        """Close the record."""
        self._attempts.append(attempt)
        self._cost = cost
        self._close()

    def exhausted(self) -> ChainFailedError:
        """Close the record of a call that nobody answered, and return the error that tells it."""
        self._close()
        request = getattr(self._last_error, "request", None) or Request("POST", self.shared.config.base_url)
        retry_after, rate_limited = self._soonest()
        error = ChainFailedError(self.routing(), request, retry_after, rate_limited=rate_limited)
        error.__cause__ = self._last_error
        return error

    def _soonest(self) -> tuple[float | None, bool]:
        """After how many seconds the first model may be asked, None for now; whether only limits are why."""
        health = self.shared.health
        times = [health.retry_in(each.model, each.channel) for each in self._may_come_back]
        if not times or min(seconds for seconds, _ in times) <= 0:
            return None, False
        return min(seconds for seconds, _ in times), all(by is Bars.LIMITED for _, by in times)

    def routing(self) -> Routing:
        """Return the record as it stands; always the same one once the call is complete."""
        return self._record or self._as_it_stands()

    def _as_it_stands(self) -> Routing:
        trial, selection = self._answering, self._selection
        return Routing(
            requested=selection.requested,
            tier=selection.tier,
            decision=selection.decision,
            planned=self._plan.first,
            model=None if trial is None else trial.candidate.model,
            channel=None if trial is None else trial.candidate.channel,
            attempts=tuple(self._attempts),
            skipped=tuple(self._skipped),
            latency=self._latency(),
            cost=self._cost,
            complete=self.complete,
            _reasons=selection.reasons,
        )

    def _latency(self) -> Latency:
        first_at = None if self._answering is None else self._answering.deadline.first_at
        since = self._started_at
        return Latency(
            self._routing_seconds,
            None if first_at is None else first_at - since,
            None if self._ended_at is None else self._ended_at - since,
        )

    def _close(self) -> None:
        self._ended_at = self.shared.clock()
        self.complete = True
        self._record = self._as_it_stands()
        tier, first = self._selection.tier, self._record.latency.first_token
        if tier is not None and first is not None:
            self.shared.health.observe(tier, first)
        self.shared.finished(self._record)
