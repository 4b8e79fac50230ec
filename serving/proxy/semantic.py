"""The semantic cache: an ask that means the same as an answered one gets its answer.

It stands behind the exact one (`serving.proxy.caching.SecondCache`). Nothing here fails a request: what does
not come in time is a miss, and after a failure nobody asks again for some seconds.
"""

import asyncio
import json
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TypeVar

from serving.cache.asks import Ask, ask_of
from serving.cache.differences import difference
from serving.cache.embeddings import BrokenEmbeddingError, embedded_in, embedding_request
from serving.cache.indexed_ask import IndexedAsk, Neighbour, Vector
from serving.cache.semantic_settings import Requests, SemanticSettings
from serving.cache.stored_answer import StoredAnswer
from serving.cost import Tokens
from serving.embedder import bearer_of
from serving.errors import KeyMissingError, StateError
from serving.keys import Channel
from serving.proxy.caching import Question, Recalled
from serving.proxy.forward import encoded
from serving.proxy.generation import Generation
from serving.proxy.wire import WireClient, WireError
from serving.state.answers import Answers
from serving.state.neighbours import Neighbours

__all__ = ["SemanticCache", "SemanticStats"]

_log = logging.getLogger("serving")

_SILENT_SECONDS = 5.0  # after a failure
_LARGEST = 4 * 2**20  # bytes of an answer with one embedding
_MOST_REMEMBERED = 1024  # embeddings, between the question and its answer
_PRUNE_EVERY = 50  # asks that were taken in
_NEAREST = 5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SemanticStats:
    """What the semantic cache of this process did since it started.

    Attributes:
        hits: asks that got another one's answer.
        misses: asks that had no neighbour, or none that the guard let pass.
        refused: neighbours that the guard did not let pass, by the kind of difference.
        learned: asks that were taken in.
        embeddings: calls of the embeddings' endpoint that were answered.
        embedding_tokens: of them, as the endpoint counts them.
        embedding_usd: US dollars that they cost, where a price is known.
        failures: calls and searches that failed or took too long.
    """

    hits: int = 0
    misses: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    learned: int = 0
    embeddings: int = 0
    embedding_tokens: int = 0
    embedding_usd: float = 0.0
    failures: int = 0


@dataclass(frozen=True, slots=True)
class _Embedded:
    vector: Vector
    usd: float


