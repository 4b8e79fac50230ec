"""A call sent along its chain as bytes, and its answer handed back as bytes, parsed no more than need be.

The third shell beside `TierRouter` and `AsyncTierRouter`: attempts, deadlines, fallback and record are as
theirs.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

import httpx2

from serving.call import Call
from serving.chain import Failure
from serving.cost import Cost
from serving.deadline import within
from serving.proxy.chunks import check_completion, piece_of, said_in, tokens_of
from serving.proxy.events import DONE, EventCutter, data_of, parsed
from serving.stream_watch import StreamWatch
from serving.trial import Trial
from serving.upstream import (
    FAILURES,
    APIConnectionError,
    APITimeoutError,
    BrokenAnswerError,
    status_error,
)

__all__ = ["Forwarded", "Forwarder", "Gate", "passed_on"]

Headers = tuple[tuple[str, str], ...]

_LARGEST = 64 * 2**20
_PASSED_ON = frozenset({"content-type", "retry-after", "x-request-id"})
_PASSED_ON_PREFIXES = ("x-ratelimit-", "openai-")


class Gate(Protocol):
    """Lets attempts through, or keeps them back, and learns what they came to."""

    async def hold(self, trial: Trial) -> str:
        """Return why an attempt may not be made; empty when it may."""

    async def settle(self, trial: Trial, cost: Cost | None, failure: Failure | None) -> None:
        """Take in what an attempt came to: a cost where it answered, a failure where it did not."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """An answer on its way to the client.

    Attributes:
        status: of the response.
        headers: those of the upstream's that mean something to the client.
        body: the whole answer; or, of a stream, its events one by one, from the first.
    """

    status: int
    headers: Headers
    body: bytes | AsyncIterator[bytes]


def passed_on(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers of an upstream that a client gets to see: type, limits, ids; nothing of the wire."""
    return tuple(
        (name.lower(), value)
        for name, value in headers
        if name.lower() in _PASSED_ON or name.lower().startswith(_PASSED_ON_PREFIXES)
    )


class Forwarder:
    """Sends calls upstream."""

    def __init__(self, client: httpx2.AsyncClient, gate: Gate) -> None:
        """Send through a client, whose responses tell their deadlines (`watch_async`)."""
        self._client = client
        self._gate = gate

    async def forward(self, call: Call) -> Forwarded:
        """Try the models of a call's chain until one answers, on streams until its first token.

        Raises:
            ChainFailedError: no model of the chain answered.
            APIError: the request was refused, or the model that the caller named failed.
        """
        for trial in call.trials():
            refusal = await self._gate.hold(trial)
            if refusal:
                call.skip(trial.candidate, refusal)
                continue
            try:
                async with within(trial.deadline):
                    response = await self._send(trial)
                    if call.order.streams:
                        return await self._streamed(trial, response)
                    answer = await self._whole(trial, response)
            except FAILURES as error:
                await self._gate.settle(trial, None, trial.failure_of(error))
                trial.fail(error)
            except asyncio.CancelledError:
                await asyncio.shield(self._left(trial))
                raise
            else:
                await self._gate.settle(trial, call.routing().cost, None)
                return answer
        raise call.exhausted()

    async def _send(self, trial: Trial) -> httpx2.Response:
        order = trial.call.order
        content = json.dumps(order.body_for(trial.candidate.model), ensure_ascii=False).encode(
            "utf-8", "surrogatepass"
        )
        request = self._client.build_request(
            "POST",
            trial.url,
            content=content,
            headers={**trial.bearer, "content-type": "application/json", "accept-encoding": "identity"},
            timeout=trial.deadline.timeout(streams=order.streams, interruptible=True),
        )
        try:
            response = await self._client.send(request, stream=True)
            if response.status_code < 400:
                return response
            await self._read(response)
        except httpx2.HTTPError as error:
            raise _in_sdk_terms(error, request) from error
        raise status_error(response)

    async def _whole(self, trial: Trial, response: httpx2.Response) -> Forwarded:
        try:
            body = await self._read(response)
        except httpx2.HTTPError as error:
            raise _in_sdk_terms(error, response.request) from error
        completion = check_completion(json.loads(body))
        tokens = tokens_of(completion.get("usage"))
        if tokens is not None:
            trial.answered(tokens)
        else:
            trial.answered_text(said_in(completion))
        return Forwarded(response.status_code, passed_on(response.headers.items()), body)

    async def _read(self, response: httpx2.Response) -> bytes:
        """Read a body of bounded size, and leave it in the response."""
        body = bytearray()
        async with aclosing(response):
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > _LARGEST:
                    raise BrokenAnswerError(f"the answer is larger than {_LARGEST // 2**20} MiB")
        response._content = bytes(body)
        return bytes(body)

    async def _streamed(self, trial: Trial, response: httpx2.Response) -> Forwarded:
        watch = StreamWatch(trial)
        events = _Events(watch, response)
        ahead = await events.prime()
        return Forwarded(
            response.status_code,
            passed_on(response.headers.items()),
            self._followed(trial, ahead, events),
        )

    async def _followed(self, trial: Trial, ahead: list[bytes], events: "_Events") -> AsyncIterator[bytes]:
        """The events of a stream whose first token has come, to its end; whatever ends it is settled."""
        try:
            for event in ahead:
                yield event
            async for event in events:
                yield event
        finally:
            await asyncio.shield(self._ended(trial, events))

    async def _ended(self, trial: Trial, events: "_Events") -> None:
        await events.close()
        await self._gate.settle(trial, trial.call.routing().cost, None)

    async def _left(self, trial: Trial) -> None:
        """The client has gone before anything came: what the upstream bills for it, nobody will tell."""
        if not trial.call.complete:
            trial.answered(None, "the client left before the answer came", "cancelled before the answer came")
        await self._gate.settle(trial, trial.call.routing().cost, None)


