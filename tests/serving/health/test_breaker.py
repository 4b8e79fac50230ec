"""Each state of a circuit, by a clock that stands still until it is moved."""

import threading
from typing import Any

import pytest

from serving.health.breaker import Breaker, Ticket
from serving.health.settings import BreakerSettings
from serving.health.terms import Cause, State, Terms
from tests.serving.health.clock import Clock


def breaker(clock: Clock, objective: float | None = None, **settings: Any) -> Breaker:
    return Breaker(Terms(BreakerSettings(**settings), objective), clock)


def let_in(circuit: Breaker, *, last_resort: bool = False) -> Ticket:
    ticket = circuit.admit(circuit._clock() + 300.0, last_resort=last_resort)
    assert ticket is not None
    return ticket


def fails(circuit: Breaker, times: int = 1, seconds: float = 0.1) -> None:
    for _ in range(times):
        let_in(circuit).failed(seconds)


def answers(circuit: Breaker, times: int = 1, seconds: float = 0.1) -> None:
    for _ in range(times):
        ticket = let_in(circuit)
        ticket.first_token(seconds)
        ticket.succeeded()


def opened(clock: Clock, **settings: Any) -> Breaker:
    circuit = breaker(clock, **settings)
    fails(circuit, 10)
    assert circuit.standing().state is State.OPEN
    return circuit


def slow(clock: Clock, **settings: Any) -> Breaker:
    """A circuit that is open because 5 of 20 calls missed an objective of 3 s."""
    circuit = breaker(clock, objective=3.0, **settings)
    for _ in range(5):
        answers(circuit, 3)
        answers(circuit, seconds=8.2)
    assert circuit.standing().cause is Cause.SLOW
    return circuit


class TestClosed:
    def test_it_opens_at_the_error_rate(self) -> None:
        circuit = breaker(Clock())
        answers(circuit, 10)
        fails(circuit, 9)
        assert circuit.standing().state is State.CLOSED
        fails(circuit)
        standing = circuit.standing()
        assert (standing.state, standing.cause) == (State.OPEN, Cause.FAILING)
        assert standing.why == "its circuit is open after 10 of 20 calls failed; next probe in 10 s"

    def test_few_calls_open_nothing(self) -> None:
        circuit = breaker(Clock())
        fails(circuit, 9)
        assert circuit.standing().state is State.CLOSED

    def test_failures_that_are_long_ago_open_nothing(self) -> None:
        clock = Clock()
        circuit = breaker(clock)
        fails(circuit, 9)
        clock.advance(121)
        fails(circuit, 9)
        assert circuit.standing().state is State.CLOSED

    def test_a_stream_that_breaks_late_is_one_call_and_one_failure(self) -> None:
        circuit = breaker(Clock())
        for _ in range(9):
            ticket = let_in(circuit)
            ticket.first_token(0.2)
            ticket.failed(60.0)
        counts = circuit.standing().counts
        assert (counts.calls, counts.failed) == (9, 9)

    def test_each_thing_is_told_once(self) -> None:
        circuit = breaker(Clock())
        ticket = let_in(circuit)
        for _ in range(3):
            ticket.failed(0.1)
            ticket.succeeded()
            ticket.first_token(0.1)
            ticket.freed(99.0)
        counts = circuit.standing().counts
        assert (counts.calls, counts.failed) == (1, 1)

    def test_callers_that_leave_count_as_nothing(self) -> None:
        circuit = breaker(Clock(), objective=3.0)
        for _ in range(50):
            let_in(circuit).freed(2.9)
        assert circuit.standing().counts.calls == 0

    def test_callers_that_give_up_after_the_objective_have_seen_a_slow_call(self) -> None:
        circuit = breaker(Clock(), objective=3.0)
        for _ in range(10):
            let_in(circuit).freed(6.0)
        assert circuit.standing().cause is Cause.SLOW

    def test_a_call_from_before_it_opened_has_no_say_afterwards(self) -> None:
        clock = Clock()
        circuit = breaker(clock)
        late = [let_in(circuit) for _ in range(5)]
        fails(circuit, 10)
        clock.advance(10)
        probe = let_in(circuit)
        for ticket in late:
            ticket.failed(1.0)
        assert circuit.standing().state is State.HALF_OPEN
        probe.succeeded()

    def test_switched_off_it_never_opens(self) -> None:
        circuit = breaker(Clock(), enabled=False)
        fails(circuit, 500)
        assert circuit.standing().state is State.CLOSED


