"""Who may ask: the proxy's API keys, requests a minute, and how many at once."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Protocol

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from serving.errors import StateError, StateUnavailableError
from serving.proxy.errors import ProxyError
from serving.state.api_key import ApiKey

__all__ = ["Guard", "KeyStore", "Turnstile", "is_loopback"]

_STALE_SECONDS = 3600.0  # for which a known key is good while the database does not answer
_SPARED_SECONDS = 1.0  # between questions to a database that does not answer
_MOST_REMEMBERED = 10_000


class KeyStore(Protocol):
    """Where keys are looked up; both raise StateError when the database does not answer."""

    async def find(self, secret: str) -> ApiKey | None:
        """Return the key of a secret, or None."""

    async def any_key(self) -> bool:
        """Return whether there is any key, revoked or not."""


class Guard:
    """Lets requests in by their API key.

    Keys are required on any address but loopback, and everywhere once there is a key, revoked or not: what
    was closed never opens by itself. Rates are counted in memory, for this process alone: behind N replicas
    a key may ask N times as often.
    """

    def __init__(
        self,
        keys: KeyStore,
        *,
        required: bool,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin.

        Args:
            keys: the store.
            required: whether keys are required whatever the store holds.
            clock: seconds, from any start, never going back.
            wall_clock: seconds since the epoch.
        """
        self._keys = keys
        self._required = required
        self._clock = clock
        self._wall_clock = wall_clock
        self._looked_at = self._failed_at = -math.inf
        self._looking: asyncio.Task[None] | None = None
        self._known: dict[bytes, tuple[ApiKey | None, float]] = {}
        self._asking: dict[bytes, asyncio.Task[ApiKey | None]] = {}
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def admit(self, headers: Mapping[str, str], remembered_for: float) -> ApiKey | None:
        """Return the key of a request; None where none is required.

        Args:
            headers: of the request.
            remembered_for: seconds for which what the store said is good.

        Raises:
            ProxyError: there is no good key, it asks too often, or nobody can say.
        """
        if not await self._is_required(remembered_for):
            _check_host(headers.get("host", ""))
            return None
        key = await self._key(_secret_in(headers.get("authorization", "")), remembered_for)
        if key is None:
            raise _unauthorised("this API key is not known here, or was revoked")
        self._count(key)
        return key

    async def _is_required(self, remembered_for: float) -> bool:
        if self._required or self._clock() - self._looked_at < remembered_for:
            return self._required
        try:
            await self._look(remembered_for)
        except StateError as error:
            if self._clock() - self._looked_at >= _STALE_SECONDS:
                raise _unavailable() from error
        return self._required

    async def _look(self, remembered_for: float) -> None:
        """Look whether there are keys, once for all who want to know; nobody gets in before that is known."""
        self._spare_the_store(remembered_for)
        if self._looking is None:
            self._looking = asyncio.ensure_future(self._find_any())
            self._looking.add_done_callback(self._looked)
        await asyncio.shield(self._looking)

    async def _find_any(self) -> None:
        try:
            found = await self._keys.any_key()
        except StateError:
            self._failed_at = self._clock()
            raise
        self._required, self._looked_at = self._required or found, self._clock()

    def _looked(self, done: "asyncio.Task[None]") -> None:
        self._looking = None
        if not done.cancelled():
            done.exception()  # those who wait raise it; nobody may be left who does

    def _spare_the_store(self, remembered_for: float) -> None:
        """Do not wait again, request after request, for a store that has just not answered."""
        if self._clock() - self._failed_at < min(_SPARED_SECONDS, remembered_for):
            raise StateUnavailableError("the database did not answer a moment ago")

    async def _key(self, secret: str, remembered_for: float) -> ApiKey | None:
        digest = sha256(secret.encode("utf-8", "surrogatepass")).digest()
        found = self._known.get(digest)
        if found is not None and self._clock() - found[1] < remembered_for:
            return found[0]
        try:
            self._spare_the_store(remembered_for)
            return await self._ask(digest, secret)
        except StateError as error:
            if found is not None and found[0] is not None and self._clock() - found[1] < _STALE_SECONDS:
                return found[0]
            raise _unavailable() from error

    def _ask(self, digest: bytes, secret: str) -> Awaitable[ApiKey | None]:
        """Ask the store, once for all who want to know the same."""
        task = self._asking.get(digest)
        if task is None:
            task = asyncio.ensure_future(self._find(digest, secret))
            self._asking[digest] = task
            task.add_done_callback(lambda done: self._asked(digest, done))
        return asyncio.shield(task)

    async def _find(self, digest: bytes, secret: str) -> ApiKey | None:
        try:
            key = await self._keys.find(secret)
        except StateError:
            self._failed_at = self._clock()
            raise
        self._known.pop(digest, None)
        while len(self._known) >= _MOST_REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[digest] = key, self._clock()
        return key

    def _asked(self, digest: bytes, done: "asyncio.Task[ApiKey | None]") -> None:
        del self._asking[digest]
        if not done.cancelled():
            done.exception()  # those who wait raise it; nobody may be left who does

    def _count(self, key: ApiKey) -> None:
        if key.requests_per_minute is None:
            return
        limit = RateLimitItemPerMinute(key.requests_per_minute)
        if self._limiter.hit(limit, key.key_id):
            return
        stats = self._limiter.get_window_stats(limit, key.key_id)
        wait = min(60, max(1, math.ceil(stats.reset_time - self._wall_clock())))
        raise ProxyError(
            429,
            "rate_limit_exceeded",
            f"this API key may ask {key.requests_per_minute} times a minute: try again in {wait} s",
            headers=[("retry-after", str(wait))],
        )


class Turnstile:
    """Counts the requests at work, and closes when the proxy ends."""

    def __init__(self) -> None:
        """Begin with none."""
        self.inside = 0
        self.closed = False

    @contextmanager
    def passed(self, most: int) -> Iterator[None]:
        """Count a request in, and out at the end.

        Raises:
            ProxyError: there are too many, or no more are taken.
        """
        if self.closed:
            raise ProxyError(
                503, "shutting_down", "the proxy is being stopped: ask again", headers=[("retry-after", "1")]
            )
        if self.inside >= most:
            raise ProxyError(
                503, "overloaded", f"{most} requests are at work already", headers=[("retry-after", "1")]
            )
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine, seen from itself.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("0.0.0.0"), is_loopback("127.evil.example")
    (True, True, False, False)
    """
    if host.lower() in ("localhost", "::1"):
        return True
    numbers = host.split(".")
    return len(numbers) == 4 and numbers[0] == "127" and all(each.isdigit() for each in numbers)


def _check_host(host: str) -> None:
    """Refuse what a web page sends that has a name of its own lead here: nobody else keeps it out."""
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if not is_loopback(name):
        raise ProxyError(
            403, "host_not_allowed", "without API keys this proxy answers to localhost and 127.0.0.1 alone"
        )


def _secret_in(authorization: str) -> str:
    scheme, _, secret = authorization.partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise _unauthorised("an API key is needed: send the header `Authorization: Bearer tw_...`")
    return secret.strip()


def _unauthorised(message: str) -> ProxyError:
    return ProxyError(401, "invalid_api_key", message, headers=[("www-authenticate", "Bearer")])


def _unavailable() -> ProxyError:
    return ProxyError(
        503,
        "state_unavailable",
        "API keys cannot be looked up now: try again",
        headers=[("retry-after", "5")],
    )
