import pytest
from hypothesis import given

from classifier.follow_up import is_closing
from tests.classifier.texts import ALL_OF_UNICODE

THANKS = [
    "thanks!",
    "Thank you so much, that's all.",
    "OK, got it",
    "Merci !",
    "DANKE",
    "спасибо",
    "谢谢",
    "ありがとう",
]
ASKS = [
    "why?",
    "and in French?",
    "yes, do it",
    "go on",
    "",
    "thankless",
    "Was ist Kambyses?",
    "tackle it",
    "typo",
]


@pytest.mark.parametrize("turn", THANKS)
def test_thanks_and_leave_taking_close_a_conversation(turn: str) -> None:
    assert is_closing(turn)


@pytest.mark.parametrize("turn", ASKS)
def test_other_short_turns_do_not(turn: str) -> None:
    assert not is_closing(turn)


def test_a_long_turn_that_begins_with_thanks_asks_for_something() -> None:
    assert not is_closing(
        "Thanks! Now prove the converse. Be careful with infinite rings, which behave oddly."
    )


@given(ALL_OF_UNICODE)
def test_any_text_is_one_or_the_other(turn: str) -> None:
    assert is_closing(turn) in (True, False)
