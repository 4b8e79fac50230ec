"""What one request has to do with the cache: it is answered from it, shares a call, or leaves its answer."""

import asyncio
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from serving.cache.directives import Directives
from serving.cache.flights import FlightLostError, Landing
from serving.cache.request_key import Place, is_repeatable, normalised, request_key
from serving.cache.settings import CacheSettings, Exact
from serving.cache.shared_stream import Reader, SharedStream
from serving.cache.status_header import Forwarding, hit_status, miss_status
from serving.cache.stored_answer import StoredAnswer
from serving.call import Call
from serving.chain import Candidate, Failure
from serving.cost import Cost, Tokens
from serving.keys import Channel
from serving.proxy.budget_gate import BudgetGate
from serving.proxy.caching import EXACT, SEMANTIC, AnswerCache, Arrival, Hit, Question
from serving.proxy.chunks import Dialect
from serving.proxy.errors import ProxyError
from serving.proxy.event_stream import EventStream
from serving.proxy.forward import Forwarded, Headers
from serving.proxy.ledger_rows import AttemptFacts, row_from_cache
from serving.proxy.whole_answers import is_whole
from serving.routing import Latency, Routing
from serving.spending.ledger_row import Outcome

__all__ = ["Landed", "Visit", "Visitor"]

_JSON = ("content-type", "application/json")
_EVENTS = ("content-type", "text/event-stream; charset=utf-8")
_SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A request that may have to do with the cache.

    Attributes:
        call: that it would make.
        models: that the call may ask.
        gate: that the call's attempts pass, with the facts for its ledger row.
        dialect: of its answer.
        messages: that the classifier read.
        cache_control: its header, several lines of it joined.
    """

    call: Call
    models: tuple[str, ...]
    gate: BudgetGate
    dialect: Dialect
    messages: Sequence[Mapping[str, Any]]
    cache_control: str


@dataclass(frozen=True, slots=True)
class Landed:
    """An answer on its way to one client.

    Attributes:
        status: of the response.
        headers: of the upstream's, those that this client is to see.
        body: the whole answer, or a stream that must be closed.
        routing: the record of the request, as far as it is known.
        said: what the cache has to say, as headers.
        lent: whether no call of this request gave it: it was stored, or is another one's.
    """

    status: int
    headers: Headers
    body: bytes | EventStream | Reader
    routing: Routing
    said: tuple[tuple[str, str], ...] = ()
    lent: bool = False

    @classmethod
    def of(cls, forwarded: Forwarded, call: Call) -> "Landed":
        """Return the answer of a call that has nothing to do with the cache."""
        return cls(forwarded.status, forwarded.headers, forwarded.body, call.routing())


class Visit:
    """One request at the cache; to be left in the end, whatever came of it."""

    def __init__(
        self, cache: AnswerCache, settings: CacheSettings, visitor: Visitor, question: Question
    ) -> None:
        """Come in; use `of`."""
        self._cache = cache
        self._settings = settings
        self._visitor = visitor
        self._question = question
        self._why = Forwarding.MISS
        self._seat: Landing[Arrival] | None = None
        self._follows: Arrival | None = None
        self._reader: Reader | None = None

    @classmethod
    def of(
        cls, cache: AnswerCache, settings: CacheSettings, visitor: Visitor, said: list[tuple[str, str]]
    ) -> "Visit | None":
        """Return the visit of a request that takes part in the cache; None of one that does not.

        Args:
            cache: of this process.
            settings: of the request's generation.
            visitor: the request.
            said: headers of its answer, to which a word is added where the request asked and takes no part.

        Raises:
            ProxyError: the request wants a stored answer or none, and takes no part.
        """
        directives = Directives.of(visitor.cache_control)
        question = None if directives.no_store else _question(cache, settings, visitor, directives)
        if question is not None:
            return cls(cache, settings, visitor, question)
        cache.count("bypasses")
        if directives.only_if_cached:
            raise _not_cached(Forwarding.BYPASS)
        if directives.said:
            said.append(("cache-status", miss_status(Forwarding.BYPASS)))
        return None

    async def hit(self) -> Landed | None:
        """Return the answer from a cache, its ledger row written; None where there is none.

        Raises:
            ProxyError: there is none, and the caller wants a stored one or none.
        """
        found = await self._cache.find(self._question, self._settings)
        if found.hit is not None:
            return self._answered_by(found.hit)
        self._why = found.why
        if self._question.directives.only_if_cached:
            raise _not_cached(found.why)
        return None

    async def landed(self, forward: Callable[[], Coroutine[Any, Any, Forwarded]]) -> Landed:
        """Return the answer of the call: this request's own, or that of one under way for the same.

        Where another one's call fails, one of those that wait for it makes its own, and the others wait on.
        So does whoever comes when the beginning of a long stream is kept no longer.

        Args:
            forward: makes the call.

        Raises:
            ProxyError: another one's call took longer than this request may.
            Exception: whatever the own call raises.
        """
        while True:
            same = (self._question.key, self._visitor.models)
            key = object() if self._question.directives.no_cache else same
            self._seat = self._cache.flights.board(key, lambda key=key: self._lead(forward, key), _close)  # type: ignore[misc]
            try:
                arrival = await self._arrival(self._seat)
            except FlightLostError:
                await self._seat.leave()
                continue
            if self._seat.leads or _has_its_beginning(arrival):
                return self._landed(arrival, leads=self._seat.leads)
            self._seat.shut()
            await self._seat.leave()

    async def leave(self) -> None:
        """Close what the visit opened; of a shared stream, write the row now that it has ended."""
        if self._reader is not None:
            await self._reader.aclose()
            if self._follows is not None:
                self._put_shared(self._follows, self._reader)
        if self._seat is not None:
            await self._seat.leave()

    def _answered_by(self, hit: Hit) -> Landed:
        answer = hit.answer
        tokens = _tokens(answer.input_tokens, answer.output_tokens)
        routing = self._routing(answer.model, Channel.of(answer.model), tokens)
        self._put(routing, hit.cache, answer.usd, Outcome.ANSWERED)
        lifetime = int(self._settings.ttl_seconds)
        said: tuple[tuple[str, str], ...] = (
            ("cache-status", hit_status(hit.ttl, SEMANTIC if hit.cache == SEMANTIC else "")),
            ("age", str(int(hit.age))),
            ("cache-control", f"private, max-age={lifetime}"),
        )
        if hit.similarity is not None:
            said = (*said, ("x-tierwise-cache-similarity", f"{hit.similarity:.4f}"))
        return Landed(200, (_EVENTS if answer.streamed else _JSON,), answer.body, routing, said, lent=True)

    async def _arrival(self, seat: Landing[Arrival]) -> Arrival:
        if seat.leads:
            return await seat.result()
        call = self._visitor.call
        until = self._visitor.gate.facts.started_at + call.order.limits.whole
        try:
            async with asyncio.timeout(until - call.shared.clock()):
                return await seat.result()
        except TimeoutError as error:
            words = "the same request was under way already, and its answer did not come in time"
            raise ProxyError(504, "upstream_timeout", words) from error

    def _landed(self, arrival: Arrival, *, leads: bool) -> Landed:
        body: bytes | Reader
        if isinstance(arrival.body, SharedStream):
            body = self._reader = arrival.body.reader()
        else:
            body = arrival.body
        if leads:
            said = (("cache-status", miss_status(self._why)),)
            return Landed(arrival.status, arrival.headers, body, self._visitor.call.routing(), said)
        self._cache.count("collapsed")
        self._follows = arrival
        routing = self._shared_routing(arrival)
        if self._reader is None:
            self._put(routing, EXACT, arrival.call.routing().cost.usd, Outcome.ANSWERED)
        kind = tuple(each for each in arrival.headers if each[0] == "content-type")
        said = (("cache-status", miss_status(Forwarding.MISS, collapsed=True)),)
        return Landed(arrival.status, kind, body, routing, said, lent=True)

    async def _lead(self, forward: Callable[[], Coroutine[Any, Any, Forwarded]], key: object) -> Arrival:
        forwarded = await forward()
        if isinstance(forwarded.body, bytes):
            self._complete(forwarded.body, key)
            return Arrival(forwarded.status, forwarded.headers, forwarded.body, self._visitor.call)
        stream = SharedStream(
            forwarded.body, self._settings.largest_bytes, lambda whole: self._complete(whole, key)
        )
        return Arrival(forwarded.status, forwarded.headers, stream, self._visitor.call)

    def _complete(self, body: bytes | None, key: object) -> None:
        """Store the answer where it may stand for the next one; until it is stored others can still join."""
        seat = self._cache.flights.hold(key) if body is not None and self._may_stay(body) else None
        if seat is None or body is None:
            if self._seat is not None:
                self._seat.shut()
            return
        order, dialect = self._visitor.call.order, self._visitor.dialect

        def made() -> StoredAnswer | None:
            return self._stored(body) if is_whole(dialect, body, streamed=order.streams) else None

        async def then() -> None:
            seat.shut()
            await seat.leave()

        self._cache.keep(self._question, made, then)

    def _may_stay(self, body: bytes) -> bool:
        """Whether the model that was meant to answer did, on its own channel, and it is not too much."""
        routing = self._visitor.call.routing()
        failed = not routing.attempts or routing.attempts[-1].failure
        as_planned = routing.model == routing.planned and routing.channel is Channel.of(routing.planned)
        if not routing.complete or failed or not as_planned or self._visitor.gate.downgraded:
            return False
        return len(body) <= self._settings.largest_bytes

    def _stored(self, body: bytes) -> StoredAnswer:
        routing, place, at = self._visitor.call.routing(), self._question.place, self._cache.now()
        tokens = routing.cost.tokens
        return StoredAnswer(
            key=self._question.key,
            scope=place.scope,
            at=at,
            expires_at=at + self._settings.ttl_seconds,
            model=routing.planned,
            channel=Channel.of(routing.planned).value,
            streamed=place.streamed,
            body=body,
            tier=place.tier,
            model_version=place.model_version,
            input_tokens=None if tokens is None else tokens.input,
            output_tokens=None if tokens is None else tokens.output,
            usd=routing.cost.usd,
        )

    def _shared_routing(self, arrival: Arrival) -> Routing:
        found = arrival.call.routing()
        model = found.model or found.planned
        return self._routing(model, found.channel or Channel.of(model), found.cost.tokens)

    def _routing(self, model: str, channel: Channel, tokens: Tokens | None) -> Routing:
        """The record of this request with an answer that cost it nothing."""
        own, clock = self._visitor.call.routing(), self._visitor.call.shared.clock
        seconds = clock() - self._visitor.gate.facts.started_at
        return replace(
            own,
            model=model,
            channel=channel,
            cost=Cost(0.0, tokens),
            latency=Latency(own.latency.routing, seconds, seconds),
            complete=True,
        )

    def _put_shared(self, arrival: Arrival, reader: Reader) -> None:
        """Write the row of a stream that was another request's."""
        made = arrival.call.routing()
        broken = made.attempts[-1].failure if made.complete and made.attempts else ""
        routing = self._shared_routing(arrival)
        if broken:
            self._put(routing, EXACT, None, Outcome.FAILED, broken)
        elif reader.ended:
            self._put(routing, EXACT, made.cost.usd, Outcome.ANSWERED)
        else:
            self._put(routing, EXACT, None, Outcome.CANCELLED, "the client left before the end of the stream")

    def _put(
        self, routing: Routing, cache: str, saved_usd: float | None, outcome: Outcome, cause: str = ""
    ) -> None:
        attempt = AttemptFacts(
            attempt_id=uuid.uuid4().hex,
            number=0,
            candidate=Candidate(f"{routing.model}", routing.channel or Channel.STANDARD),
            outcome=outcome,
            failure=Failure(cause) if cause else None,
            ended_at=self._visitor.call.shared.clock(),
            downgraded=False,
        )
        self._cache.put_row(row_from_cache(self._visitor.gate.facts, routing, attempt, cache, saved_usd))


