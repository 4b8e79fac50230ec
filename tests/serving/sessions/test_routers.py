"""Conversations through both SDK routers, over real HTTP."""

from typing import Any

import pytest

from classifier import Tier, TierPredictor
from serving import RouterConfig
from serving.core import RouterCore
from serving.keys import Keys
from serving.sandbox import Sandbox, Status
from tests.serving.conftest import BALANCED, CHEAP, ENVIRON, PREMIUM, Driver, Make

HARD, EASY = (
    "Please prove it.",
    "Now tell me what the capital of France is, and of its neighbours, too.",
)
CACHED = {
    name: {"input": usd, "output": usd, "cached_input": usd / 10}
    for name, usd in ((CHEAP, 0.25), (BALANCED, 0.28), (PREMIUM, 2.5))
}


class Talk:
    """One conversation through a driver."""

    def __init__(self, driver: Driver, **params: Any) -> None:
        self.driver = driver
        self.params = params
        self.messages: list[Any] = []

    def say(self, text: str, **params: Any) -> Any:
        """Say something; return the record of the answer, which joins the conversation."""
        return self.add({"role": "user", "content": text}, **params)

    def add(self, message: dict[str, Any], **params: Any) -> Any:
        self.messages.append(message)
        whole = {"model": "auto", "messages": self.messages, **self.params, **params}
        answer = self.driver.create(**whole)
        if whole.get("stream"):
            self.driver.read(answer)
            text: Any = "So it goes."
        else:
            text = answer.choices[0].message.content
        self.messages.append({"role": "assistant", "content": text})
        return answer.routing


def test_a_go_ahead_keeps_the_tier_and_says_why(driver: Driver) -> None:
    talk = Talk(driver)
    talk.say(HARD)
    routing = talk.say("yes, do it")
    assert (routing.tier, routing.model, routing.decision.tier) == (Tier.PREMIUM, PREMIUM, Tier.CHEAP)
    assert routing.reasons[0] == "the conversation keeps premium: this is a go-ahead"


def test_a_single_go_ahead_is_what_it_was(driver: Driver) -> None:
    assert Talk(driver).say("yes, do it").tier is Tier.CHEAP


def test_a_harder_ask_moves_up_at_once_and_an_easier_one_down_where_it_saves(make: Make) -> None:
    talk = Talk(make(prices=CACHED))
    assert talk.say("What is the capital of France?").tier is Tier.CHEAP
    harder = talk.say(HARD)
    assert (harder.tier, harder.reasons[0]) == (Tier.PREMIUM, "the ask got harder: up from cheap")
    routing = talk.say(EASY)
    assert routing.tier is Tier.CHEAP
    assert routing.reasons[0].startswith("the conversation moves from premium to cheap: it saves $")


def test_an_easier_ask_stays_where_the_cache_is_worth_more(make: Make) -> None:
    talk = Talk(make(prices=CACHED))
    talk.say("Write the function. " + "It is long. " * 400)
    routing = talk.say(EASY)
    assert (routing.tier, routing.decision.tier) == (Tier.BALANCED, Tier.CHEAP)
    assert "the prompt cache that would be lost" in routing.reasons[0]


@pytest.mark.parametrize("seconds", [299.0, 301.0], ids=["before", "after"])
def test_after_a_pause_the_decision_stands(
    make: Make, settings: dict[str, Any], predictor: TierPredictor, seconds: float
) -> None:
    now = [0.0]
    config, keys = RouterConfig.from_dict(settings), Keys.from_environ(ENVIRON)
    talk = Talk(make(options={"core": RouterCore(config, keys, predictor, clock=lambda: now[0])}))
    talk.say(HARD)
    now[0] += seconds
    assert talk.say("yes, do it").tier is {299.0: Tier.PREMIUM, 301.0: Tier.CHEAP}[seconds]


def test_streams_are_remembered_once_they_have_ended(driver: Driver) -> None:
    talk = Talk(driver, stream=True)
    talk.say(HARD)
    assert talk.say("yes, do it").tier is Tier.PREMIUM


def test_a_tool_s_result_keeps_the_tier(driver: Driver) -> None:
    talk = Talk(driver)
    talk.say(HARD)
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    talk.messages[-1] = {"role": "assistant", "content": None, "tool_calls": [call]}
    assert talk.add({"role": "tool", "content": "42", "tool_call_id": "1"}).tier is Tier.PREMIUM


def test_a_tool_s_result_may_go_to_the_cheap_tier_and_the_conversation_keeps_its_own(make: Make) -> None:
    talk = Talk(make(sessions={"tool_turns": "cheap"}))
    talk.say(HARD)
    result = talk.add({"role": "tool", "content": "42", "tool_call_id": "1"})
    assert (result.tier, result.model) == (Tier.CHEAP, CHEAP)
    assert "this is a turn that only carries a tool's result: it saves $" in result.reasons[0]
    assert talk.say("yes, do it").tier is Tier.PREMIUM


def test_a_caller_who_names_a_tier_or_a_model_gets_it(driver: Driver) -> None:
    talk = Talk(driver)
    talk.say(HARD)
    assert talk.say("yes, do it", model="balanced").tier is Tier.BALANCED
    assert talk.say("yes, do it").tier is Tier.BALANCED  # which is what was really used
    assert talk.say("yes, do it", model=CHEAP).model == CHEAP


def test_a_fallback_to_a_cheaper_model_is_where_the_conversation_is(make: Make, upstream: Sandbox) -> None:
    talk = Talk(make())
    upstream.script(PREMIUM, Status(503))
    assert talk.say(HARD).model == BALANCED
    assert talk.say("yes, do it").tier is Tier.BALANCED


def test_a_fallback_to_a_dearer_model_lifts_nothing(make: Make, upstream: Sandbox) -> None:
    talk = Talk(make())
    upstream.script(CHEAP, Status(503))
    assert talk.say("What is the capital of France?").model == BALANCED
    assert talk.say("yes, do it").tier is Tier.CHEAP


def test_switched_off_every_turn_is_decided_on_by_itself(make: Make) -> None:
    talk = Talk(make(sessions={"enabled": False}))
    talk.say(HARD)
    assert talk.say("yes, do it").tier is Tier.CHEAP


def test_a_named_session_needs_no_history(driver: Driver) -> None:
    named = {"model": "auto", "extra_headers": {"X-Tierwise-Session": "mine"}}
    driver.create(messages=[{"role": "user", "content": HARD}], **named)
    go_ahead = [{"role": "user", "content": "yes, do it"}]
    assert driver.create(messages=go_ahead, **named).routing.tier is Tier.PREMIUM
    assert driver.create(messages=go_ahead, model="auto").routing.tier is Tier.CHEAP
