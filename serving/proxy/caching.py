"""The proxy's caches: stored answers to the very same request, and the seam for another cache behind them.

The exact cache is asked first. Where it has no answer, a second one (`SecondCache`) may have: it learns from
every answer that is stored. The database never fails a request here and never holds one up for long: what it
does not tell in time counts as a miss, and nobody asks it again for some seconds.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from serving.cache.directives import Directives
from serving.cache.flights import Flights
from serving.cache.request_key import Place
from serving.cache.settings import CacheSettings
from serving.cache.shared_stream import SharedStream
from serving.cache.status_header import Forwarding
from serving.cache.stored_answer import StoredAnswer
from serving.call import Call
from serving.errors import StateError
from serving.proxy.books import StateBooks
from serving.proxy.forward import Headers
from serving.spending.ledger_row import LedgerRow

__all__ = [
    "EXACT",
    "SEMANTIC",
    "AnswerCache",
    "Arrival",
    "CacheStats",
    "Found",
    "Hit",
    "Question",
    "Recalled",
    "SecondCache",
]

_log = logging.getLogger("serving")

EXACT = "exact"
SEMANTIC = "semantic"

_SILENT_SECONDS = 5.0  # after the database did not answer
_TEND_SECONDS = 60.0
_MOST_WAITING = 64  # answers on their way to the database; more are not stored
_MOST_STORING = 2  # of them at once: budgets need threads as well


@dataclass(frozen=True, slots=True)
class Question:
    """A request as the caches see it.

    Attributes:
        key: of this very request; see `serving.cache.request_key`.
        place: what its answer depends on beside its body: path, scope, tier, model, stream or not.
        body: normalised.
        messages: that the classifier read; none for embeddings.
        directives: of the request's `Cache-Control`.
        repeatable: whether asking twice is meant to give the same answer.
        at: when it arrived, seconds since the epoch.
    """

    key: str
    place: Place
    body: Mapping[str, Any]
    messages: Sequence[Mapping[str, Any]]
    directives: Directives
    repeatable: bool
    at: float


@dataclass(frozen=True, slots=True)
class Hit:
    """An answer from a cache.

    Attributes:
        answer: as it is stored.
        cache: `exact` or `semantic`.
        age: seconds since it was complete.
        ttl: seconds for which it stays fresh; negative where it is stale and the caller takes it.
        similarity: of a semantic hit, how alike the two asks are: a cosine, at most 1; otherwise None.
    """

    answer: StoredAnswer
    cache: str
    age: float
    ttl: float
    similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Recalled:
    """What the second cache found.

    Attributes:
        answer: as it is stored; its dollars are those that it saves, net of what finding it cost.
        similarity: of the two asks, a cosine.
    """

    answer: StoredAnswer
    similarity: float


@dataclass(frozen=True, slots=True)
class Found:
    """What the caches say to a question: an answer, or why there is none."""

    hit: Hit | None
    why: Forwarding = Forwarding.MISS


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a call that several requests may share has given.

    Attributes:
        status: of the response.
        headers: of the upstream's, those that a client gets to see.
        body: the whole answer, or a stream to read.
        call: with its record.
    """

    status: int
    headers: Headers
    body: bytes | SharedStream
    call: Call


