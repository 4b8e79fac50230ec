"""All models behind one question: who is told, who is remembered, what a reload keeps."""

from typing import Any

import pytest

from classifier import Tier
from serving.health import Barred, Bars, BreakerSettings, Health, HealthTerms, LimitSettings, Permit, State
from serving.keys import Channel
from tests.serving.health.clock import Clock

CHEAP, BALANCED, PREMIUM = "a/cheap", "a/balanced", "Pro/a/premium"
HERE, THERE = "https://here/v1", "https://there/v1"


def terms(
    *,
    objectives: dict[Tier, float] | None = None,
    standard: str = HERE,
    balanced: str = BALANCED,
    **limits: Any,
) -> HealthTerms:
    return HealthTerms(
        breaker=BreakerSettings(),
        limits=LimitSettings.model_validate(limits),
        models={Tier.CHEAP: CHEAP, Tier.BALANCED: balanced, Tier.PREMIUM: PREMIUM},
        others=("a/other",),
        objectives=objectives or {},
        upstreams={Channel.STANDARD: standard, Channel.PRO: HERE},
    )


def permit(health: Health, model: str = CHEAP) -> Permit:
    admitted = health.admit(model, Channel.of(model), 1e9)
    assert isinstance(admitted, Permit)
    return admitted


def barred(health: Health, model: str = CHEAP, *, last_resort: bool = False) -> Barred:
    admitted = health.admit(model, Channel.of(model), 1e9, last_resort=last_resort)
    assert isinstance(admitted, Barred)
    return admitted


def fails(health: Health, model: str = CHEAP, times: int = 10) -> None:
    for _ in range(times):
        permit(health, model).ticket.failed(0.1)


def state(health: Health, model: str = CHEAP) -> State:
    return next(each.state for each in health.snapshot() if each.model == model)


class TestAdmission:
    def test_a_circuit_is_one_models_own(self) -> None:
        health = Health(terms(), Clock())
        fails(health)
        assert barred(health).by is Bars.FAILING
        permit(health, BALANCED)

    def test_a_model_is_left_alone_for_as_long_as_it_asks(self) -> None:
        clock = Clock()
        health = Health(terms(), clock)
        permit(health).leave_alone(27.0, 429)
        permit_of_another = permit(health, BALANCED)
        permit_of_another.leave_alone(0.0, 429)
        refusal = barred(health, last_resort=True)
        assert (refusal.by, refusal.retry_in) == (Bars.LIMITED, 27.0)
        assert refusal.reason == "it answered 429 and asks to be left alone for 27 s"
        clock.advance(27.0)
        permit(health)

    def test_no_longer_than_is_configured(self) -> None:
        health = Health(terms(), Clock())
        permit(health).leave_alone(86_400.0, 503)
        assert barred(health).retry_in == 600.0

    def test_not_at_all_where_that_is_nothing(self) -> None:
        health = Health(terms(longest_retry_after_seconds=0), Clock())
        permit(health).leave_alone(30.0, 429)
        permit(health)

    def test_a_shorter_wish_does_not_cut_a_longer_one(self) -> None:
        health = Health(terms(), Clock())
        first, second = permit(health), permit(health)
        first.leave_alone(60.0, 429)
        second.leave_alone(5.0, 429)
        assert barred(health).retry_in == 60.0

    def test_a_channel_takes_so_many_requests_and_the_next_waits(self) -> None:
        clock = Clock()
        health = Health(terms(requests_per_minute={"standard": 2}), clock)
        assert [permit(health).wait, permit(health, BALANCED).wait] == [0.0, 0.0]
        refusal = barred(health)
        assert (refusal.by, refusal.retry_in) == (Bars.LIMITED, 60.0)
        assert refusal.reason == (
            "the standard channel has sent the 2 requests that it may in a minute; the next may go in 60 s"
        )
        permit(health, PREMIUM)
        clock.advance(59.5)
        assert permit(health).wait == 0.5

    def test_a_wait_never_goes_beyond_the_calls_end(self) -> None:
        clock = Clock()
        health = Health(terms(requests_per_minute={"standard": 1}), clock)
        permit(health)
        clock.advance(59.5)
        assert isinstance(health.admit(CHEAP, Channel.STANDARD, clock() + 0.4), Barred)
        assert isinstance(health.admit(CHEAP, Channel.STANDARD, clock() + 0.6), Permit)

    def test_what_is_not_sent_leaves_its_place_to_others(self) -> None:
        health = Health(terms(requests_per_minute={"standard": 1}), Clock())
        permit(health).unused()
        permit(health).sending()
        barred(health)

    def test_a_probe_that_finds_no_room_on_its_channel_is_none(self) -> None:
        clock = Clock()
        health = Health(terms(requests_per_minute={"standard": 10}), clock)
        fails(health)
        clock.advance(20)
        for _ in range(5):
            assert barred(health).by is Bars.LIMITED
        clock.advance(40)
        assert [permit(health).ticket.is_probe for _ in range(3)] == [True] * 3


