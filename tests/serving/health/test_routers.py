"""Circuits, `Retry-After`, limits and objectives through real routers before a real upstream that fails."""

import asyncio
from contextlib import suppress
from typing import Any

import openai
import pytest

from classifier import Tier, TierPredictor
from serving import AsyncTierRouter, ChainFailedError, RouterConfig
from serving.chat import record_line
from serving.health import State
from serving.sandbox import (
    BrokenJson,
    EndAfter,
    Fault,
    HtmlPage,
    Normal,
    Reset,
    ResetAfter,
    Sandbox,
    Silence,
    StallAfter,
    Status,
    StreamError,
)
from tests.serving.conftest import ASK_CHEAP, BALANCED, CHEAP, ENVIRON, PREMIUM, Driver, Make
from tests.serving.health.clock import Clock, Takes
from tests.serving.health.conftest import MakeTimed

SMALL = {"minimum_calls": 3, "minimum_slow": 3}
NONE: dict[str, Any] = {"fallback": []}
HASTY: dict[str, Any] = {"breaker": SMALL, "first_byte_seconds": 0.2, "deadline_seconds": 0.6}


def ask(driver: Driver, model: str = "cheap", **params: Any) -> Any:
    return driver.create(model=model, messages=ASK_CHEAP, **params)


def asked(upstream: Sandbox) -> list[str | None]:
    return [received.model for received in upstream.requests]


def health(driver: Driver, model: str = CHEAP) -> Any:
    return next(each for each in driver.router.core.health.snapshot() if each.model == model)


def stream(driver: Driver) -> Any:
    """A stream that is read as far as it goes."""
    opened = ask(driver, stream=True)
    with suppress(openai.APIError):
        driver.read(opened)
    return opened


class TestFailures:
    @pytest.mark.parametrize(
        "fault",
        [
            Status(500),
            Status(503),
            Status(408),
            Status(429),
            Status(404),
            Reset(),
            BrokenJson(),
            HtmlPage(),
            StreamError(),
            ResetAfter(1),
        ],
        ids=lambda fault: f"{type(fault).__name__}-{getattr(fault, 'code', '')}",
    )
    def test_each_kind_opens_the_circuit_and_the_chain_goes_on_without_the_model(
        self, timed: MakeTimed, upstream: Sandbox, fault: Fault
    ) -> None:
        driver = timed(breaker=SMALL)
        upstream.always(CHEAP, fault)
        for _ in range(3):
            assert ask(driver).routing.model == BALANCED
        routing = ask(driver).routing
        assert (routing.model, len(routing.attempts)) == (BALANCED, 1)
        (skipped,) = routing.skipped
        assert skipped.model == CHEAP
        assert skipped.reason == "its circuit is open after 3 of 3 calls failed; next probe in 10 s"
        assert asked(upstream).count(CHEAP) == 3

    @pytest.mark.parametrize("fault", [Silence(), StallAfter(0)], ids=["silence", "only the role"])
    def test_time_outs_open_it(self, make: Make, upstream: Sandbox, fault: Fault) -> None:
        driver = make(**HASTY)
        upstream.always(CHEAP, fault)
        for _ in range(3):
            stream(driver)
        assert health(driver).state is State.OPEN

    @pytest.mark.parametrize(
        "fault",
        [ResetAfter(2), EndAfter(2), StallAfter(2), StreamError(2)],
        ids=["reset", "early end", "stall", "error"],
    )
    def test_streams_that_break_in_the_middle_open_it(
        self, make: Make, upstream: Sandbox, fault: Fault
    ) -> None:
        driver = make(**HASTY)
        upstream.always(CHEAP, fault)
        for _ in range(3):
            stream(driver)
        assert health(driver).state is State.OPEN

    @pytest.mark.parametrize("code", [400, 401, 403, 422])
    def test_what_the_caller_did_wrong_does_not(self, timed: MakeTimed, upstream: Sandbox, code: int) -> None:
        driver = timed(breaker=SMALL)
        upstream.always(CHEAP, Status(code))
        for _ in range(10):
            with pytest.raises(openai.APIStatusError, match="simulated"):
                ask(driver)
        assert (health(driver).state, health(driver).calls) == (State.CLOSED, 0)

    def test_a_name_that_does_not_exist_is_its_callers_mistake(
        self, timed: MakeTimed, upstream: Sandbox
    ) -> None:
        driver = timed(breaker=SMALL)
        upstream.always("made/up", Status(404))
        for _ in range(10):
            with pytest.raises(openai.NotFoundError, match="simulated"):
                ask(driver, "made/up")

    def test_a_time_that_the_caller_cut_short_is_no_failure(self, make: Make, upstream: Sandbox) -> None:
        driver = make(breaker=SMALL)
        upstream.always("*", Silence())
        for _ in range(4):
            with pytest.raises(ChainFailedError, match="timed out"):
                ask(driver, timeout=0.1)
        assert (health(driver).state, health(driver).calls) == (State.CLOSED, 0)

    def test_streams_that_the_caller_closes_are_no_failures(self, timed: MakeTimed) -> None:
        driver = timed(breaker=SMALL)
        for _ in range(5):
            opened = ask(driver, stream=True)
            driver.close(opened)
        assert (health(driver).state, health(driver).error_rate) == (State.CLOSED, 0.0)

    def test_a_stream_that_its_caller_reads_too_slowly_is_no_failure(
        self, timed: MakeTimed, upstream: Sandbox, clock: Clock
    ) -> None:
        driver = timed(breaker=SMALL, deadline_seconds=30)
        upstream.always(CHEAP, StallAfter(2))
        for _ in range(4):
            opened = ask(driver, stream=True)
            driver.read(opened, most=2)
            clock.advance(31)
            with pytest.raises(openai.APITimeoutError, match="timed out"):
                driver.read(opened)
        assert (health(driver).state, health(driver).error_rate) == (State.CLOSED, 0.0)

    def test_switched_off_every_model_is_asked_always(self, timed: MakeTimed, upstream: Sandbox) -> None:
        driver = timed(breaker={"enabled": False})
        upstream.always(CHEAP, Status(500))
        for _ in range(30):
            ask(driver)
        assert asked(upstream).count(CHEAP) == 30