class SecondCache(Protocol):
    """Another cache, which may answer when the exact one has nothing, and learns from what is stored.

    One object serves all requests, in the event loop; it gets the questions that the exact cache takes part
    in, and those that it wants itself. Nothing here may raise, and `find` bounds its own time: a request
    waits for it. It may keep no more than `StoredAnswer.key` beside its own index: `Answers.find` gives the
    answer, and None once that has expired or was evicted.
    """

    def wants(self, question: Question) -> bool:
        """Return whether it would answer or learn from a question; quick, for every request is asked about.

        What it wants takes part in the exact cache too: its answer is stored.
        """

    async def find(self, question: Question) -> Recalled | None:
        """Return an answer to a question that means the same, or None.

        Its question's `place` is the same: scope, tier, model, stream or not. Whether the answer is fresh
        enough for the caller is looked at afterwards.
        """

    async def learn(self, question: Question, answer: StoredAnswer) -> None:
        """Take in an answer that has just been stored under the question's key."""


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What the caches of this process did since it started.

    Attributes:
        hits: requests that the exact cache answered.
        semantic_hits: requests that the second one did.
        collapsed: requests that shared the call of another one at the same time.
        misses: requests that looked for an answer in vain.
        bypasses: requests that had nothing to do with the cache.
        stored: answers that were stored.
        not_stored: answers that were whole and were not: too many at once, or the database was down.
        failures: times that the database did not answer.
        entries: answers in the database, all replicas', as last counted.
        bytes: of them, as they are stored.
    """

    hits: int = 0
    semantic_hits: int = 0
    collapsed: int = 0
    misses: int = 0
    bypasses: int = 0
    stored: int = 0
    not_stored: int = 0
    failures: int = 0
    entries: int = 0
    bytes: int = 0


class AnswerCache:
    """The answers that this process finds and stores.

    Attributes:
        second: the cache behind this one, or None.
        flights: the calls under way that others may share.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        books: StateBooks,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
        second: SecondCache | None = None,
    ) -> None:
        """Begin.

        Args:
            books: give the database and its threads.
            now: seconds since the epoch.
            clock: seconds, from any start, never going back.
            second: the cache behind this one, or None.
        """
        self.second = second
        self.flights: Flights[Arrival] = Flights()
        self.now = now
        self._books = books
        self._clock = clock
        self._silent_until = 0.0
        self._counts: Counter[str] = Counter()
        self._size = (0, 0)
        self._used: set[str] = set()
        self._storing: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(_MOST_STORING)

    def stats(self) -> CacheStats:
        """Return what it did so far."""
        entries, size = self._size
        return CacheStats(**self._counts, entries=entries, bytes=size)

    def put_row(self, row: LedgerRow) -> None:
        """Write the ledger row of a request that a cache answered, soon."""
        self._books.put(row)

    def count(self, what: str) -> None:
        """Count something, by its name in `CacheStats`."""
        self._counts[what] += 1

    async def find(self, question: Question, settings: CacheSettings) -> Found:
        """Return the answer to a question, where there is one that its caller takes."""
        if question.directives.no_cache:
            return Found(None, Forwarding.REQUEST)
        stored = await self._stored(question.key, settings)
        found = self._judged(question, settings, stored, EXACT)
        if found.hit is None and self.second is not None and self.second.wants(question):
            other = await self.second.find(question)
            if other is not None:
                found = self._judged(question, settings, other.answer, SEMANTIC, other.similarity)
        if found.hit is None:
            self.count("misses")
        else:
            self._used.add(found.hit.answer.key)
            self.count("hits" if found.hit.cache == EXACT else "semantic_hits")
        return found

    def keep(
        self,
        question: Question,
        made: Callable[[], StoredAnswer | None],
        then: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        """Store an answer, soon; never waits.

        Args:
            question: that it answers.
            made: makes it, in a thread; None where it turns out not to be whole.
            then: called afterwards, whatever came of it.
        """
        task = asyncio.ensure_future(self._keep(question, made, then))
        self._storing.add(task)
        task.add_done_callback(self._storing.discard)

    @property
    def waiting(self) -> int:
        """How many answers are on their way to the database."""
        return len(self._storing)

    async def tend(self, settings: CacheSettings) -> None:
        """Delete what has expired and what is too much, and note which answers were used.

        Raises:
            StateError: the database does not answer.
        """
        used, self._used = self._used, set()
        answers, now = self._books.state.answers, self.now()

        def work() -> tuple[int, int]:
            answers.used(used, now)
            answers.prune(now)
            answers.bound(settings.most_entries, settings.most_bytes)
            return answers.size()

        self._size = await self._books.run_aside(work)

    async def tend_forever(self, settings: Callable[[], CacheSettings]) -> None:
        """Look after the stored answers every minute."""
        while True:
            try:
                await self.tend(settings())
            except StateError as error:
                _log.debug("stored answers cannot be looked after now: %s", error)
            await asyncio.sleep(_TEND_SECONDS)

    async def close(self, seconds: float) -> None:
        """Wait until what is on its way to the database is stored, so many seconds at most."""
        if self._storing:
            await asyncio.wait(set(self._storing), timeout=seconds)
        for task in self._storing:
            task.cancel()

    def _judged(
        self,
        question: Question,
        settings: CacheSettings,
        answer: StoredAnswer | None,
        cache: str,
        similarity: float | None = None,
    ) -> Found:
        if answer is None:
            return Found(None)
        age = max(0.0, self.now() - answer.at)
        ttl = settings.ttl_seconds - age
        if question.directives.allows(age, settings.ttl_seconds):
            return Found(Hit(answer, cache, age, ttl, similarity))
        return Found(None, Forwarding.STALE if ttl < 0 else Forwarding.REQUEST)

    async def _stored(self, key: str, settings: CacheSettings) -> StoredAnswer | None:
        if self._clock() < self._silent_until:
            return None
        try:
            async with asyncio.timeout(settings.lookup_seconds):
                return await self._books.run_aside(lambda: self._books.state.answers.find(key))
        except (TimeoutError, StateError) as error:
            self._failed(error)
            return None

    async def _keep(
        self,
        question: Question,
        made: Callable[[], StoredAnswer | None],
        then: Callable[[], Coroutine[Any, Any, None]],
    ) -> None:
        try:
            answer = await self._put(made)
            if answer is not None and self.second is not None and self.second.wants(question):
                await self.second.learn(question, answer)
        finally:
            await then()

    async def _put(self, made: Callable[[], StoredAnswer | None]) -> StoredAnswer | None:
        if len(self._storing) > _MOST_WAITING:
            self.count("not_stored")
            return None
        async with self._turns:
            return await self._put_now(made)

    async def _put_now(self, made: Callable[[], StoredAnswer | None]) -> StoredAnswer | None:
        def work() -> StoredAnswer | None:
            answer = made()
            if answer is not None:
                self._books.state.answers.put(answer)
            return answer

        if self._clock() < self._silent_until:
            self.count("not_stored")
            return None
        try:
            answer = await self._books.run_aside(work)
        except StateError as error:
            self.count("not_stored")
            self._failed(error)
            return None
        if answer is not None:
            self.count("stored")
        return answer

    def _failed(self, error: Exception) -> None:
        if self._clock() >= self._silent_until:
            _log.warning("the cache is passed over for a while: %s", f"{error}" or "no answer in time")
        self.count("failures")
        self._silent_until = self._clock() + _SILENT_SECONDS