class SemanticCache:
    """The answers of this state that may serve other asks; one for all requests, in the event loop."""

    def __init__(
        self,
        generation: Callable[[], Generation],
        client: WireClient,
        neighbours: Neighbours,
        answers: Answers,
        environ: Mapping[str, str],
        *,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin.

        Args:
            generation: the current one, with settings, prices and keys.
            client: to the embeddings' endpoint.
            neighbours: the indexed asks.
            answers: to them.
            environ: with the key of an endpoint of its own.
            now: seconds since the epoch.
            clock: seconds, from any start, never going back.
        """
        self._generation = generation
        self._client = client
        self._neighbours = neighbours
        self._answers = answers
        self._environ = environ
        self._now = now
        self._clock = clock
        self._silent_until = 0.0
        self._counts: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._usd = 0.0
        self._remembered: OrderedDict[str, _Embedded] = OrderedDict()
        self._threads = ThreadPoolExecutor(4, thread_name_prefix="tierwise-neighbours")

    def stats(self) -> SemanticStats:
        """Return what it did so far."""
        return SemanticStats(**self._counts, refused=dict(self._refused), embedding_usd=self._usd)

    def wants(self, question: Question) -> bool:
        """Return whether it would answer or learn from a question."""
        settings = self._settings
        if not settings.enabled or question.directives.no_store:
            return False
        asked = question.directives.asks or settings.requests is Requests.ALL
        repeatable = question.repeatable and settings.requests is Requests.REPEATABLE
        return (asked or repeatable) and self._ask(question) is not None

    async def find(self, question: Question) -> Recalled | None:
        """Return the answer to a question that means the same, or None."""
        ask = self._ask(question)
        if ask is None or self._clock() < self._silent_until:
            return None
        settings, found = self._settings, None
        try:
            async with asyncio.timeout(settings.timeout_seconds):
                embedded = await self._embedded(question.key, ask.text)
                found = await self._run(lambda: self._nearest(ask, embedded.vector, settings))
        except (TimeoutError, WireError, BrokenEmbeddingError, KeyMissingError, StateError) as error:
            self._failed(error)
            return None
        self._counts["misses" if found is None else "hits"] += 1
        if found is None or found.answer.usd is None:
            return found
        net = replace(found.answer, usd=found.answer.usd - embedded.usd)
        return replace(found, answer=net)

    async def learn(self, question: Question, answer: StoredAnswer) -> None:
        """Take in an ask whose answer was stored."""
        ask = self._ask(question)
        if ask is None or self._clock() < self._silent_until:
            return
        settings = self._settings
        try:
            async with asyncio.timeout(settings.timeout_seconds):
                embedded = await self._embedded(question.key, ask.text)
                entry = self._entry(ask, answer, embedded.vector)
                await self._run(lambda: self._neighbours.put(entry))
                self._counts["learned"] += 1
                if self._counts["learned"] % _PRUNE_EVERY == 0:
                    now = self._now()
                    await self._run(lambda: self._neighbours.prune(now, settings.most_entries))
        except (TimeoutError, WireError, BrokenEmbeddingError, KeyMissingError, StateError) as error:
            self._failed(error)
        finally:
            self._remembered.pop(question.key, None)

    def close(self) -> None:
        """Close the index, once nobody searches it any more."""
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._neighbours.close()

    @property
    def _settings(self) -> SemanticSettings:
        return self._generation().serve.cache.semantic

    def _ask(self, question: Question) -> Ask | None:
        settings = self._settings
        told = f"{settings.base_url or ''} {settings.embedding_model} {settings.dimensions or ''}"
        try:
            return ask_of(question.place, question.body, told)
        except RecursionError:
            return None

    def _entry(self, ask: Ask, answer: StoredAnswer, vector: Vector) -> IndexedAsk:
        settings = self._settings
        lifetime = self._generation().serve.cache.ttl_seconds
        ends = answer.at + min(lifetime, settings.ttl_seconds or lifetime)
        return IndexedAsk(
            answer_key=answer.key,
            bucket=ask.bucket,
            scope=answer.scope,
            ask=ask.text,
            vector=vector,
            model=answer.model,
            model_version=answer.model_version,
            embedding_model=f"{settings.embedding_model}",
            at=answer.at,
            expires_at=min(ends, answer.expires_at),
        )

    def _nearest(self, ask: Ask, vector: Vector, settings: SemanticSettings) -> Recalled | None:
        """Return the answer of the nearest ask that the guard lets pass; runs in a thread."""
        least = 1.0 if settings.threshold is None else settings.threshold
        near = self._neighbours.near(ask.bucket, vector, now=self._now(), least=least, most=_NEAREST)
        return next((found for each in near if (found := self._recalled(ask, each)) is not None), None)

    def _recalled(self, ask: Ask, neighbour: Neighbour) -> Recalled | None:
        found = difference(ask.text, neighbour.ask)
        if found is not None:
            self._refused[found.kind.value] += 1
            return None
        answer = self._answers.find(neighbour.answer_key)
        if answer is None:
            self._neighbours.forget(neighbour.answer_key)
            return None
        return Recalled(answer, min(1.0, neighbour.similarity))

    async def _embedded(self, key: str, text: str) -> _Embedded:
        """Return an ask's embedding, which is asked for once between a question and its answer.

        Raises:
            BrokenEmbeddingError: the endpoint refuses, or its answer is none.
            KeyMissingError: its key is not in the environment.
            WireError: it cannot be reached.
        """
        remembered = self._remembered.get(key)
        if remembered is not None:
            return replace(remembered, usd=0.0)
        embedded = await self._asked(text)
        self._remembered[key] = embedded
        if len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return embedded

    async def _asked(self, text: str) -> _Embedded:
        settings, model = self._settings, f"{self._settings.embedding_model}"
        headers = [("accept", "application/json"), ("content-type", "application/json")]
        headers += [("accept-encoding", "identity"), ("user-agent", "tierwise"), *self._bearer(settings)]
        body = encoded(embedding_request(model, [text], settings.dimensions))
        answer = await self._sent(f"{self._base_url(settings)}/embeddings", headers, body)
        found = embedded_in(answer, 1, settings.dimensions)
        usd = self._cost(settings, found.tokens)
        self._counts["embeddings"] += 1
        self._counts["embedding_tokens"] += found.tokens or 0
        self._usd += usd
        return _Embedded(found.vectors[0], usd)

    async def _sent(self, url: str, headers: list[tuple[str, str]], body: bytes) -> object:
        seconds = self._settings.timeout_seconds
        reply = await self._client.send("POST", url, headers, body, connect_seconds=seconds)
        try:
            if reply.status >= 300:
                raise BrokenEmbeddingError(f"the endpoint answers {reply.status}")
            answer = await reply.read(_LARGEST)
        finally:
            reply.close()
        if answer is None:
            raise BrokenEmbeddingError("the answer is too large")
        try:
            return json.loads(answer)
        except (ValueError, RecursionError) as error:
            raise BrokenEmbeddingError("the answer is not JSON") from error

    def _base_url(self, settings: SemanticSettings) -> str:
        if settings.base_url is not None:
            return settings.base_url.rstrip("/")
        return self._generation().core.config.base(Channel.of(f"{settings.embedding_model}"))

    def _bearer(self, settings: SemanticSettings) -> list[tuple[str, str]]:
        keys = self._generation().core.keys
        if settings.base_url is not None:
            return list(bearer_of(settings, self._environ).items())
        key = keys.of(Channel.of(f"{settings.embedding_model}"))
        return [] if key is None else [("authorization", f"Bearer {key.reveal()}")]

    def _cost(self, settings: SemanticSettings, tokens: int | None) -> float:
        if settings.usd_per_million_tokens is not None:
            return settings.usd_per_million_tokens * (tokens or 0) / 1e6
        price = self._generation().core.config.price(f"{settings.embedding_model}")
        return 0.0 if price is None else price.of(Tokens(tokens or 0, 0))

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _failed(self, error: Exception) -> None:
        if self._clock() >= self._silent_until:
            _log.warning("the semantic cache is passed over for a while: %s", error or "no answer in time")
        self._counts["failures"] += 1
        self._silent_until = self._clock() + _SILENT_SECONDS