class TestRecovery:
    @pytest.fixture
    def broken(self, timed: MakeTimed, upstream: Sandbox) -> Driver:
        driver = timed(breaker=SMALL)
        upstream.always(CHEAP, Status(500))
        for _ in range(3):
            ask(driver)
        upstream.clear()
        return driver

    def test_after_the_cooldown_probes_close_it(self, broken: Driver, clock: Clock) -> None:
        clock.advance(9.9)
        assert ask(broken).routing.model == BALANCED
        clock.advance(0.1)
        assert [ask(broken).routing.model for _ in range(3)] == [CHEAP] * 3
        assert health(broken).state is State.CLOSED

    def test_a_probe_that_fails_falls_back_like_any_call(
        self, broken: Driver, upstream: Sandbox, clock: Clock
    ) -> None:
        clock.advance(10)
        upstream.script(CHEAP, Status(502))
        assert ask(broken).routing.model == BALANCED
        assert health(broken).retry_in == 20.0

    def test_a_stream_is_a_probe_until_it_has_ended(self, broken: Driver, clock: Clock) -> None:
        clock.advance(10)
        streams = [ask(broken, stream=True) for _ in range(3)]
        assert [each.routing.model for each in streams] == [CHEAP] * 3
        assert ask(broken).routing.skipped[0].reason.endswith("and is being probed")
        for each in streams:
            broken.read(each)
        assert health(broken).state is State.CLOSED

    def test_a_client_that_leaves_a_probe_frees_it_without_a_verdict(
        self, broken: Driver, clock: Clock
    ) -> None:
        clock.advance(10)
        for _ in range(10):
            opened = ask(broken, stream=True)
            assert opened.routing.model == CHEAP
            broken.close(opened)
        assert health(broken).state is State.HALF_OPEN

    def test_a_probe_that_the_caller_got_wrong_frees_it_too(
        self, broken: Driver, upstream: Sandbox, clock: Clock
    ) -> None:
        clock.advance(10)
        upstream.script(CHEAP, *[Status(400)] * 5)
        for _ in range(5):
            with pytest.raises(openai.BadRequestError, match="simulated"):
                ask(broken)
        assert [ask(broken).routing.model for _ in range(3)] == [CHEAP] * 3


