"""One attempt: what is sent, what comes of it, and whether the next model may be tried. No I/O here."""

import weakref
from typing import TYPE_CHECKING, Any, NoReturn

from serving.chain import TIMED_OUT, Candidate, Failure
from serving.cost import Cost, Price, Tokens, estimate_prompt, estimate_tokens
from serving.deadline import Deadline
from serving.health import Permit, retry_after
from serving.keys import Channel
from serving.routing import Attempt, Routing, attach
from serving.upstream import (
    CHAT_COMPLETIONS,
    PARSER_COMPLAINTS,
    APIError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    ChatCompletion,
    Request,
    check_answer,
    mask_error,
    said,
)

if TYPE_CHECKING:
    from serving.call import Call

__all__ = ["Trial"]

_NOT_FOUND = 404
_TOO_MANY = 429


class Trial:
    """One attempt: what is sent, and what comes of it.

    Attributes:
        call: that it belongs to.
        candidate: who is asked.
        deadline: of the attempt.
        responded: whether the head of a response has come, where the shell tells it.
    """

    def __init__(self, call: "Call", candidate: Candidate, deadline: Deadline, permit: Permit) -> None:
        """Begin an attempt, whose time is running.

        Args:
            call: that it belongs to.
            candidate: who is asked.
            deadline: of the attempt.
            permit: by which it is made.
        """
        self.call = call
        self.candidate = candidate
        self.deadline = deadline
        self._permit = permit
        self._opened = False
        self._sent_at = deadline.started_at
        self.responded = False

    @property
    def routing(self) -> Routing:
        """The record of the call as it stands."""
        return self.call.routing()

    @property
    def wait(self) -> float:
        """Seconds to wait before the request is sent, 0 for none."""
        return self._permit.wait

    @property
    def path(self) -> str:
        """Where the request goes: a path of the standard channel, or an absolute URL."""
        elsewhere = self.call.shared.config.pro_base_url
        return self.url if self.candidate.channel is Channel.PRO and elsewhere else CHAT_COMPLETIONS

    @property
    def url(self) -> str:
        """The absolute URL that the request goes to."""
        config, direct = self.call.shared.config, self.candidate.direct
        if direct is not None:
            return direct.base_url.rstrip("/") + self.call.order.path
        return config.base(self.candidate.channel) + self.call.order.path

    @property
    def bearer(self) -> dict[str, str]:
        """The header with the channel's key; empty where there is none."""
        direct = self.candidate.direct
        key = self.call.shared.keys.of(self.candidate.channel) if direct is None else direct.key
        return {} if key is None else {"Authorization": f"Bearer {key.reveal()}"}

    @property
    def price(self) -> Price | None:
        """What the model asks, or None where nobody has configured it."""
        direct = self.candidate.direct
        return self.call.shared.config.price(self.candidate.model) if direct is None else direct.price

    @property
    def body(self) -> dict[str, Any]:
        """What is sent."""
        body, direct = self.call.order.body_for(self.candidate.model), self.candidate.direct
        if direct is None:
            return body
        return body | {name: value for name, value in direct.more.items() if body.get(name) is None}

    def request(self, *, interruptible: bool) -> dict[str, Any]:
        """Return body and options for the SDK's `post`.

        Args:
            interruptible: whether the waits are also bounded from outside, as in asyncio.
        """
        self.sending()
        order, channel = self.call.order, self.candidate.channel
        options = {
            **order.options,
            "timeout": self.deadline.timeout(streams=order.streams, interruptible=interruptible),
            "max_retries": 0,
            "post_parser": self.received,
        }
        if channel is not Channel.STANDARD and self.bearer:
            options["headers"] = {**self.bearer, **(order.options.get("headers") or {})}
        return {"body": self.body, "options": options}

    def received(self, parsed: Any) -> Any:
        """Take in what the SDK parsed, check it, close the record, and hand it on with the record attached.

        Raises:
            BrokenAnswerError: it is no chat completion.
        """
        if self.call.order.streams:
            if hasattr(parsed, "follow"):  # a raw response may be parsed into any stream class
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
            parsed = raw.parse()
        except PARSER_COMPLAINTS:
            if not self.call.complete:
                raise
            parsed = None
        if self.call.complete:
            attach(raw, self.routing)
        return parsed

    def opened(self, raw: Any) -> None:
        """Take in a response whose body is left to the caller: nothing can fall back any more."""
        raw._routed = self
        self._opened = True
        self.first_token()
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
            cost = Cost.of(model, tokens, self.price, note)
        self.first_token()
        self._permit_outcome(Failure(failure) if failure else None)
        self.call.end(self._attempt(Failure(failure)), cost)

    def first_token(self) -> None:
        """Note that the answer comes from this attempt: its first token, or a whole answer's, is there."""
        self.call.answering(self)
        self._permit.ticket.first_token(self._waited())

    def sending(self) -> None:
        """Note that the request is about to be sent."""
        self._sent_at = self.call.shared.clock()
        self._permit.sending()

    def dropped(self) -> None:
        """Note that nothing more will come of the attempt, whatever has not been told of it."""
        if self._permit.is_sent:
            self.left()
        else:
            self._permit.unused()

    def left(self) -> None:
        """Note that the caller went away before the answer was whole, which is no fault of the model's."""
        self._permit.ticket.freed(self._waited() if self.deadline.first_at is None else 0.0)

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
        failure = self.failure_of(error)
        self._permit_outcome(failure)
        self._heed(error)
        if (failure.falls_back or self.candidate.direct is not None) and not call.alone:
            call.failed(self._attempt(failure), error)
            return
        call.end(self._attempt(failure), Cost(None, None, "no answer"))
        self._surface(error)

    def failure_of(self, error: Exception) -> Failure:
        """Mask the keys in what the SDK raised, and judge it."""
        mask_error(error, self.call.shared.keys.mask)
        return Failure.of(error)

    def _permit_outcome(self, failure: Failure | None) -> None:
        """Tell the model's circuit what came of the attempt, and of whose making it is."""
        ticket = self._permit.ticket
        if failure is None:
            ticket.succeeded()
        elif failure.cause == TIMED_OUT and not self._had_its_time():
            self.left()
        elif failure.falls_back and not (failure.status == _NOT_FOUND and self.call.alone):
            ticket.failed(self._waited())
        else:
            ticket.freed()

    def _had_its_time(self) -> bool:
        """Whether a time-out is the model's fault: it had what is configured, not what its caller left it."""
        return self.call.was_patient(self._elapsed(), begun=self.deadline.first_at is not None)

    def _heed(self, error: Exception) -> None:
        """Leave the model alone for as long as it asks."""
        if not isinstance(error, APIStatusError) or not (
            error.status_code == _TOO_MANY or error.status_code >= 500
        ):
            return
        seconds = retry_after(error.response.headers, self.call.shared.health.wall())
        if seconds is not None:
            self._permit.leave_alone(seconds, error.status_code)

    def _elapsed(self) -> float:
        return self.call.shared.clock() - self.deadline.started_at

    def _waited(self) -> float:
        """How long the model took to its first token, or has so far; what came before is not its own."""
        first_at = self.deadline.first_at
        return (self.call.shared.clock() if first_at is None else first_at) - self._sent_at

    def _surface(self, error: Exception) -> NoReturn:
        surfaced = self._in_sdk_terms(error)
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
        candidate = self.candidate
        return Attempt(
            candidate.model,
            candidate.channel,
            self._elapsed(),
            failure.cause,
            failure.status,
            self.responded,
        )

    def _tokens_of(self, parsed: Any) -> tuple[Tokens | None, str, str]:
        if not isinstance(parsed, ChatCompletion):
            return None, "", "the answer was not parsed as a chat completion"
        usage = Tokens.from_usage(parsed.usage)
        return usage or self._estimate("".join(said(choice.message) for choice in parsed.choices)), "", ""

    def _estimate(self, text: str) -> Tokens:
        order = self.call.order
        prompt = estimate_prompt(order.body if order.prompt is None else order.prompt)
        return Tokens(prompt, estimate_tokens(text), estimated=True)

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