class _Events:
    """The events of one stream, with its record kept."""

    def __init__(self, watch: StreamWatch, response: httpx2.Response) -> None:
        self._watch = watch
        self._response = response
        self._cut = self._cut_events()

    async def prime(self) -> list[bytes]:
        """Read to the first token, and return the events until then.

        Raises:
            BrokenAnswerError: it ended before, or an error came in its place.
            APIError: the connection broke.
        """
        self._watch.priming = True
        ahead = []
        try:
            while not self._watch.begun:
                ahead += await self._step()
        except StopAsyncIteration:
            await self._response.aclose()
            self._watch.ended()
        except BaseException:
            await self._response.aclose()
            raise
        self._watch.priming = False
        return ahead

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._shown()

    async def close(self) -> None:
        await self._response.aclose()
        self._watch.closed()

    async def _shown(self) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout(self._watch.trial.deadline.left()):
                    events = await self._step()
            except StopAsyncIteration:
                self._watch.ended()
                return
            except FAILURES as error:
                self._watch.broke(error)
                yield _broken(self._watch.routing.attempts[-1].failure)
                return
            except asyncio.CancelledError:
                self._watch.left()
                raise
            for event in events:
                yield event

    async def _step(self) -> list[bytes]:
        """The next event, where the client is to see it."""
        self._watch.reading()
        event = await anext(self._cut)
        data = data_of(event)
        if data is None or data == DONE:
            return [event]
        chunk = parsed(data)
        if self._watch.priming and isinstance(chunk, dict) and chunk.get("error"):
            raise BrokenAnswerError(f"an error in the stream: {chunk['error']}")
        return [event] if self._watch.saw(piece_of(chunk, begun=self._watch.begun)) else []

    async def _cut_events(self) -> AsyncIterator[bytes]:
        cutter = EventCutter()
        try:
            async for piece in self._response.aiter_raw():
                for event in cutter.feed(piece):
                    yield event
        except httpx2.HTTPError as error:
            raise _in_sdk_terms(error, self._response.request) from error
        if cutter.rest().strip():
            yield cutter.rest()


def _broken(cause: str) -> bytes:
    """The event that tells a client of a broken stream: an end without one looks like a whole answer."""
    error = {"message": f"the upstream broke off: {cause}", "type": "upstream_error", "code": "stream_broken"}
    return b"data: " + json.dumps({"error": error}).encode() + b"\n\n"


def _in_sdk_terms(error: httpx2.HTTPError, request: httpx2.Request) -> Exception:
    if isinstance(error, httpx2.TimeoutException):
        return APITimeoutError(request)
    return APIConnectionError(request=request)