class TestNobodyLeft:
    def test_a_lone_model_cools_down_too_and_says_when_it_may_be_asked(
        self, timed: MakeTimed, upstream: Sandbox, clock: Clock
    ) -> None:
        driver = timed(breaker=SMALL, tiers={"cheap": NONE})
        upstream.always(CHEAP, Reset())
        for _ in range(3):
            with pytest.raises(ChainFailedError, match="connection failed"):
                ask(driver)
        clock.advance(2.5)
        with pytest.raises(ChainFailedError, match=r"next probe in 8 s; ask again in 8 s") as caught:
            ask(driver)
        assert (caught.value.retry_after, caught.value.rate_limited) == (7.5, False)
        assert caught.value.routing.attempts == ()
        assert len(upstream.requests) == 3

    def test_a_model_that_the_caller_names_fails_fast(self, timed: MakeTimed, upstream: Sandbox) -> None:
        driver = timed(breaker=SMALL)
        upstream.always("some/model", Status(500))
        for _ in range(3):
            with pytest.raises(openai.InternalServerError, match="simulated"):
                ask(driver, "some/model")
        with pytest.raises(ChainFailedError, match="its circuit is open after 3 of 3 calls failed"):
            ask(driver, "some/model")
        assert len(upstream.requests) == 3


class TestRetryAfter:
    @pytest.mark.parametrize(
        "said", [30, "30.0", "Thu, 01 Jan 1970 00:17:10 GMT"], ids=["seconds", "fraction", "date"]
    )
    def test_a_model_is_left_alone_until_then(
        self, timed: MakeTimed, upstream: Sandbox, clock: Clock, said: Any
    ) -> None:
        driver = timed()
        upstream.script(CHEAP, Status(429, retry_after=said))
        first = ask(driver).routing
        assert [each.status for each in first.attempts] == [429, None]
        second = ask(driver).routing
        assert (second.model, len(second.attempts)) == (BALANCED, 1)
        assert "it answered 429 and asks to be left alone for" in second.skipped[0].reason
        clock.advance(30)
        assert ask(driver).routing.model == CHEAP

    def test_a_storm_asks_each_model_once_and_tells_the_soonest_moment(
        self, timed: MakeTimed, upstream: Sandbox, clock: Clock
    ) -> None:
        driver = timed()
        upstream.always(CHEAP, Status(429, retry_after=20))
        upstream.always(BALANCED, Status(429, retry_after=7))
        upstream.always(PREMIUM, Status(429, retry_after=40))
        for _ in range(20):
            with pytest.raises(ChainFailedError, match="ask again in 7 s") as caught:
                ask(driver)
            assert (caught.value.retry_after, caught.value.rate_limited) == (7.0, True)
        assert len(upstream.requests) == 3
        clock.advance(7)
        upstream.clear()
        assert ask(driver).routing.model == BALANCED

    def test_it_is_bounded(self, timed: MakeTimed, upstream: Sandbox) -> None:
        driver = timed()
        upstream.script(CHEAP, Status(429, retry_after=86_400))
        ask(driver)
        assert health(driver).retry_in == 600.0

    def test_a_model_by_name_fails_fast_till_then(self, timed: MakeTimed, upstream: Sandbox) -> None:
        driver = timed()
        upstream.script(CHEAP, Status(429, retry_after=30))
        with pytest.raises(openai.RateLimitError, match="simulated"):
            ask(driver, CHEAP)
        with pytest.raises(ChainFailedError, match="ask again in 30 s") as caught:
            ask(driver, CHEAP)
        assert caught.value.rate_limited


