"""What holds of a circuit whatever happens to it, in any order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
)

from serving.health.breaker import Breaker, Ticket
from serving.health.settings import BreakerSettings
from serving.health.terms import Cause, State, Terms
from tests.serving.health.clock import Clock

_SETTINGS = BreakerSettings(
    window_seconds=60.0,
    minimum_calls=4,
    minimum_slow=2,
    cooldown_seconds=10.0,
    longest_cooldown_seconds=80.0,
    probes=2,
)


class Circuit(RuleBasedStateMachine):
    """Calls that are let in, end in any way and at any time, while the clock runs."""

    tickets: Bundle[Ticket] = Bundle("tickets")

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock(0.0)
        self.breaker = Breaker(Terms(_SETTINGS, 2.0), self.clock)
        self.probes: dict[Ticket, float] = {}

    @rule(seconds=st.floats(0, 100))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)

    @rule(target=tickets, last_resort=st.booleans())
    def a_call_asks(self, last_resort: bool) -> Ticket | MultipleResults[Ticket]:
        before = self.breaker.standing()
        until = self.clock() + 50.0
        ticket = self.breaker.admit(until, last_resort=last_resort)
        if ticket is None:
            assert before.state is not State.CLOSED
            assert before.retry_in > 0
            assert not (last_resort and before.cause is Cause.SLOW)
            return multiple()
        if ticket.is_probe:
            self.probes[ticket] = until
        assert ticket.is_probe == (before.retry_in == 0 and before.state is not State.CLOSED)
        return ticket

    @rule(ticket=tickets, seconds=st.sampled_from([0.1, 5.0]))
    def a_first_token_comes(self, ticket: Ticket, seconds: float) -> None:
        ticket.first_token(seconds)

    @rule(ticket=consumes(tickets))
    def an_answer_is_whole(self, ticket: Ticket) -> None:
        before = self.breaker.standing().state
        ticket.succeeded()
        self.probes.pop(ticket, None)
        after = self.breaker.standing().state
        assert after == before or (before, after) == (State.HALF_OPEN, State.CLOSED)

    @rule(ticket=consumes(tickets), seconds=st.sampled_from([0.1, 5.0]))
    def a_call_fails(self, ticket: Ticket, seconds: float) -> None:
        before = self.breaker.standing().state
        ticket.failed(seconds)
        self.probes.pop(ticket, None)
        assert self.breaker.standing().state in (before, State.OPEN)

    @rule(ticket=consumes(tickets))
    def a_client_leaves(self, ticket: Ticket) -> None:
        before = self.breaker.standing().state
        ticket.freed()
        self.probes.pop(ticket, None)
        assert self.breaker.standing().state == before

    @invariant()
    def a_cause_stands_exactly_where_it_is_not_closed(self) -> None:
        standing = self.breaker.standing()
        assert (standing.cause is None) == (standing.state is State.CLOSED) == (standing.why == "")

    @invariant()
    def the_wait_is_bounded(self) -> None:
        assert 0 <= self.breaker.standing().retry_in <= 80.0

    @invariant()
    def no_more_probes_are_under_way_than_may_be(self) -> None:
        under_way = [ticket for ticket in self.breaker._probes if self.probes.get(ticket, 0) > self.clock()]
        assert len(under_way) <= 2

    @invariant()
    def rates_are_shares(self) -> None:
        counts = self.breaker.standing().counts
        assert 0 <= (counts.error_rate or 0.0) <= 1
        assert 0 <= (counts.slow_rate or 0.0) <= 1


TestCircuit = Circuit.TestCase
TestCircuit.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
