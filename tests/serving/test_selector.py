"""The time that a classifier may take, and what stands while it fails; what it decides: `test_selection`."""

import asyncio
import gc
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Decision, Explanation, ModelFileError, Tier, TierPredictor
from serving.alarms import Alarms
from serving.selector import NoModel, Selector, is_short
from tests.serving.conftest import ASK_CHEAP, ASK_PREMIUM, BALANCED, Make

PATIENCE = 20.0
DECISION = Decision(Tier.PREMIUM, (0.1, 0.2, 0.7), 0.0, 1.0, "fixed", "0")
LONG = [{"role": "user", "content": f"turn {number}"} for number in range(2_000)] + ASK_PREMIUM


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Hanging:
    """A predictor that hangs until it is let go."""

    def __init__(self) -> None:
        self.gate = threading.Event()

    def decide(self, _prompt: Sequence[Any], /) -> Decision:
        self.gate.wait(PATIENCE)
        return DECISION

    def explain(self, _prompt: Sequence[Any], /) -> Explanation:
        self.gate.wait(PATIENCE)
        raise ValueError("no words")


@pytest.fixture
def hanging() -> Iterator[Hanging]:
    predictor = Hanging()
    yield predictor
    predictor.gate.set()


def names(alarms: Alarms) -> list[str]:
    return [alarm.name for alarm in alarms.standing()]


def test_one_that_hangs_is_given_up_in_its_time(hanging: Hanging) -> None:
    alarms = Alarms()
    since = time.monotonic()
    selection = Selector(hanging, alarms, 0.1).select("auto", ASK_CHEAP)
    assert 0.1 <= time.monotonic() - since < PATIENCE / 4
    assert (selection.tier, selection.decision) == (Tier.BALANCED, None)
    assert "TimeoutError: it took more than 0.1 s for 1 messages" in selection.reasons()[0]
    assert names(alarms) == ["classifier"]


async def test_one_that_hangs_leaves_the_event_loop_alone(hanging: Hanging) -> None:
    selector = Selector(hanging, Alarms(), 0.3)
    waiting = asyncio.ensure_future(selector.select_soon("auto", ASK_CHEAP))
    turns = 0
    while not waiting.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert waiting.result().tier is Tier.BALANCED
    assert turns > 10


async def test_a_call_that_is_cancelled_waits_for_nobody(hanging: Hanging) -> None:
    selector = Selector(hanging, Alarms(), PATIENCE)
    waiting = asyncio.ensure_future(selector.select_soon("auto", ASK_CHEAP))
    await asyncio.sleep(0.05)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_what_nobody_waits_for_any_more_is_not_begun_and_its_failure_is_nobody_s(
    hanging: Hanging, caplog: pytest.LogCaptureFixture
) -> None:
    begun: list[Sequence[Any]] = []

    class Noted(Hanging):
        def decide(self, prompt: Sequence[Any], /) -> Decision:
            begun.append(prompt)
            hanging.decide(prompt)
            raise ValueError("too late")

    selector = Selector(Noted(), Alarms(), PATIENCE)
    asking = [asyncio.ensure_future(selector.select_soon("auto", ASK_CHEAP)) for _ in range(9)]
    await asyncio.sleep(0.05)
    for each in asking:
        each.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    del asking, each
    hanging.gate.set()
    await asyncio.sleep(0.1)
    gc.collect()
    assert len(begun) == 4  # a thread each; the others were still waiting for one
    assert not caplog.records


async def test_its_explanation_is_bounded_too(hanging: Hanging) -> None:
    hanging.gate.set()
    selector = Selector(hanging, Alarms(), 0.1)
    selection = await selector.select_soon("auto", ASK_CHEAP)
    hanging.gate.clear()
    assert "could not explain itself: TimeoutError: it took more than 0.1 s" in selection.reasons()[0]