def _question(
    cache: AnswerCache, settings: CacheSettings, visitor: Visitor, directives: Directives
) -> Question | None:
    """Return the question of a request that takes part, or None."""
    if not directives.asks and settings.exact is not Exact.REPEATABLE and cache.second is None:
        return None  # what most requests are, before anything is worked out for them
    order, routing, key_id = visitor.call.order, visitor.call.routing(), visitor.gate.facts.key_id
    repeatable = is_repeatable(order.path, order.body)
    takes_part = settings.exact is not Exact.OFF and (
        directives.asks or (repeatable and settings.exact is Exact.REPEATABLE)
    )
    if not takes_part and cache.second is None:
        return None
    config = visitor.call.shared.config
    place = Place(
        path=order.path,
        scope=_SHARED if settings.shared else "open" if key_id is None else f"key:{key_id}",
        upstreams=(f"{config.base_url}", f"{config.pro_base_url or ''}"),
        tier=None if routing.tier is None else routing.tier.label,
        model=routing.planned,
        model_version=None if routing.decision is None else routing.decision.model_version,
        streamed=order.streams,
    )
    body = normalised(order.body, streamed=order.streams)
    try:
        key = request_key(place, body)
    except RecursionError:
        return None
    question = Question(key, place, body, visitor.messages, directives, repeatable, visitor.gate.facts.at)
    wanted = takes_part or (cache.second is not None and cache.second.wants(question))
    return question if wanted else None


def _tokens(given: int | None, answered: int | None) -> Tokens | None:
    return None if given is None or answered is None else Tokens(given, answered)


def _has_its_beginning(arrival: Arrival) -> bool:
    return not isinstance(arrival.body, SharedStream) or arrival.body.whole


async def _close(arrival: Arrival) -> None:
    if isinstance(arrival.body, SharedStream):
        await arrival.body.aclose()


def _not_cached(why: Forwarding) -> ProxyError:
    return ProxyError(
        504,
        "not_cached",
        "no stored answer can be used, and the request says only-if-cached",
        headers=[("cache-status", miss_status(why)), ("x-should-retry", "false")],  # which the SDK heeds
    )
