import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from serving.cache.flights import FlightLostError, Flights, Landing


class Calls:
    """Calls that end when they are told to."""

    def __init__(self) -> None:
        self.flights: Flights[str] = Flights()
        self.answers: list[asyncio.Future[str]] = []
        self.closed: list[str] = []

    def board(self, key: str = "a") -> Landing[str]:
        return self.flights.board(key, self._call, self._close)

    async def _call(self) -> str:
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]

    async def _close(self, result: str) -> None:
        self.closed.append(result)


async def turn() -> None:
    """Let everybody who can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_all_who_want_the_same_share_one_call() -> None:
    calls = Calls()
    seats = [calls.board() for _ in range(20)]
    assert [seat.leads for seat in seats] == [True] + [False] * 19
    waiting = [asyncio.ensure_future(seat.result()) for seat in seats]
    await turn()
    (answer,) = calls.answers
    answer.set_result("done")
    assert set(await asyncio.gather(*waiting)) == {"done"}
    for seat in seats:
        await seat.leave()
        await seat.leave()  # once more is fine
    assert calls.closed == ["done"]
    assert len(calls.flights) == 0


async def test_those_who_want_something_else_make_their_own_call() -> None:
    calls = Calls()
    seats = [calls.board("a"), calls.board("b")]
    await turn()
    assert len(calls.answers) == 2
    for seat in seats:
        await seat.leave()
    assert len(calls.flights) == 0


async def test_a_leader_that_leaves_leaves_its_call_to_the_others() -> None:
    calls = Calls()
    leader, follower = calls.board(), calls.board()
    await turn()
    await leader.leave()
    calls.answers[0].set_result("done")
    assert await follower.result() == "done"
    await follower.leave()
    assert calls.closed == ["done"]


async def test_one_who_is_cancelled_while_waiting_cancels_nobody_else() -> None:
    calls = Calls()
    leader, follower = calls.board(), calls.board()
    waiting = asyncio.ensure_future(leader.result())
    await turn()
    waiting.cancel()
    await turn()
    await leader.leave()
    calls.answers[0].set_result("done")
    assert await follower.result() == "done"
    await follower.leave()


async def test_the_last_one_to_leave_ends_the_call() -> None:
    calls = Calls()
    seats = [calls.board(), calls.board()]
    await turn()
    for seat in seats:
        await seat.leave()
    assert calls.answers[0].cancelled()
    assert calls.closed == []
    assert calls.board().leads


async def test_a_failure_is_the_leader_s_and_one_follower_takes_over() -> None:
    calls = Calls()
    seats = [calls.board() for _ in range(3)]
    await turn()
    calls.answers[0].set_exception(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        await seats[0].result()
    for seat in seats[1:]:
        with pytest.raises(FlightLostError):
            await seat.result()
    again = [calls.board(), calls.board()]
    assert [seat.leads for seat in again] == [True, False]
    for seat in [*seats, *again]:
        await seat.leave()
    assert len(calls.flights) == 0


async def test_a_failure_that_nobody_waits_for_is_no_warning() -> None:
    calls = Calls()
    seat = calls.board()
    await turn()
    calls.answers[0].set_exception(ValueError("no"))
    await seat.leave()
    await turn()


async def test_a_result_can_be_joined_until_its_door_is_shut() -> None:
    calls = Calls()
    leader = calls.board()
    await turn()
    calls.answers[0].set_result("done")
    await leader.result()
    held = calls.flights.hold("a")
    assert held is not None
    await leader.leave()
    late = calls.board()
    assert await late.result() == "done"
    held.shut()
    assert calls.flights.hold("a") is None
    newer = calls.board()
    assert newer.leads
    held.shut()  # which is not the newer one's
    assert len(calls.flights) == 1
    for seat in (held, late, newer):
        await seat.leave()


async def test_many_who_come_and_go_leave_nothing_behind() -> None:
    calls = Calls()

    async def passenger(number: int) -> str:
        while True:
            seat = calls.board(f"{number % 3}")
            try:
                async with asyncio.timeout(0.001 * (number % 7) or None):
                    return await seat.result()
            except FlightLostError:
                continue
            except TimeoutError:
                return "late"
            finally:
                await seat.leave()

    async def upstream() -> None:
        for number in range(200):
            await asyncio.sleep(0.0005)
            for answer in calls.answers:
                if not answer.done():
                    end(answer, number)

    ends: list[Callable[[asyncio.Future[str]], None]] = [
        lambda answer: answer.set_result("done"),
        lambda answer: answer.set_exception(ValueError("no")),
    ]

    def end(answer: asyncio.Future[str], number: int) -> None:
        ends[number % 2](answer)

    running = asyncio.ensure_future(upstream())
    passengers: list[Coroutine[Any, Any, str]] = [passenger(number) for number in range(60)]
    found = await asyncio.gather(*passengers, return_exceptions=True)
    running.cancel()
    assert {f"{each}" for each in found} <= {"done", "late", "no"}
    assert len(calls.flights) == 0
