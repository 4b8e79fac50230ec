"""Who gets in while the database is slow, or gone."""

import asyncio
from dataclasses import dataclass, field

import pytest

from serving.errors import StateUnavailableError
from serving.proxy.errors import ProxyError
from serving.proxy.guard import Guard
from serving.state import ApiKey

LOCAL = {"host": "localhost"}
KEYED = {"authorization": "Bearer tw_1_x"}
A_KEY = ApiKey("1", "a test", 0.0)


@dataclass
class Store:
    """A store that tells what it holds when it is let, and is asked so many times."""

    holds: bool = False
    down: bool = False
    asked: int = 0
    answers: asyncio.Event = field(default_factory=asyncio.Event)

    async def any_key(self) -> bool:
        return await self._answer()

    async def find(self, secret: str) -> ApiKey | None:  # noqa: ARG002
        return A_KEY if await self._answer() else None

    async def _answer(self) -> bool:
        self.asked += 1
        await self.answers.wait()
        if self.down:
            raise StateUnavailableError("down")
        return self.holds


@dataclass
class Clock:
    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def guard_of(store: Store, clock: Clock) -> Guard:
    return Guard(store, required=False, clock=clock)


async def test_nobody_gets_in_before_it_is_known_whether_there_are_keys() -> None:
    store = Store(holds=True)
    guard = guard_of(store, Clock())
    asking = [asyncio.ensure_future(guard.admit(LOCAL, 3.0)) for _ in range(5)]
    await asyncio.sleep(0.01)
    assert [each.done() for each in asking] == [False] * 5
    store.answers.set()
    refusals = await asyncio.gather(*asking, return_exceptions=True)
    assert [getattr(each, "status", None) for each in refusals] == [401] * 5
    assert store.asked == 1


async def test_a_database_that_was_never_reached_lets_nobody_in() -> None:
    store = Store(down=True)
    store.answers.set()
    guard = guard_of(store, Clock())
    for _ in range(3):
        with pytest.raises(ProxyError, match="cannot be looked up now"):
            await guard.admit(LOCAL, 3.0)


async def test_a_proxy_without_keys_goes_on_while_the_database_is_gone_and_asks_it_rarely() -> None:
    store, clock = Store(), Clock()
    store.answers.set()
    guard = guard_of(store, clock)
    assert await guard.admit(LOCAL, 3.0) is None
    store.down = True
    clock.now = 10.0
    for _ in range(5):
        assert await guard.admit(LOCAL, 3.0) is None
    assert store.asked == 2
    store.down, store.holds = False, True
    clock.now = 20.0
    with pytest.raises(ProxyError, match="an API key is needed"):
        await guard.admit(LOCAL, 3.0)


async def test_a_known_key_is_good_while_the_database_is_gone_and_an_unknown_one_is_not() -> None:
    store, clock = Store(holds=True), Clock()
    store.answers.set()
    guard = guard_of(store, clock)
    assert await guard.admit(KEYED, 3.0) == A_KEY
    store.down = True
    clock.now = 10.0
    for _ in range(5):
        assert await guard.admit(KEYED, 3.0) == A_KEY
    assert store.asked == 3
    with pytest.raises(ProxyError, match="cannot be looked up now"):
        await guard.admit({"authorization": "Bearer tw_2_y"}, 3.0)