class TestTerms:
    def test_a_model_has_the_objective_of_the_tier_that_it_is_the_first_of(self) -> None:
        asked = terms(objectives={Tier.PREMIUM: 3.0})
        assert asked.of(PREMIUM).objective == 3.0
        assert asked.of(CHEAP).objective is None
        assert asked.of("a/other").objective is None

    def test_of_several_tiers_the_most_lenient(self) -> None:
        both = {Tier.CHEAP: 1.0, Tier.BALANCED: 4.0}
        assert terms(objectives=both, balanced=CHEAP).of(CHEAP).objective == 4.0
        assert terms(objectives={Tier.CHEAP: 1.0}, balanced=CHEAP).of(CHEAP).objective is None


class TestSnapshot:
    def test_all_models_of_the_chains_are_shown_before_they_are_asked(self) -> None:
        seen = Health(terms(), Clock()).snapshot()
        assert [(each.model, each.tiers) for each in seen] == [
            (CHEAP, (Tier.CHEAP,)),
            (BALANCED, (Tier.BALANCED,)),
            (PREMIUM, (Tier.PREMIUM,)),
            ("a/other", ()),
        ]
        assert {each.state for each in seen} == {State.CLOSED}
        assert seen[0].as_dict()["error_rate"] is None

    def test_an_open_circuit_tells_since_when_why_and_how_long(self) -> None:
        clock = Clock()
        health = Health(terms(), clock, wall=lambda: clock() + 5e8)
        fails(health)
        clock.advance(4)
        seen = health.snapshot()[0]
        assert (seen.state, seen.calls, seen.error_rate) == (State.OPEN, 10, 1.0)
        assert (seen.opened_at, seen.retry_in) == (5e8 + 1_000.0, 6.0)
        assert seen.why == "its circuit is open after 10 of 10 calls failed; next probe in 6 s"

    def test_a_pause_is_told_too(self) -> None:
        health = Health(terms(), Clock())
        permit(health).leave_alone(12.0, 429)
        seen = health.snapshot()[0]
        assert (seen.state, seen.retry_in) == (State.CLOSED, 12.0)
        assert "asks to be left alone" in seen.why

    def test_percentiles_stand_against_their_objectives(self) -> None:
        clock = Clock()
        health = Health(terms(objectives={Tier.PREMIUM: 3.0}), clock)
        for seconds in [1.0] * 19 + [2.0, 8.2]:
            ticket = permit(health, PREMIUM).ticket
            ticket.first_token(seconds)
            ticket.succeeded()
            health.observe(Tier.PREMIUM, seconds)
        seen = health.snapshot()[2]
        assert (seen.p95_seconds, seen.objective_seconds) == (2.0, 3.0)
        premium = health.tiers()[Tier.PREMIUM]
        assert (premium.calls, premium.p95_seconds, premium.is_met) == (21, 2.0, True)
        assert premium.as_dict()["is_met"] is True
        clock.advance(121)
        assert health.tiers()[Tier.PREMIUM].p95_seconds is None
        assert health.snapshot()[2].p95_seconds is None

    def test_a_tier_without_an_objective_neither_keeps_nor_misses_it(self) -> None:
        health = Health(terms(), Clock())
        health.observe(Tier.CHEAP, 99.0)
        assert health.tiers()[Tier.CHEAP].is_met is None


class TestReload:
    def test_states_survive(self) -> None:
        clock = Clock()
        old = Health(terms(requests_per_minute={"standard": 20}), clock)
        fails(old)
        permit(old, BALANCED).leave_alone(30.0, 429)
        late = permit(old, "a/other")
        new = Health(terms(requests_per_minute={"standard": 12}), clock, old=old)
        assert barred(new).by is Bars.FAILING
        assert barred(new, BALANCED).by is Bars.LIMITED
        assert "the 12 requests" in barred(new, "a/other").reason
        late.ticket.failed(0.1)
        assert next(each for each in new.snapshot() if each.model == "a/other").calls == 1

    def test_new_objectives_hold_from_then_on(self) -> None:
        clock = Clock()
        old = Health(terms(), clock)
        new = Health(terms(objectives={Tier.CHEAP: 2.0}), clock, old=old)
        for _ in range(10):
            permit(new).ticket.freed(5.0)
        assert state(new) is State.OPEN

    def test_another_upstream_is_another_thing(self) -> None:
        clock = Clock()
        old = Health(terms(), clock)
        fails(old)
        fails(old, PREMIUM)
        new = Health(terms(standard=THERE), clock, old=old)
        assert (state(new), state(new, PREMIUM)) == (State.CLOSED, State.OPEN)


class TestMemory:
    def test_names_that_callers_make_up_do_not_pile_up(self) -> None:
        health = Health(terms(), Clock())
        for number in range(1_500):
            permit(health, f"made/up-{number}").ticket.freed()
        assert len(health.snapshot()) == 1_024
        assert {CHEAP, BALANCED, PREMIUM} <= {each.model for each in health.snapshot()}

    def test_open_circuits_are_remembered_before_idle_ones(self) -> None:
        health = Health(terms(), Clock())
        fails(health, "made/up")
        for number in range(1_500):
            permit(health, f"made/up-{number}").ticket.freed()
        assert state(health, "made/up") is State.OPEN


@pytest.mark.parametrize("channel", [Channel.STANDARD, Channel.PRO])
def test_each_channel_has_a_limit_of_its_own(channel: Channel) -> None:
    asked = terms(requests_per_minute={channel.value: 50})
    assert [each for each in Channel if asked.per_minute(each) == 50] == [channel]
