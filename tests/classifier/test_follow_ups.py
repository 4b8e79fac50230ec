"""What the packaged model makes of short follow-ups: they inherit from what came before, thanks do not."""

import pytest

from classifier import Tier, TierPredictor

HARD = [
    "Prove that every finite division ring is commutative.",
    "Find the data race in this lock-free queue and prove that your fix is linearizable:\n"
    "```cpp\nwhile (!head.compare_exchange_weak(h, h->next)) {}\n```",
    "Design a globally distributed ledger with strict serializability across five regions, tolerating the "
    "loss of one, and justify each consistency trade-off.",
    "My contract has a non-compete clause governed by Californian law but I live in Texas; is it "
    "enforceable, and what do I risk if I join a competitor?",
]
EASY = [
    "What is the capital of France?",
    "Fix the typo: recieve",
    "Translate 'good morning' into Italian.",
    "How many grams are in an ounce?",
]
HARD_IDS, EASY_IDS = ["proof", "race", "ledger", "contract"], ["capital", "typo", "translation", "ounce"]
INHERITING = ["and in French?", "why?", "yes, do it", "go on"]
WHOLLY = ["why?", "yes, do it", "go on"]  # to translate an answer is less work than to find it
THANKS = ["thanks!", "Thank you so much, that's all.", "perfect, thanks"]


def after(ask: str, follow_up: str) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": ask},
        {"role": "assistant", "content": "Here is what I found. " * 20},
        {"role": "user", "content": follow_up},
    ]


@pytest.mark.parametrize("ask", HARD, ids=HARD_IDS)
def test_the_hard_asks_are_hard_by_themselves(predictor: TierPredictor, ask: str) -> None:
    assert predictor.decide(ask).tier is Tier.PREMIUM


@pytest.mark.parametrize("ask", EASY, ids=EASY_IDS)
def test_the_easy_asks_are_easy_by_themselves(predictor: TierPredictor, ask: str) -> None:
    assert predictor.decide(ask).tier is Tier.CHEAP


@pytest.mark.parametrize("follow_up", WHOLLY)
@pytest.mark.parametrize("ask", HARD, ids=HARD_IDS)
def test_a_follow_up_to_a_hard_ask_stays_above_cheap(
    predictor: TierPredictor, ask: str, follow_up: str
) -> None:
    assert predictor.decide(after(ask, follow_up)).tier > Tier.CHEAP


@pytest.mark.parametrize("follow_up", INHERITING)
@pytest.mark.parametrize("ask", EASY, ids=EASY_IDS)
def test_a_follow_up_to_an_easy_ask_is_never_premium(
    predictor: TierPredictor, ask: str, follow_up: str
) -> None:
    assert predictor.decide(after(ask, follow_up)).tier < Tier.PREMIUM


@pytest.mark.parametrize("ask", EASY, ids=EASY_IDS)
def test_a_go_ahead_to_an_easy_ask_stays_cheap(predictor: TierPredictor, ask: str) -> None:
    assert predictor.decide(after(ask, "yes, do it")).tier is Tier.CHEAP


@pytest.mark.parametrize("follow_up", INHERITING)
def test_the_same_follow_up_needs_more_after_every_hard_ask_than_after_any_easy_one(
    predictor: TierPredictor, follow_up: str
) -> None:
    hard, easy = (
        [1.0 - predictor.decide(after(ask, follow_up)).probabilities[Tier.CHEAP] for ask in asks]
        for asks in (HARD, EASY)
    )
    assert min(hard) > max(easy)


@pytest.mark.parametrize("thanks", THANKS)
@pytest.mark.parametrize("ask", [*HARD, *EASY], ids=[*HARD_IDS, *EASY_IDS])
def test_thanks_inherit_nothing(predictor: TierPredictor, ask: str, thanks: str) -> None:
    assert predictor.decide(after(ask, thanks)).tier is Tier.CHEAP
