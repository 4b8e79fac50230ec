import json
from typing import Any

import pytest

from classifier import Tier
from serving import RouterConfig
from serving.sessions.session_id import identify
from serving.spending.feedback_rows import Export, Left, SignFinder, Told, messages_of, tier_of_answer
from serving.spending.ledger_row import ChosenBy, LedgerRow, Outcome
from serving.spending.requests import requests_of
from tests.serving.spending.logged import a_request, an_attempt

CONFIG = RouterConfig()
CHEAP, BALANCED, PREMIUM = (CONFIG.tier(tier).model for tier in Tier)
ASK = '[{"role": "user", "content": "What is a monad?"}]'
SAME = '[{"content":"What is a monad?","role":"user"}]'
OTHER = '[{"role": "user", "content": "What is a functor?"}]'
NAMED_PREMIUM = {"chosen_by": ChosenBy.CALLER, "requested": "premium", "tier": "premium", "model": PREMIUM}


def asked(number: int, **changes: Any) -> LedgerRow:
    """A request of one session, `number` seconds after midnight."""
    return an_attempt(number, **{"session": "s1", "prompt": ASK} | changes)


def exported(*rows: LedgerRow, thumbs: dict[str, str] | None = None) -> tuple[list[dict[str, Any]], Export]:
    finder = SignFinder(CONFIG)
    for request in requests_of(rows):
        finder.add(request)
    told_of = {name: Told(thumb) for name, thumb in (thumbs or {}).items()}
    export = Export(CONFIG, told_of, finder)
    return list(export.rows_of(requests_of(rows))), export


def signs(*rows: LedgerRow) -> list[tuple[object, object]]:
    found, _ = exported(*rows)
    return [(row.get("retried"), row.get("escalated_to")) for row in found]


def test_a_row_says_what_the_ledger_knows_and_nothing_else() -> None:
    known = asked(1, probabilities=(0.7, 0.2, 0.1), policy="risk at most 0.2", model_version="abc")
    (row,), export = exported(known, thumbs={"r1": "up", "r9": "down"})
    assert row == {
        "messages": json.loads(ASK),
        "tier": "cheap",
        "thumb": "up",
        "request_id": "r1",
        "time": "2026-11-22T00:00:01+00:00",
        "model": CHEAP,
        "model_version": "abc",
        "policy": "risk at most 0.2",
        "probabilities": [0.7, 0.2, 0.1],
        "chosen_by": "policy",
    }
    assert (export.rows, export.told["thumb"], export.used) == (1, 1, {"r1"})


def test_asking_again_at_the_same_tier_is_a_retry_of_the_first() -> None:
    assert signs(asked(1), asked(10, prompt=SAME)) == [(True, None), (None, None)]


def test_naming_a_higher_tier_for_the_same_prompt_is_an_escalation() -> None:
    assert signs(asked(1), asked(10, **NAMED_PREMIUM)) == [(None, "premium"), (None, None)]


def test_an_escalation_counts_after_a_retry_too_and_stands_in_its_place() -> None:
    rows = asked(1), asked(10), asked(20, **NAMED_PREMIUM)
    assert signs(*rows) == [(None, "premium"), (None, "premium"), (None, None)]


def test_the_thumb_of_an_escalation_stands_in_its_own_row() -> None:
    found, _ = exported(asked(1), asked(10, **NAMED_PREMIUM), thumbs={"r10": "up"})
    assert [row.get("thumb") for row in found] == [None, "up"]
    assert not any("escalated_thumb" in row for row in found)


@pytest.mark.parametrize(
    "later",
    [
        pytest.param({"prompt": OTHER}, id="another prompt"),
        pytest.param({"session": "s2"}, id="another session"),
        pytest.param({"key_id": "4f1d"}, id="another key"),
        pytest.param({"at": 1_795_305_601.5}, id="before the answer had ended"),
        pytest.param({"at": 1_795_305_600.0 + 3700}, id="after an hour"),
        pytest.param({"outcome": Outcome.FAILED, "usd": 0.0}, id="without an answer"),
        pytest.param({"tier": "balanced", "model": BALANCED}, id="at another tier that nobody named"),
    ],
)
def test_a_later_request_is_no_sign(later: dict[str, Any]) -> None:
    assert signs(asked(1), asked(10, **later))[0] == (None, None)


