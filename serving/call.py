"""One call in progress: its attempts, its times, and the record that grows out of them. No I/O here."""

import logging
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from serving.chain import Candidate, Failure, Plan, Skipped
from serving.config import RouterConfig
from serving.cost import UNKNOWN, Cost, Tokens, estimate_prompt, estimate_tokens
from serving.deadline import Deadline, Limits
from serving.errors import ChainFailedError
from serving.keys import Channel, Keys
from serving.routing import Attempt, Latency, Routing, attach
from serving.selection import Selection
from serving.upstream import (
    CHAT_COMPLETIONS,
    PARSER_COMPLAINTS,
    APIError,
    APIResponseValidationError,
    APITimeoutError,
    ChatCompletion,
    Request,
    check_answer,
    mask_error,
    said,
)

__all__ = ["Call", "Order", "Shared", "Trial"]

_log = logging.getLogger("serving")


@dataclass(frozen=True, slots=True)
class Shared:
    """What all calls of a router share.

    Attributes:
        config: models, prices, times.
        keys: of the channels.
        clock: seconds, from any start, never going back.
        finished: takes in the record of each call that ended.
    """

    config: RouterConfig
    keys: Keys
    clock: Callable[[], float]
    finished: Callable[[Routing], None]


@dataclass(frozen=True, slots=True)
class Order:
    """What the caller ordered, as the SDK hands it to `post`.

    Attributes:
        body: of the request, with the caller's `model`.
        options: headers, query, additions to the body, the parser of the answer.
        streams: whether a stream is wanted.
        limits: the times of the call.
    """

    body: Mapping[str, Any]
    options: Mapping[str, Any]
    streams: bool
    limits: Limits

    @property
    def wants_usage(self) -> bool:
        """Whether the caller asked for the chunk with the usage at the end of a stream."""
        return bool((self.body.get("stream_options") or {}).get("include_usage"))

    def body_for(self, model: str) -> dict[str, Any]:
        """Return the body for a model: the caller's, and on streams the wish for the usage."""
        body = {**self.body, "model": model}
        if self.streams:
            body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
        return body


class Call:
    """A call from the caller's request to the end of the answer."""

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
        self._answering: Trial | None = None
        self._cost = UNKNOWN
        self._ended_at: float | None = None
        self._last_error: BaseException | None = None

    @property
    def alone(self) -> bool:
        """Whether the caller named the model, so that no other may answer."""
        return self._plan.alone

    def trials(self) -> Iterator["Trial"]:
        """Yield the attempts to make, in order, for as long as there is time."""
        whole_until = self._started_at + self.order.limits.whole
        for number, candidate in enumerate(self._plan.candidates):
            if number and self.shared.clock() >= whole_until:
                reason = f"the call's {self.order.limits.whole:g} s were over"
                self._skipped.append(Skipped(candidate.model, reason))
                continue
            yield Trial(self, candidate, Deadline(self.order.limits, whole_until, self.shared.clock))

    def failed(self, attempt: Attempt, error: BaseException) -> None:
        """Take in an attempt that failed and is not the last word."""
        self._attempts.append(attempt)
        self._last_error = error
        _log.info("%s failed, trying the next model: %s", attempt.model, attempt.failure)

    def answering(self, trial: "Trial") -> None:
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
        error = ChainFailedError(self.routing(), request)
        error.__cause__ = self._last_error
        return error

    def routing(self) -> Routing:
        """Return the record as it stands."""
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
        self.shared.finished(self.routing())


