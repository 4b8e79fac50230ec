from typing import Any

import pytest

from serving.sessions.turns import Kind, fresh_tokens, kind_of


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


LONG = "Now write a birthday card for my aunt, who likes her garden, her cats and very dry jokes."


@pytest.mark.parametrize(
    ("last", "kind"),
    [
        (user("yes, do it"), Kind.ASSENT),
        (user("los, mach weiter"), Kind.ASSENT),
        (user("and in French?"), Kind.FOLLOW_UP),
        (user("thanks!"), Kind.FOLLOW_UP),
        (user(LONG), Kind.ASK),
        (user([{"type": "text", "text": "and this?"}, {"type": "image_url"}]), Kind.ASK),
        (user([{"type": "image_url"}]), Kind.ASK),
        ({"role": "tool", "content": "42"}, Kind.TOOL),
        ({"role": "function", "content": "42"}, Kind.TOOL),
    ],
    ids=["assent", "assent in German", "short", "thanks", "long", "picture", "picture alone", "tool", "old"],
)
def test_the_end_tells_the_kind(last: dict[str, Any], kind: Kind) -> None:
    assert kind_of([user("Prove it."), {"role": "assistant", "content": "So be it."}, last]) is kind


def test_a_turn_of_nothing_but_reminders_is_that_of_the_human_before() -> None:
    reminder = user("<system-reminder>the file changed</system-reminder>")
    assert kind_of([user("yes, do it"), reminder]) is Kind.ASSENT


def test_without_a_human_it_is_an_ask() -> None:
    assert kind_of([{"role": "system", "content": "hi"}]) is Kind.ASK


@pytest.mark.parametrize(
    ("text", "tokens"), [("a" * 396, 103), ("a" * 400_000, 100_000)], ids=["counted", "guessed"]
)
def test_what_is_new_is_counted_and_much_of_it_guessed(text: str, tokens: int) -> None:
    assert fresh_tokens([user(text)]) == tokens