@pytest.mark.parametrize(
    "session", [None, identify([{"role": "user", "content": "hi"}]).name], ids=["none", "told from the words"]
)
def test_without_a_session_of_the_caller_s_nothing_is_derived(session: str | None) -> None:
    assert signs(asked(1, session=session), asked(10, session=session)) == [(None, None)] * 2


def test_going_down_by_name_is_no_escalation() -> None:
    named_cheap = {"chosen_by": ChosenBy.CALLER, "requested": "cheap"}
    premium = {"tier": "premium", "model": PREMIUM}
    assert signs(asked(1, **premium), asked(10, **named_cheap))[0] == (None, None)


def test_old_prompts_are_forgotten_and_new_ones_are_not() -> None:
    rows = [
        asked(number * 1000, prompt=f'[{{"role": "user", "content": "{number}"}}]') for number in range(9)
    ]
    rows += [asked(8010, prompt='[{"role": "user", "content": "8"}]')]
    assert [retried for retried, _ in signs(*rows)] == [None] * 8 + [True, None]


@pytest.mark.parametrize(
    ("told", "signs"),
    [
        pytest.param(Told(retried=True), {"retried": True}, id="a retry"),
        pytest.param(
            Told("down", escalated_to="premium"), {"thumb": "down", "escalated_to": "premium"}, id="all"
        ),
        pytest.param(Told(retried=False), {"retried": False}, id="no retry, though it looks like one"),
        pytest.param(Told("up"), {"thumb": "up", "retried": True}, id="a thumb beside what is derived"),
        pytest.param(Told(escalated_to="cheap"), {"retried": True}, id="no escalation, but what is derived"),
    ],
)
def test_what_the_caller_told_comes_before_what_is_derived(told: Told, signs: dict[str, Any]) -> None:
    rows, finder = [asked(1), asked(10)], SignFinder(CONFIG)
    for request in requests_of(rows):
        finder.add(request)
    first, _ = Export(CONFIG, {"r1": told}, finder).rows_of(requests_of(rows))
    assert {name: first[name] for name in ("thumb", "retried", "escalated_to") if name in first} == signs


def test_signs_can_be_left_out() -> None:
    export = Export(CONFIG, {"r1": Told("down")}, None)
    first, second = export.rows_of(requests_of([asked(1), asked(10)]))
    assert (first["thumb"], "retried" in first, "retried" in second) == ("down", False, False)
    assert export.told == {"thumb": 1, "silent": 1}


def test_what_is_left_out_is_counted_by_its_reason() -> None:
    named = {"tier": None, "chosen_by": ChosenBy.CALLER, "requested": "x/y", "model": "x/y"}
    rows, export = exported(
        asked(1, prompt=None),
        asked(2, outcome=Outcome.CANCELLED, usd=None),
        asked(3, prompt="no JSON"),
        asked(4, prompt='[{"role": "user", "content": " "}]'),
        asked(5, **named),
    )
    assert rows == []
    assert export.left == {Left.NO_PROMPT: 1, Left.UNANSWERED: 1, Left.UNREADABLE: 2, Left.NO_TIER: 1}


def test_after_a_fallback_the_tier_is_that_of_the_model_that_answered() -> None:
    failed = {"outcome": Outcome.FAILED, "usd": 0.0, "prompt": ASK}
    (row,), _ = exported(*a_request(1, failed, {"model": BALANCED, "fell_back": True}))
    assert row["tier"] == "balanced"


def test_a_named_model_that_is_a_tiers_own_answers_as_that_tier() -> None:
    named = asked(1, tier=None, chosen_by=ChosenBy.CALLER, requested=PREMIUM, model=PREMIUM)
    assert tier_of_answer(named, CONFIG) is Tier.PREMIUM


@pytest.mark.parametrize(
    ("chosen_by", "told"),
    [
        (ChosenBy.POLICY, "policy"),
        (ChosenBy.CALLER, "caller"),
        (ChosenBy.FLOOR, None),
        (ChosenBy.BUDGET, None),
        (ChosenBy.CLASSIFIER_FAILED, None),
    ],
)
def test_who_chose_is_said_where_the_log_has_a_word_for_it(chosen_by: ChosenBy, told: str | None) -> None:
    (row,), _ = exported(asked(1, chosen_by=chosen_by))
    assert row.get("chosen_by") == told


def test_lone_surrogates_become_characters_that_a_file_can_hold() -> None:
    (message,) = messages_of('[{"role": "user", "content": "a\\ud800b"}]') or ()
    assert message["content"] == "a\ufffdb"