class Trial:
    """One attempt: what is sent, and what comes of it."""

    def __init__(self, call: Call, candidate: Candidate, deadline: Deadline) -> None:
        """Begin an attempt, whose time is running."""
        self.call = call
        self.candidate = candidate
        self.deadline = deadline
        self._opened = False

    @property
    def routing(self) -> Routing:
        """The record of the call as it stands."""
        return self.call.routing()

    @property
    def path(self) -> str:
        """Where the request goes: a path of the standard channel, or an absolute URL."""
        elsewhere = self.call.shared.config.pro_base_url
        if self.candidate.channel is Channel.PRO and elsewhere is not None:
            return elsewhere.rstrip("/") + CHAT_COMPLETIONS
        return CHAT_COMPLETIONS

    def request(self, *, interruptible: bool) -> dict[str, Any]:
        """Return body and options for the SDK's `post`.

        Args:
            interruptible: whether the waits are also bounded from outside, as in asyncio.
        """
        order, channel = self.call.order, self.candidate.channel
        options = {
            **order.options,
            "timeout": self.deadline.timeout(streams=order.streams, interruptible=interruptible),
            "max_retries": 0,
            "post_parser": self.received,
        }
        key = self.call.shared.keys.of(channel)
        if channel is not Channel.STANDARD and key is not None:
            bearer = {"Authorization": f"Bearer {key.reveal()}"}
            options["headers"] = {**bearer, **(order.options.get("headers") or {})}
        return {"body": order.body_for(self.candidate.model), "options": options}

    def received(self, parsed: Any) -> Any:
        """Take in what the SDK parsed, check it, close the record, and hand it on with the record attached.

        Raises:
            BrokenAnswerError: it is no chat completion.
        """
        if self.call.order.streams:
            parsed.follow(self)
            return parsed
        if not self._opened:  # what the caller parses later comes as the SDK makes it, good or bad
            check_answer(parsed)
        if not self.call.complete:
            self.answered(*self._tokens_of(parsed))
        return self._as_the_caller_wants(parsed)

    def parse(self, raw: Any) -> Any:
        """Parse a raw response that has been read, so that a broken one still falls back; return the result.

        What the caller's `response_format` has to say about the answer comes when the caller parses it.
        """
        raw._routed = self
        try:
            return raw.parse()
        except PARSER_COMPLAINTS:
            if not self.call.complete:
                raise
            return None

    def opened(self, raw: Any) -> None:
        """Take in a response whose body is left to the caller: nothing can fall back any more."""
        raw._routed = self
        self._opened = True
        self.call.answering(self)
        weakref.finalize(raw, self._dropped)

    def _dropped(self) -> None:
        """Close the record of a body that the caller read without parsing it, or not at all."""
        if not self.call.complete:
            self.answered(None, note="the caller did not parse the answer")

    def answered(self, tokens: Tokens | None, failure: str = "", note: str = "") -> None:
        """Close the record of a call that this attempt has answered.

        Args:
            tokens: what the answer took; None when nobody can say.
            failure: why the answer is not whole, if it is not.
            note: what else to say about the cost.
        """
        model = self.candidate.model
        cost = Cost(None, None, note)
        if tokens is not None:
            cost = Cost.of(model, tokens, self.call.shared.config.price(model), note)
        self.call.answering(self)
        self.call.end(self._attempt(Failure(failure)), cost)

    def answered_text(self, text: str, failure: str = "", note: str = "") -> None:
        """Close the record by the text of the answer, where the upstream sent no usage."""
        self.answered(self._estimate(text), failure, note)

    def fail(self, error: Exception) -> None:
        """Take in a failure; return when the next model may be tried, otherwise raise what the SDK would.

        Raises:
            APIError: the request was refused, or the caller named the model.
        """
        call = self.call
        if call.complete:  # the answer had arrived: it is the caller's own parser that complains
            attach(error, call.routing())
            raise error
        failure = Failure.of(error)
        if failure.falls_back and not call.alone:
            call.failed(self._attempt(failure), error)
            return
        call.end(self._attempt(failure), Cost(None, None, "no answer"))
        self._surface(error)

    def _surface(self, error: Exception) -> NoReturn:
        surfaced = self._in_sdk_terms(error)
        mask_error(surfaced, self.call.shared.keys.mask)
        attach(surfaced, self.call.routing())
        raise surfaced from error.__cause__ if surfaced is error else error

    def _in_sdk_terms(self, error: Exception) -> Exception:
        if isinstance(error, APIError):
            return error
        response = self.deadline.response
        if isinstance(error, TimeoutError) or response is None:
            return APITimeoutError(Request("POST", self.path))
        return APIResponseValidationError(response, None, message=Failure.of(error).cause)

    def _attempt(self, failure: Failure) -> Attempt:
        shared, candidate = self.call.shared, self.candidate
        seconds = shared.clock() - self.deadline.started_at
        cause = shared.keys.mask(failure.cause)
        return Attempt(candidate.model, candidate.channel, seconds, cause, failure.status)

    def _tokens_of(self, parsed: Any) -> tuple[Tokens | None, str, str]:
        if not isinstance(parsed, ChatCompletion):
            return None, "", "the answer was not parsed as a chat completion"
        usage = Tokens.from_usage(parsed.usage)
        return usage or self._estimate("".join(said(choice.message) for choice in parsed.choices)), "", ""

    def _estimate(self, text: str) -> Tokens:
        return Tokens(estimate_prompt(self.call.order.body), estimate_tokens(text), estimated=True)

    def _as_the_caller_wants(self, parsed: Any) -> Any:
        routing = self.call.routing()
        parser = self.call.order.options.get("post_parser")
        try:
            wanted = parser(parsed) if parser else parsed
        except PARSER_COMPLAINTS as error:
            attach(error, routing)
            raise
        attach(wanted, routing)
        return wanted
