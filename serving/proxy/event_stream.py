"""A stream of the upstream's on its way to the client: events as they came, with the record kept."""

import asyncio
import json
from collections.abc import Callable
from typing import Self

from serving.chain import Failure
from serving.proxy.chunks import Dialect, parsed
from serving.proxy.events import DONE, EventCutter, data_of
from serving.proxy.unread import Unread
from serving.proxy.wire import Reply, WireError
from serving.spending.ledger_row import Outcome
from serving.stream_watch import Piece, StreamWatch
from serving.upstream import FAILURES, APIConnectionError, APITimeoutError, BrokenAnswerError, Request

__all__ = ["EventStream", "in_sdk_terms"]

_NOTHING = Piece("", has_token=False, has_choices=True, finished=False, has_usage=False, tokens=None)

Settled = Callable[[Outcome, Failure | None], None]


class EventStream:
    """An async iterator over bytes, each time all the events that the network has brought.

    Whoever has it closes it, whether it has ended or not; only then it is settled.
    """

    def __init__(self, watch: StreamWatch, reply: Reply, dialect: Dialect, settled: Settled) -> None:
        """Begin before the first event.

        Args:
            watch: keeps the record.
            reply: its body unread.
            dialect: of the events.
            settled: told once what it came to.
        """
        self._watch = watch
        self._reply = reply
        self._dialect = dialect
        self._settled = settled
        self._mask = watch.trial.call.shared.keys.mask_bytes
        self._cutter = EventCutter()
        self._unread = Unread(dialect)
        watch.said_later = self._unread.text
        self._ahead = b""
        self._broken: Exception | None = None
        self._ended = self._closed = False

    async def prime(self) -> None:
        """Read to the first token.

        Raises:
            BrokenAnswerError: it ended before, or an error came in its place.
            APIError: the connection broke.
        """
        watch = self._watch
        watch.priming = True
        ahead = []
        try:
            while not watch.begun:
                ahead.append(await self._step())
        except StopAsyncIteration:
            self._reply.close()
            watch.ended()
        except BaseException:
            self._reply.close()
            raise
        watch.priming = False
        self._ahead = b"".join(ahead)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._ahead:
            ahead, self._ahead = self._ahead, b""
            return ahead
        while not self._ended:
            shown = await self._shown()
            if shown:
                return shown
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the upstream's part, close the record and settle; more than once is fine."""
        if self._closed:
            return
        self._closed = True
        self._watch.closed()
        self._settled(*self._outcome())
        self._reply.close()

    async def _shown(self) -> bytes:
        try:
            async with asyncio.timeout(self._watch.trial.deadline.left()):
                return await self._step()
        except StopAsyncIteration:
            self._ended = True
            self._watch.ended()
            return b""
        except FAILURES as error:
            self._ended = True
            self._watch.broke(error)
            return _broken(self._watch.routing.attempts[-1].failure)
        except asyncio.CancelledError:
            self._watch.left()
            raise

    async def _step(self) -> bytes:
        """Read once; return of what it brought what the client is to see."""
        if self._broken is not None:
            raise self._broken
        self._watch.reading()
        try:
            piece = await self._reply.piece()
        except WireError as error:
            raise in_sdk_terms(error, self._watch.trial.url) from error
        if piece:
            events = self._cutter.feed(piece)
        else:
            events = [self._cutter.rest()]
            if not events[0].strip():
                raise StopAsyncIteration
            self._cutter = EventCutter()
        return self._mask(b"".join(self._taken_in(events)))

    def _taken_in(self, events: list[bytes]) -> list[bytes]:
        """Take in events; one that breaks the stream is raised once those before it have been shown."""
        shown: list[bytes] = []
        self._watch.saw(_NOTHING)  # the read is over, whatever it brought
        if self._watch.begun and self._passes(b"".join(events), len(events)):
            return events
        for event in events:
            try:
                if (self._watch.begun and self._passes(event, 1)) or self._is_shown(event):
                    shown.append(event)
            except BrokenAnswerError as error:
                if not shown or self._watch.priming:
                    raise
                self._broken = error
                break
        return shown

    def _passes(self, events: bytes, count: int) -> bool:
        """Whether events can be passed on unread; those are kept."""
        if not count or not self._dialect.is_plain(events, count):
            return False
        self._unread.keep(events)
        return True

    def _is_shown(self, event: bytes) -> bool:
        data = data_of(event)
        if data is None or data == DONE:
            return True
        chunk = parsed(data)
        if self._watch.priming and (failure := self._dialect.failure(chunk)):
            raise BrokenAnswerError(f"an error in the stream: {failure}")
        return self._watch.saw(self._dialect.piece(chunk, begun=self._watch.begun))

    def _outcome(self) -> tuple[Outcome, Failure | None]:
        routing = self._watch.routing
        failure = routing.attempts[-1].failure
        if failure:
            return Outcome.UNKNOWN, Failure(failure)
        tokens = routing.cost.tokens
        if self._ended or (tokens is not None and not tokens.estimated):
            return Outcome.ANSWERED, None
        return Outcome.CANCELLED, Failure("the client left before the end of the stream")


def _broken(cause: str) -> bytes:
    """The event that tells a client of a broken stream: an end without one looks like a whole answer."""
    error = {"message": f"the upstream broke off: {cause}", "type": "upstream_error", "code": "stream_broken"}
    return b"data: " + json.dumps({"error": error}).encode() + b"\n\n"


def in_sdk_terms(error: WireError, url: str) -> Exception:
    """Return what the SDK would raise where the upstream could not be asked."""
    request = Request("POST", url)
    if isinstance(error.__cause__, TimeoutError):
        return APITimeoutError(request)
    return APIConnectionError(request=request)
