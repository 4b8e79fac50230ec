import json

import httpx2
import openai
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import TIERS, Tier
from serving import RouterConfig
from serving.chain import Failure, plan_alone, plan_tier, plan_tiers
from serving.keys import Channel
from serving.upstream import BrokenAnswerError

NAMES = [*(f"vendor/{letter}" for letter in "abcd"), "Pro/vendor/e"]
USD = st.floats(0.01, 100)
REQUEST = httpx2.Request("POST", "http://127.0.0.1/v1/chat/completions")


@st.composite
def configs(draw: st.DrawFn) -> RouterConfig:
    names = st.sampled_from(NAMES)
    tiers = {
        tier.label: {
            "model": draw(names),
            "fallback": draw(st.lists(names | st.sampled_from(["cheap", "premium"]))),
        }
        for tier in TIERS
    }
    prices = {name: {"input": draw(USD), "output": draw(USD)} for name in NAMES}
    ratio = draw(st.floats(1, 20))
    return RouterConfig.from_dict({"tiers": tiers, "prices": prices, "max_price_ratio": ratio})


@given(config=configs(), tier=st.sampled_from(TIERS), has_pro_key=st.booleans())
def test_no_plan_exceeds_the_ceiling_or_needs_a_key_that_is_not_there(
    config: RouterConfig, tier: Tier, has_pro_key: bool
) -> None:
    plan = plan_tier(config, tier, has_pro_key=has_pro_key)
    own = config.price(config.tier(tier).model)
    for candidate in plan.candidates:
        price = config.price(candidate.model)
        assert own is not None
        assert price is not None
        assert price.input <= own.input * config.max_price_ratio
        assert price.output <= own.output * config.max_price_ratio
        assert has_pro_key or candidate.channel is Channel.STANDARD


@given(config=configs(), tier=st.sampled_from(TIERS), has_pro_key=st.booleans())
def test_every_model_of_a_chain_is_either_asked_or_accounted_for(
    config: RouterConfig, tier: Tier, has_pro_key: bool
) -> None:
    plan = plan_tier(config, tier, has_pro_key=has_pro_key)
    asked, skipped = [each.model for each in plan.candidates], [each.model for each in plan.skipped]
    assert sorted(asked + skipped) == sorted(config.chain(tier))
    assert [model for model in config.chain(tier) if model in asked] == asked
    assert plan.first == config.tier(tier).model
    assert plan.first in asked or plan.lacks_key


def test_there_is_a_plan_for_every_tier() -> None:
    plans = plan_tiers(RouterConfig(), has_pro_key=True)
    assert list(plans) == list(TIERS)
    assert all(len(plan.candidates) == 3 and not plan.skipped for plan in plans.values())


def test_a_named_model_has_no_second() -> None:
    plan = plan_alone("Pro/vendor/e")
    assert [(each.model, each.channel) for each in plan.candidates] == [("Pro/vendor/e", Channel.PRO)]
    assert plan.alone


def status_error(status: int, said: str = "") -> openai.APIStatusError:
    """The error as the SDK words it."""
    message = f"Error code: {status} - {said}" if said else f"Error code: {status}"
    return openai.APIStatusError(message, response=httpx2.Response(status, request=REQUEST), body=None)


@given(st.integers(400, 599))
def test_an_error_status_falls_back_unless_it_is_the_callers_doing(status: int) -> None:
    failure = Failure.of(status_error(status))
    assert failure.falls_back is (status in {404, 408, 429} or status >= 500)
    assert failure.status == status


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (openai.APITimeoutError(REQUEST), "timed out"),
        (TimeoutError(), "timed out"),
        (openai.APIConnectionError(request=REQUEST), "connection failed: Connection error."),
        (BrokenAnswerError("no choices"), "no choices"),
        (
            json.JSONDecodeError("Expecting value", "x", 0),
            "broken JSON: Expecting value: line 1 column 1 (char 0)",
        ),
        (openai.APIError("overloaded", REQUEST, body=None), "error in the stream: overloaded"),
    ],
    ids=["time-out", "asyncio's time-out", "connection", "broken answer", "broken json", "error in a stream"],
)
def test_every_other_failure_falls_back(error: Exception, cause: str) -> None:
    assert Failure.of(error) == Failure(cause)


def test_a_failure_keeps_the_upstreams_words_but_not_without_end() -> None:
    assert Failure.of(status_error(429, "slow down")).cause == "status 429: slow down"
    assert len(Failure.of(status_error(500, "far too long " * 100)).cause) < 320
    assert Failure.of(status_error(502)).cause == "status 502"
