"""A call sent along its chain as bytes, and its answer handed back as bytes, parsed no more than need be.

The third shell beside `TierRouter` and `AsyncTierRouter`: attempts, deadlines, fallback and record are as
theirs.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from serving.call import Call
from serving.chain import Failure
from serving.deadline import within
from serving.proxy.chunks import Dialect, parsed
from serving.proxy.event_stream import EventStream, in_sdk_terms
from serving.proxy.wire import NeverSentError, Reply, WireClient, WireError
from serving.spending.ledger_row import Outcome
from serving.stream_watch import StreamWatch
from serving.trial import Trial
from serving.upstream import (
    FAILURES,
    APIConnectionError,
    APIStatusError,
    BrokenAnswerError,
    Request,
    Response,
    status_error,
)

__all__ = ["Forwarded", "Forwarder", "Gate", "Headers", "encoded", "passed_on"]

Headers = tuple[tuple[str, str], ...]

_LARGEST = 64 * 2**20
_PASSED_ON = frozenset({"content-type", "retry-after", "retry-after-ms", "x-should-retry", "x-request-id"})
_PASSED_ON_PREFIXES = ("x-ratelimit-", "openai-")
_HEADERS = {
    "accept": "*/*",
    "accept-encoding": "identity",
    "content-type": "application/json",
    "user-agent": "tierwise",
}
_BEFORE_THE_DEADLINE = 0.05  # seconds, so that a connection that does not come is told apart from an answer


class Gate(Protocol):
    """Lets attempts through, or keeps them back, and learns what they came to."""

    async def hold(self, trial: Trial) -> str:
        """Return why an attempt may not be made; empty when it may."""

    def settle(self, trial: Trial, outcome: Outcome, failure: Failure | None) -> None:
        """Take in what an attempt came to; where it is the call's last, its record is complete."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """An answer on its way to the client.

    Attributes:
        status: of the response.
        headers: those of the upstream's that mean something to the client.
        body: the whole answer; or, of a stream, its events, which must be closed in the end.
    """

    status: int
    headers: Headers
    body: "bytes | EventStream"


def passed_on(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers of an upstream that a client gets to see: type, limits, ids; nothing of the wire.

    Args:
        headers: their names in lower case.
    """
    return tuple(
        (name, value) for name, value in headers if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)
    )


def encoded(body: object) -> bytes:
    """Return a body as JSON; lone surrogates, which UTF-8 cannot hold, as the escapes that they came as."""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":")).encode()


class Forwarder:
    """Sends the calls of one request upstream."""

    def __init__(
        self,
        client: WireClient,
        gate: Gate,
        dialect: Dialect,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        more_headers: Callable[[], Headers] = tuple,
    ) -> None:
        """Send through a client.

        Args:
            client: shared by all.
            gate: the request's own.
            dialect: of the answers.
            sleep: waits so many seconds for room on a channel.
            more_headers: gives what the attempt that is about to be made sends along.
        """
        self._more_headers = more_headers
        self._sleep = sleep
        self._client = client
        self._gate = gate
        self._dialect = dialect

    async def forward(self, call: Call) -> Forwarded:
        """Try the models of a call's chain until one answers, on streams until its first token.

        Raises:
            ChainFailedError: no model of the chain answered.
            APIError: the request was refused, or the model that the caller named failed.
        """
        for trial in call.trials():
            if trial.wait:
                await self._sleep(trial.wait)
            refusal = await self._gate.hold(trial)
            if refusal:
                call.skip(trial.candidate, refusal)
                continue
            try:
                async with within(trial.deadline):
                    return await self._attempt(trial)
            except FAILURES as error:
                failure = trial.failure_of(error)
                self._fail(trial, error, failure)
            except asyncio.CancelledError:
                self._left(trial)
                raise
        raise call.exhausted()

    async def _attempt(self, trial: Trial) -> Forwarded:
        reply = await self._send(trial)
        try:
            if trial.call.order.streams:
                return await self._streamed(trial, reply)
            answer = await self._whole(trial, reply)
        except BrokenAnswerError:
            trial.deadline.response = _in_sdk_terms(trial, reply, b"")
            raise
        self._gate.settle(trial, Outcome.ANSWERED, None)
        return answer

    def _fail(self, trial: Trial, error: Exception, failure: Failure) -> None:
        try:
            trial.fail(error)
        finally:  # only now the record says that this attempt was made
            self._gate.settle(trial, _outcome_of(error), failure)

    async def _send(self, trial: Trial) -> Reply:
        order, deadline = trial.call.order, trial.deadline
        headers = (*trial.bearer.items(), *_HEADERS.items(), *self._more_headers())
        body = encoded(trial.body)
        seconds = max(0.001, deadline.left() - _BEFORE_THE_DEADLINE)
        trial.sending()
        try:
            reply = await self._client.send("POST", trial.url, headers, body, connect_seconds=seconds)
            trial.responded = True
            if reply.status < 300:
                if not order.streams:
                    deadline.begun()
                return reply
            body = await _read(reply)
        except WireError as error:
            raise in_sdk_terms(error, trial.url) from error
        raise status_error(_in_sdk_terms(trial, reply, body))

    async def _whole(self, trial: Trial, reply: Reply) -> Forwarded:
        try:
            body = await _read(reply)
        except WireError as error:
            raise in_sdk_terms(error, trial.url) from error
        said = self._dialect.said(parsed(body))
        if said.tokens is not None:
            trial.answered(said.tokens)
        else:
            trial.answered_text(said.text)
        mask = trial.call.shared.keys.mask_bytes
        return Forwarded(reply.status, passed_on(reply.headers), mask(body))

    async def _streamed(self, trial: Trial, reply: Reply) -> Forwarded:
        def settled(outcome: Outcome, failure: Failure | None) -> None:
            self._gate.settle(trial, outcome, failure)

        events = EventStream(StreamWatch(trial), reply, self._dialect, settled)
        await events.prime()
        return Forwarded(reply.status, passed_on(reply.headers), events)

    def _left(self, trial: Trial) -> None:
        """The call was cancelled before anything came: what the upstream bills for it, nobody will tell."""
        if not trial.call.complete:
            cause = "cancelled before the answer came"
            trial.left()
            trial.answered(None, cause, cause)
            self._gate.settle(trial, Outcome.CANCELLED, Failure(cause))


async def _read(reply: Reply) -> bytes:
    """Read a body of bounded size, and close the answer."""
    body = await reply.read(_LARGEST)
    if body is None:
        raise BrokenAnswerError(f"the answer is larger than {_LARGEST // 2**20} MiB")
    return body


def _in_sdk_terms(trial: Trial, reply: Reply, body: bytes) -> Response:
    """The answer as the SDK's exceptions carry it, its body as it came."""
    response = Response(reply.status, headers=list(reply.headers), request=Request("POST", trial.url))
    response._content = body
    return response


def _outcome_of(error: Exception) -> Outcome:
    """Failed where the upstream did no work; otherwise nobody knows what it will bill."""
    never_sent = isinstance(error, APIConnectionError) and isinstance(error.__cause__, NeverSentError)
    return Outcome.FAILED if never_sent or isinstance(error, APIStatusError) else Outcome.UNKNOWN
