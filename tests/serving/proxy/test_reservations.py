"""The queue for reservations: who waits together, what each is told, and what nobody waits for any more."""

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.errors import StateUnavailableError
from serving.proxy.reservations import Answer, Reservations
from serving.spending.budget_terms import Claim, Refused, Reserved, Unit

CLAIM = Claim("premium", Unit.USD, "2026-11-22", 100, 1)
PATIENCE = 10.0


class Bench:
    """A database's place: it answers a group when it is let."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.groups: list[list[str]] = []
        self.unwanted: list[str] = []
        self.failing: set[int] = set()
        self.let = threading.Semaphore(0)
        self.queue = Reservations(
            self.reserve, pool, lambda found: self.unwanted.append(found.reservation_id)
        )

    def reserve(self, asked: Mapping[str, Sequence[Claim]]) -> Mapping[str, Answer]:
        self.groups.append(list(asked))
        assert self.let.acquire(timeout=PATIENCE)
        if len(self.groups) in self.failing:
            raise StateUnavailableError("it is down")
        return {name: answer(name) for name in asked}

    async def ask(self, *names: str) -> list["asyncio.Task[Answer]"]:
        """Begin to wait for each."""
        tasks = [asyncio.ensure_future(self.queue.reserve(name, [CLAIM])) for name in names]
        await asyncio.sleep(0)
        return tasks


def answer(name: str) -> Answer:
    return Refused(CLAIM, 0) if name.startswith("poor") else Reserved(name, (CLAIM,))


@pytest.fixture
def bench() -> Iterator[Bench]:
    with ThreadPoolExecutor(2) as pool:
        yield Bench(pool)


async def test_the_first_goes_at_once_and_those_who_come_meanwhile_go_together(bench: Bench) -> None:
    tasks = await bench.ask("a") + await bench.ask("b", "poor", "c")
    bench.let.release(2)
    async with asyncio.timeout(PATIENCE):
        assert await asyncio.gather(*tasks) == [answer(name) for name in ("a", "b", "poor", "c")]
    assert bench.groups == [["a"], ["b", "poor", "c"]]
    bench.let.release()
    async with asyncio.timeout(PATIENCE):
        assert await bench.queue.reserve("later", [CLAIM]) == answer("later")


async def test_a_group_is_of_bounded_size(bench: Bench) -> None:
    tasks = await bench.ask("a", *(f"r{number}" for number in range(100)))
    bench.let.release(3)
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*tasks)
    assert [len(group) for group in bench.groups] == [1, 64, 36]


async def test_an_error_is_told_to_all_of_its_group_and_to_nobody_else(bench: Bench) -> None:
    bench.failing = {2}
    tasks = await bench.ask("a") + await bench.ask("b", "c")
    bench.let.release(2)
    async with asyncio.timeout(PATIENCE):
        found = await asyncio.gather(*tasks, return_exceptions=True)
    assert found[0] == answer("a")
    assert [str(each) for each in found[1:]] == ["it is down", "it is down"]
    bench.let.release()
    async with asyncio.timeout(PATIENCE):
        assert await bench.queue.reserve("d", [CLAIM]) == answer("d")


async def test_who_gave_up_in_the_queue_is_not_asked_for(bench: Bench) -> None:
    first, second, third = await bench.ask("a") + await bench.ask("b", "c")
    second.cancel()
    await asyncio.sleep(0)
    bench.let.release(2)
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(first, third)
    assert bench.groups == [["a"], ["c"]]
    assert bench.unwanted == []


async def test_what_was_granted_to_somebody_who_had_given_up_is_handed_back(bench: Bench) -> None:
    tasks = await bench.ask("a") + await bench.ask("b", "poor", "c")
    bench.let.release()
    async with asyncio.timeout(PATIENCE):
        await tasks[0]
        while len(bench.groups) < 2:
            await asyncio.sleep(0.001)
    for left in tasks[1:3]:
        left.cancel()
    bench.let.release()
    async with asyncio.timeout(PATIENCE):
        assert await tasks[3] == answer("c")
    assert bench.unwanted == ["b"]


async def test_an_error_that_nobody_waits_for_stops_nothing(bench: Bench) -> None:
    bench.failing = {1}
    (left,) = await bench.ask("a")
    left.cancel()
    await asyncio.sleep(0)
    (task,) = await bench.ask("b")
    bench.let.release(2)
    async with asyncio.timeout(PATIENCE):
        assert await task == answer("b")
