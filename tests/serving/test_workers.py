import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextvars import ContextVar

import pytest

from serving.workers import StuckError, Workers

PATIENCE = 20.0
LANGUAGE: ContextVar[str] = ContextVar("language", default="none")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def workers(clock: Clock) -> Workers:
    return Workers(2, 1.0, clock, idle_seconds=0.05)


@pytest.fixture
def hang(workers: Workers) -> Iterator[Callable[[], Future[bool]]]:
    gate = threading.Event()

    def begin() -> Future[bool]:
        begun = threading.Event()

        def work() -> bool:
            begun.set()
            return gate.wait(PATIENCE)

        done = workers.submit(work)
        assert begun.wait(PATIENCE)
        return done

    yield begin
    gate.set()


def test_work_comes_to_its_result_or_to_whatever_it_raised(workers: Workers) -> None:
    assert workers.submit(lambda: 5).result(PATIENCE) == 5
    assert isinstance(workers.submit(lambda: int("x")).exception(PATIENCE), ValueError)
    assert isinstance(workers.submit(exit).exception(PATIENCE), SystemExit)


def test_work_sees_the_context_variables_of_its_caller(workers: Workers) -> None:
    LANGUAGE.set("fr")
    assert workers.submit(LANGUAGE.get).result(PATIENCE) == "fr"


def test_work_that_hangs_leaves_the_other_thread_free(
    workers: Workers, hang: Callable[[], Future[bool]]
) -> None:
    hang()
    assert [workers.submit(lambda: 5).result(PATIENCE) for _ in range(3)] == [5, 5, 5]


def test_work_waits_its_turn_while_all_threads_are_in_their_time(
    workers: Workers, hang: Callable[[], Future[bool]], clock: Clock
) -> None:
    hung = [hang(), hang()]
    clock.now = 0.9
    waiting = workers.submit(lambda: 5)
    assert not waiting.done()
    assert waiting.cancel()
    assert not any(each.done() for each in hung)


def test_work_is_refused_at_once_where_every_thread_hangs(
    workers: Workers, hang: Callable[[], Future[bool]], clock: Clock
) -> None:
    hang()
    clock.now = 5.0
    hang()
    assert workers.submit(lambda: 5).cancel()  # one of them is in its time
    clock.now = 6.5
    with pytest.raises(StuckError, match="all 2 threads hang in work that takes more than 1 s"):
        workers.submit(lambda: 5)


def test_never_more_than_so_many_threads_are_made_and_idle_ones_end(workers: Workers) -> None:
    before = threading.active_count()
    wait([workers.submit(lambda: time.sleep(0.001)) for _ in range(50)], PATIENCE)
    assert threading.active_count() <= before + 2
    until = time.monotonic() + PATIENCE
    while threading.active_count() > before:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert workers.submit(lambda: 5).result(PATIENCE) == 5
