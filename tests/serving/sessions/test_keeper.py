from typing import Any

import pytest

from classifier import Tier
from serving import RouterConfig
from serving.routing import Reasons
from serving.selection import Selection, named
from serving.sessions.keeper import Held, Sessions
from serving.sessions.memory import Memory
from tests.serving.conftest import BALANCED, CHEAP, PREMIUM
from tests.serving.sessions.turns import decision

ASKED: list[Any] = [{"role": "user", "content": "Please prove it."}]
GO: list[Any] = [*ASKED, {"role": "assistant", "content": "So."}, {"role": "user", "content": "yes, do it"}]


def selected(tier: Tier) -> Selection:
    return Selection("auto", tier, decision(tier), Reasons.known("the words"))


@pytest.fixture
def sessions() -> Sessions:
    return Sessions(RouterConfig())


def after_an_answer(sessions: Sessions, tier: Tier, model: str) -> Sessions:
    session, known = sessions.identify(ASKED), sessions.remembered(tier, model, 100, 50, 10.0)
    assert session is not None
    assert known is not None
    sessions.memory.put(session.place, known, 0.0)
    return sessions


def held(sessions: Sessions, selection: Selection, **terms: Any) -> Held:
    return sessions.hold(selection, sessions.identify(GO), GO, 20.0, **terms)


def test_what_is_held_says_why_before_the_classifier_does(sessions: Sessions) -> None:
    kept = held(after_an_answer(sessions, Tier.PREMIUM, PREMIUM), selected(Tier.CHEAP))
    assert (kept.selection.tier, kept.moved) == (Tier.PREMIUM, True)
    assert kept.selection.reasons() == ("the conversation keeps premium: this is a go-ahead", "the words")


@pytest.mark.parametrize(
    "selection",
    [
        named("cheap"),
        named("vendor/model"),
        Selection("auto", Tier.BALANCED, None, Reasons.known("it failed")),
    ],
    ids=["a tier by name", "a model by name", "the classifier failed"],
)
def test_what_was_not_decided_on_is_not_held(sessions: Sessions, selection: Selection) -> None:
    kept = held(after_an_answer(sessions, Tier.PREMIUM, PREMIUM), selection)
    assert (kept.selection, kept.moved) == (selection, False)


def test_a_ceiling_bounds_what_is_kept_but_not_what_was_decided_on(sessions: Sessions) -> None:
    after_an_answer(sessions, Tier.PREMIUM, PREMIUM)
    assert held(sessions, selected(Tier.CHEAP), ceiling=Tier.BALANCED).selection.tier is Tier.BALANCED
    assert held(sessions, selected(Tier.PREMIUM), ceiling=Tier.BALANCED).selection.tier is Tier.PREMIUM


@pytest.mark.parametrize(
    ("tier", "model", "has"),
    [
        (Tier.PREMIUM, BALANCED, Tier.BALANCED),
        (Tier.CHEAP, PREMIUM, Tier.CHEAP),
        (Tier.PREMIUM, "vendor/spare", Tier.PREMIUM),
        (None, BALANCED, Tier.BALANCED),
    ],
    ids=["fell down", "fell up", "a spare model", "the caller named the model"],
)
def test_the_lower_of_what_was_settled_on_and_what_answered_is_remembered(
    sessions: Sessions, tier: Tier | None, model: str, has: Tier
) -> None:
    known = sessions.remembered(tier, model, 100, 50, 10.0)
    assert known is not None
    assert (known.tier, known.model) == (has, model)


def test_a_model_of_no_tier_that_the_caller_named_leaves_nothing_to_remember(sessions: Sessions) -> None:
    assert sessions.remembered(None, "vendor/other", 100, 50, 10.0) is None


def test_a_tier_that_is_kept_past_a_tool_turn_is_remembered_as_it_is(sessions: Sessions) -> None:
    known = sessions.remembered(Tier.PREMIUM, CHEAP, 100, 50, 10.0, is_kept=True)
    assert known is not None
    assert (known.tier, known.model) == (Tier.PREMIUM, CHEAP)


def test_a_stored_answer_carries_the_conversation_on(sessions: Sessions) -> None:
    first = sessions.identify(ASKED)
    sessions.carry(Held(selected(Tier.PREMIUM), first), 10.0)
    assert held(sessions, selected(Tier.CHEAP)).selection.tier is Tier.PREMIUM


def test_a_stored_answer_forgets_nothing_that_is_known(sessions: Sessions) -> None:
    after_an_answer(sessions, Tier.PREMIUM, PREMIUM)
    sessions.carry(Held(selected(Tier.CHEAP), sessions.identify(ASKED)), 15.0)
    session = sessions.identify(GO)
    assert session is not None
    known = sessions.find(session, 20.0)
    assert known is not None
    assert (known.tier, known.model, known.at) == (Tier.PREMIUM, PREMIUM, 10.0)


@pytest.mark.parametrize("messages", [None, [], iter(ASKED)], ids=["none", "empty", "an iterator"])
def test_without_messages_there_is_no_session(sessions: Sessions, messages: Any) -> None:
    assert sessions.identify(messages) is None


@pytest.mark.parametrize("name", ["", None, 7, {}], ids=["empty", "none", "number", "object"])
def test_a_name_that_is_none_is_not_used(sessions: Sessions, name: Any) -> None:
    assert sessions.identify(ASKED, given=name, user=name) == sessions.identify(ASKED)


def test_memory_is_handed_on_and_takes_the_new_size() -> None:
    memory = Memory(5)
    config = RouterConfig.from_dict({"sessions": {"most_remembered": 1}})
    after_an_answer(Sessions(RouterConfig(), memory), Tier.PREMIUM, PREMIUM)
    assert held(Sessions(config, memory), selected(Tier.CHEAP)).selection.tier is Tier.PREMIUM