class TestSlowness:
    def test_more_than_a_twentieth_of_slow_calls_opens_it(self) -> None:
        standing = slow(Clock()).standing()
        assert standing.why == (
            "its circuit is open after 5 of 20 calls took longer than 3 s; next probe in 10 s"
        )
        assert standing.counts.slow_rate == pytest.approx(0.25)

    @pytest.mark.parametrize("calls", [20, 100, 1000])
    def test_a_twentieth_exactly_is_in_order(self, calls: int) -> None:
        circuit = breaker(Clock(), objective=3.0)
        answers(circuit, calls * 19 // 20)
        answers(circuit, calls // 20, seconds=3.1)
        assert circuit.standing().state is State.CLOSED

    def test_a_few_slow_calls_are_chance(self) -> None:
        circuit = breaker(Clock(), objective=3.0)
        answers(circuit, 8)
        answers(circuit, 4, seconds=9.0)
        assert circuit.standing().state is State.CLOSED

    def test_without_an_objective_half_of_the_calls_may_be_slow(self) -> None:
        circuit = breaker(Clock(), slow_seconds=5.0)
        answers(circuit, 20)
        answers(circuit, 20, seconds=6.0)
        assert circuit.standing().state is State.CLOSED
        answers(circuit, 15, seconds=6.0)
        assert circuit.standing().cause is Cause.SLOW

    def test_without_either_nothing_is_slow(self) -> None:
        circuit = breaker(Clock())
        answers(circuit, 100, seconds=3600.0)
        assert circuit.standing().state is State.CLOSED

    def test_as_a_last_resort_it_is_asked_nevertheless(self) -> None:
        circuit = slow(Clock())
        assert circuit.admit(1e9) is None
        assert let_in(circuit, last_resort=True).is_probe is False

    def test_a_last_resort_that_fails_is_none_any_more(self) -> None:
        circuit = slow(Clock())
        for _ in range(10):
            let_in(circuit, last_resort=True).failed(0.1)
        assert circuit.standing().cause is Cause.FAILING
        assert circuit.admit(1e9, last_resort=True) is None

    def test_good_last_resorts_do_not_close_it(self) -> None:
        circuit = slow(Clock())
        for _ in range(30):
            ticket = let_in(circuit, last_resort=True)
            ticket.first_token(0.1)
            ticket.succeeded()
        assert circuit.standing().state is State.OPEN

    def test_a_slow_probe_opens_it_again(self) -> None:
        clock = Clock()
        circuit = slow(clock)
        clock.advance(10)
        let_in(circuit).first_token(3.5)
        standing = circuit.standing()
        assert (standing.state, standing.cause) == (State.OPEN, Cause.SLOW)
        assert "after a probe that took longer than 3 s; next probe in 20 s" in standing.why


class TestOpen:
    def test_nobody_is_let_in_before_the_cooldown_is_over(self) -> None:
        clock = Clock()
        circuit = opened(clock)
        clock.advance(9.9)
        assert circuit.admit(1e9) is None
        assert circuit.admit(1e9, last_resort=True) is None
        clock.advance(0.1)
        assert let_in(circuit).is_probe

    def test_the_cooldown_doubles_up_to_its_bound(self) -> None:
        clock = Clock()
        circuit = opened(clock, longest_cooldown_seconds=60.0)
        waits = []
        for _ in range(6):
            wait = circuit.standing().retry_in
            waits.append(wait)
            clock.advance(wait)
            fails(circuit)
        assert waits == [10.0, 20.0, 40.0, 60.0, 60.0, 60.0]

    def test_opening_again_soon_after_it_closed_takes_longer_too(self) -> None:
        clock = Clock()
        circuit = opened(clock)
        clock.advance(10)
        answers(circuit, 3)
        assert circuit.standing().state is State.CLOSED
        clock.advance(119)
        fails(circuit, 10)
        assert circuit.standing().retry_in == 20.0

    def test_opening_again_much_later_does_not(self) -> None:
        clock = Clock()
        circuit = opened(clock)
        clock.advance(10)
        answers(circuit, 3)
        clock.advance(121)
        fails(circuit, 10)
        assert circuit.standing().retry_in == 10.0


class TestHalfOpen:
    def test_so_many_probes_and_no_more(self) -> None:
        clock = Clock()
        circuit = opened(clock)
        clock.advance(10)
        assert [let_in(circuit).is_probe for _ in range(3)] == [True] * 3
        assert circuit.admit(1e9) is None
        standing = circuit.standing()
        assert (standing.state, standing.retry_in) == (State.HALF_OPEN, 1.0)
        assert standing.why == "its circuit opened after 10 of 10 calls failed and is being probed"

    def test_when_all_probes_are_well_it_closes(self) -> None:
        clock = Clock()
        circuit = opened(clock)
        clock.advance(10)
        answers(circuit, 2)
        assert circuit.standing().state is State.HALF_OPEN
        answers(circuit)
        standing = circuit.standing()
        assert (standing.state, standing.cause, standing.counts.calls) == (State.CLOSED, None, 0)

    def test_the_first_probe_that_fails_opens_it(self) -> None:
        clock = Clock()
        circuit = opened(clock)
        clock.advance(10)
        answers(circuit, 2)
        fails(circuit)
        assert circuit.standing().why == "its circuit is open after a probe that failed; next probe in 20 s"

    def test_a_probe_whose_stream_breaks_late_has_failed(self) -> None:
        clock = Clock()
        circuit = opened(clock)
        clock.advance(10)
        probe = let_in(circuit)
        probe.first_token(0.1)
        clock.advance(30)
        probe.failed(30.0)
        assert circuit.standing().state is State.OPEN

    def test_a_probe_whose_client_left_frees_its_place(self) -> None:
        clock = Clock()
        circuit = opened(clock, probes=1)
        clock.advance(10)
        for _ in range(5):
            let_in(circuit).freed()
        assert circuit.standing().state is State.HALF_OPEN
        answers(circuit)
        assert circuit.standing().state is State.CLOSED

    def test_a_probe_that_is_never_heard_of_is_forgotten_when_its_call_must_be_over(self) -> None:
        clock = Clock()
        circuit = opened(clock, probes=1)
        clock.advance(10)
        assert circuit.admit(clock() + 60) is not None
        clock.advance(59)
        assert circuit.admit(1e9) is None
        clock.advance(1)
        assert let_in(circuit).is_probe

    def test_of_many_threads_only_so_many_get_a_probe(self) -> None:
        clock = Clock()
        circuit = opened(clock)
        clock.advance(10)
        barrier, got = threading.Barrier(8), list[Ticket | None]()

        def ask() -> None:
            barrier.wait()
            got.extend(circuit.admit(1e9) for _ in range(50))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len([ticket for ticket in got if ticket is not None]) == 3


class TestTheLog:
    def test_it_tells_when_a_model_is_left_alone_and_when_it_is_asked_again(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        clock = Clock()
        circuit = Breaker(Terms(BreakerSettings()), clock, "some/model")
        fails(circuit, 10)
        clock.advance(10)
        answers(circuit, 3)
        assert [record.getMessage() for record in caplog.records] == [
            "some/model is left alone: its circuit is open after 10 of 10 calls failed; next probe in 10 s",
            "some/model is asked again: its circuit is closed",
        ]


class TestNewTerms:
    def test_an_open_circuit_stays_open(self) -> None:
        circuit = opened(Clock())
        circuit.terms = Terms(BreakerSettings(window_seconds=30.0), 2.0)
        assert circuit.standing().state is State.OPEN

    def test_switching_it_off_closes_it(self) -> None:
        circuit = opened(Clock())
        circuit.terms = Terms(BreakerSettings(enabled=False))
        assert circuit.standing().state is State.CLOSED
