"""So many requests in any minute, by a clock that is moved."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from serving.health.limiter import Limiter
from tests.serving.health.clock import Clock


@given(
    per_minute=st.integers(1, 6),
    longest=st.integers(0, 90),
    asks=st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=60),
)
def test_in_no_minute_are_there_more_than_may_be(
    per_minute: int, longest: int, asks: list[tuple[int, bool]]
) -> None:
    clock, sent = Clock(0.0), []
    limiter = Limiter(per_minute, clock)
    for passed, is_sent in asks:
        clock.advance(passed)
        promised = clock() + limiter.wait()
        moment = limiter.take(longest)
        assert (moment is None) == (promised - clock() > longest)
        if moment is None:
            continue
        assert moment == promised
        if is_sent:
            sent.append(moment)
        else:
            limiter.give_back(moment)
    assert sent == sorted(sent)
    for number, moment in enumerate(sent):
        assert len([other for other in sent[: number + 1] if other > moment - 60.0]) <= per_minute


def test_the_fifty_first_waits_for_the_first_to_be_a_minute_old() -> None:
    clock = Clock()
    limiter = Limiter(50, clock)
    first = clock()
    for _ in range(50):
        assert limiter.take(0.0) == clock()
        clock.advance(1.0)
    assert limiter.take(1.0) is None
    assert limiter.wait() == 10.0
    assert limiter.take(10.0) == first + 60.0
    assert limiter.wait() == 11.0


def test_a_place_that_is_given_back_is_free_at_once() -> None:
    clock = Clock()
    limiter = Limiter(1, clock)
    moment = limiter.take(0.0)
    assert moment is not None
    limiter.give_back(moment)
    limiter.give_back(moment)
    assert limiter.take(0.0) == moment


def test_another_size_knows_what_was_sent() -> None:
    clock = Clock()
    limiter = Limiter(3, clock)
    for _ in range(3):
        limiter.take(0.0)
    limiter.per_minute = 2
    assert limiter.wait() == 60.0
    limiter.per_minute = 4
    assert limiter.take(0.0) == clock()
    assert limiter.take(1.0) is None


def test_threads_share_the_places() -> None:
    limiter, taken = Limiter(50, Clock()), list[float | None]()

    def ask() -> None:
        taken.extend(limiter.take(0.0) for _ in range(20))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([moment for moment in taken if moment is not None]) == 50