class TestLimits:
    def test_fifty_a_minute_are_never_exceeded(self, timed: MakeTimed, upstream: Sandbox) -> None:
        driver = timed(limits={"requests_per_minute": {"standard": 50}}, tiers={"cheap": NONE})
        for _ in range(50):
            ask(driver)
        with pytest.raises(ChainFailedError, match="sent the 50 requests that it may in a minute") as caught:
            ask(driver)
        assert (caught.value.retry_after, caught.value.rate_limited) == (60.0, True)
        assert len(upstream.requests) == 50

    def test_a_short_wait_is_waited(self, timed: MakeTimed, clock: Clock) -> None:
        driver = timed(limits={"requests_per_minute": {"standard": 1}})
        ask(driver)
        clock.advance(59.25)
        routing = ask(driver).routing
        assert (routing.model, clock.slept) == (CHEAP, [0.75])
        assert routing.latency.total == 0.75
        assert routing.attempts[0].seconds == 0.0
        assert health(driver).p95_seconds == 0.0

    def test_otherwise_the_next_channel_with_room_is_taken(self, timed: MakeTimed, clock: Clock) -> None:
        driver = timed(limits={"requests_per_minute": {"standard": 1}})
        ask(driver)
        routing = ask(driver).routing
        assert (routing.model, clock.slept) == (PREMIUM, [])
        assert [each.model for each in routing.skipped] == [CHEAP, BALANCED]

    def test_a_request_that_was_never_sent_takes_no_place(self, timed: MakeTimed) -> None:
        driver = timed(limits={"requests_per_minute": {"standard": 1}})
        call = driver.router.core.begin(
            {"model": "cheap", "messages": ASK_CHEAP}, {}, streams=False, timeout=9
        )
        trials = call.trials()
        next(trials)
        trials.close()
        assert ask(driver).routing.model == CHEAP


class TestTimes:
    def test_a_tier_has_times_of_its_own(self, make: Make, upstream: Sandbox) -> None:
        driver = make(tiers={"cheap": {"first_byte_seconds": 0.2}}, first_byte_seconds=5)
        upstream.always(CHEAP, Silence())
        routing = ask(driver).routing
        assert routing.attempts[0].seconds == pytest.approx(0.2, abs=0.15)
        assert driver.router.core.limits(Tier.PREMIUM, None).first == 5.0

    def test_and_a_deadline(self, make: Make, upstream: Sandbox) -> None:
        driver = make(tiers={"cheap": {"deadline_seconds": 0.3}})
        upstream.always("*", StallAfter(1))
        with pytest.raises(ChainFailedError, match=r"the call's 0\.3 s were over"):
            ask(driver)

    def test_a_callers_own_time_comes_before_the_tiers(self, make: Make, upstream: Sandbox) -> None:
        driver = make(tiers={"cheap": {"deadline_seconds": 20}})
        upstream.always("*", StallAfter(1))
        with pytest.raises(ChainFailedError, match=r"the call's 0\.2 s were over"):
            ask(driver, timeout=0.2)