async def test_reasons_that_are_not_ready_when_they_are_read_are_left_out() -> None:
    class Slow(Hanging):
        def decide(self, _prompt: Sequence[Any], /) -> Decision:
            return DECISION

    slow = Slow()
    try:
        selection = await Selector(slow, Alarms(), PATIENCE).select_soon("auto", ASK_CHEAP, explained=True)
        assert selection.reasons() == ("the classifier's explanation was not ready in time",)
    finally:
        slow.gate.set()


async def test_a_long_conversation_is_decided_on_as_a_short_one_is(predictor: TierPredictor) -> None:
    assert not is_short(LONG)
    selector = Selector(predictor, Alarms(), PATIENCE)
    expected = predictor.decide(LONG)
    for selection in (selector.select("auto", LONG), await selector.select_soon("auto", LONG)):
        assert selection.decision == expected
        assert selection.reasons() == predictor.explain(LONG).reasons()


def test_the_alarm_is_over_when_it_has_decided_for_a_minute_without_a_failure(
    predictor: TierPredictor, hanging: Hanging
) -> None:
    clock = Clock()
    alarms = Alarms(clock)
    Selector(hanging, alarms, 0.01).select("auto", ASK_CHEAP)
    good = Selector(predictor, alarms, 1.0)
    clock.now = 59.0
    good.select("auto", ASK_CHEAP)
    assert names(alarms) == ["classifier"]
    clock.now = 60.0
    good.select("auto", ASK_CHEAP)
    assert names(alarms) == []


@pytest.mark.parametrize("messages", [[], [5], "text"], ids=["none", "no messages", "a string"])
def test_messages_that_cannot_be_read_are_no_failure_of_the_classifiers(
    predictor: TierPredictor, messages: Any
) -> None:
    alarms = Alarms()
    Selector(predictor, alarms, 1.0).select("auto", messages)
    assert names(alarms) == []


def test_without_a_model_balanced_answers_and_the_alarm_is_another_one() -> None:
    alarms = Alarms()
    selection = Selector(NoModel(), alarms, 1.0).select("auto", ASK_CHEAP)
    assert selection.tier is Tier.BALANCED
    assert names(alarms) == []
    with pytest.raises(ModelFileError, match="its model file cannot be used"):
        NoModel().explain(ASK_CHEAP)


@pytest.mark.parametrize(
    ("messages", "short"),
    [
        (ASK_CHEAP, True),
        ([{"role": "user", "content": "a"}] * 256, True),
        ([{"role": "user", "content": "a"}] * 257, False),
        ([{"role": "user", "content": [{"type": "text", "text": "a"}] * 300}], False),
        ([{"role": "user", "content": "a" * 300_000}], False),
        ([{"role": "user", "content": [{"type": "text", "text": "a" * 300_000}]}], False),
        ([{"role": "user"}, {"role": "user", "content": None}, 5, "text"], True),
    ],
    ids=["a question", "256 turns", "257 turns", "300 parts", "long", "a long part", "odd ones"],
)
def test_what_is_short_is_told_by_turns_parts_and_characters(messages: Any, short: bool) -> None:
    assert is_short(messages) is short


@given(
    st.lists(
        st.recursive(
            st.none() | st.text() | st.integers(),
            lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["role", "content", "text", "type"]), x),
            max_leaves=8,
        )
    )
)
def test_any_messages_are_short_or_not(messages: list[Any]) -> None:
    assert is_short(messages) in (True, False)


class TestRouters:
    def test_a_predictor_that_hangs_means_balanced(self, make: Make, hanging: Hanging) -> None:
        driver = make(predictor=hanging, classifier_seconds=0.1)
        routing = driver.create(model="auto", messages=ASK_CHEAP).routing
        assert (routing.tier, routing.model) == (Tier.BALANCED, BALANCED)
        assert names(driver.router.core.alarms) == ["classifier"]

    def test_a_predictor_of_ones_own_sees_what_its_caller_sees(self, make: Make) -> None:
        seen: list[Any] = []

        class Own(Hanging):
            def decide(self, prompt: Sequence[Any], /) -> Decision:
                seen.extend(prompt)
                return DECISION

        assert make(predictor=Own()).create(model="auto", messages=ASK_CHEAP).routing.decision == DECISION
        assert seen == ASK_CHEAP