class TestTheSlowPremiumTier:
    """The mission's own story: a premium tier at p95 = 8.2 s."""

    @pytest.fixture
    def driver(self, timed: MakeTimed) -> Driver:
        return timed(tiers={"premium": {"objective_seconds": 3.0}})

    @pytest.fixture
    def slow(self, driver: Driver, upstream: Sandbox, clock: Clock) -> Driver:
        """Every fourth call takes 8.2 s to its first byte."""
        upstream.script(PREMIUM, *[Takes(clock, seconds) for seconds in (0.9, 1.1, 1.3, 8.2)] * 5)
        for _ in range(20):
            assert ask(driver, "premium").routing.model == PREMIUM
        return driver

    def test_its_objective_opens_its_circuit_and_balanced_answers_at_once(self, slow: Driver) -> None:
        seen = health(slow, PREMIUM)
        assert (seen.state, seen.p95_seconds, seen.objective_seconds) == (State.OPEN, pytest.approx(8.2), 3.0)
        tier = slow.router.core.health.tiers()[Tier.PREMIUM]
        assert (tier.p95_seconds, tier.is_met) == (pytest.approx(8.2), False)
        routing = ask(slow, "premium").routing
        assert (routing.model, routing.fell_back, routing.latency.total) == (BALANCED, True, 0.0)
        assert "calls took longer than 3 s; next probe in" in routing.skipped[0].reason
        assert f"instead of {PREMIUM} (its circuit is open after" in record_line(routing, simulated=True)

    def test_when_it_is_quick_again_it_comes_back(self, slow: Driver, clock: Clock) -> None:
        clock.advance(10)
        assert [ask(slow, "premium").routing.model for _ in range(4)] == [PREMIUM] * 4
        assert health(slow, PREMIUM).state is State.CLOSED

    def test_while_it_is_slow_probes_keep_it_out_for_longer_each_time(
        self, slow: Driver, upstream: Sandbox, clock: Clock
    ) -> None:
        upstream.always(PREMIUM, Takes(clock, 8.2))
        clock.advance(10)
        assert ask(slow, "premium").routing.model == PREMIUM
        assert ask(slow, "premium").routing.model == BALANCED
        assert health(slow, PREMIUM).retry_in == 20.0

    def test_a_slow_answer_is_better_than_none(self, slow: Driver, upstream: Sandbox) -> None:
        for model in (BALANCED, CHEAP):
            upstream.always(model, Reset())
        routing = ask(slow, "premium").routing
        assert [each.model for each in routing.attempts] == [BALANCED, CHEAP, PREMIUM]
        assert routing.model == PREMIUM

    def test_one_that_then_fails_is_not_asked_any_more(self, slow: Driver, upstream: Sandbox) -> None:
        upstream.always("*", Reset())
        for _ in range(12):
            with pytest.raises(ChainFailedError, match="no model answered"):
                ask(slow, "premium")
        before = len(upstream.requests)
        with pytest.raises(ChainFailedError, match=r"ask again in \d+ s") as caught:
            ask(slow, "premium")
        assert len(upstream.requests) == before
        assert caught.value.routing.attempts == ()

    def test_a_caller_that_names_it_gets_it_slow(self, slow: Driver) -> None:
        assert ask(slow, PREMIUM).routing.model == PREMIUM

    def test_a_quick_tier_is_left_as_it_is(self, driver: Driver, upstream: Sandbox, clock: Clock) -> None:
        upstream.always(PREMIUM, Takes(clock, 2.9))
        for _ in range(40):
            assert ask(driver, "premium").routing.model == PREMIUM
        assert health(driver, PREMIUM).state is State.CLOSED

    def test_streams_are_slow_by_their_first_token(
        self, driver: Driver, upstream: Sandbox, clock: Clock
    ) -> None:
        upstream.always(PREMIUM, Takes(clock, 8.2))
        for _ in range(10):
            opened = ask(driver, "premium", stream=True)
            assert opened.routing.model == PREMIUM
            driver.read(opened)
        assert ask(driver, "premium", stream=True).routing.model == BALANCED


def test_a_good_upstream_is_left_as_it_is(timed: MakeTimed, upstream: Sandbox) -> None:
    driver = timed(breaker=SMALL)
    upstream.always("*", Normal())
    for _ in range(20):
        ask(driver)
    assert {each.state for each in driver.router.core.health.snapshot()} == {State.CLOSED}
    assert health(driver).error_rate == 0.0


def test_a_probe_whose_caller_is_cancelled_frees_its_place(
    settings: dict[str, Any], predictor: TierPredictor, upstream: Sandbox
) -> None:
    config = RouterConfig.from_dict(
        {**settings, "breaker": {**SMALL, "probes": 1, "cooldown_seconds": 0.05}, "tiers": {"cheap": NONE}}
    )

    async def run() -> list[str | None]:
        async with AsyncTierRouter(config, environ=ENVIRON, predictor=predictor) as router:
            upstream.script(CHEAP, *[Reset()] * 3, *[Silence()] * 3)
            for _ in range(3):
                with pytest.raises(ChainFailedError, match="connection failed"):
                    await router.ask("Hello", model="cheap")
            await asyncio.sleep(0.1)
            for _ in range(3):
                with pytest.raises(TimeoutError, match=r"^$"):
                    await asyncio.wait_for(router.ask("Hello", model="cheap"), 0.2)
            (seen,) = [each for each in router.core.health.snapshot() if each.model == CHEAP]
            assert (seen.state, seen.retry_in) == (State.HALF_OPEN, 0.0)
            return [(await router.ask("Hello", model="cheap")).routing.model for _ in range(2)]

    assert asyncio.run(run()) == [CHEAP] * 2
