import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.normal_text import normal_text, normalise


@pytest.mark.parametrize(
    "typed",
    [
        pytest.param("WHAT IS THE CAPITAL?", id="capitals"),
        pytest.param("  what\tis\n\nthe capital? ", id="white space"),
        pytest.param("what is the\u00a0capital?", id="no-break space"),
        pytest.param("what is the capital？", id="full-width question mark"),
        pytest.param("ｗｈａｔ is the capital?", id="full-width letters"),
    ],
)
def test_typing_makes_no_difference(typed: str) -> None:
    assert normalise(typed) == "what is the capital?"


def test_a_composed_and_a_decomposed_letter_are_the_same() -> None:
    assert normalise("cafe\u0301") == normalise("café")


@pytest.mark.parametrize("other", ["what is the capital", "what's the capital?", "what is the capitol?"])
def test_other_words_and_signs_make_a_difference(other: str) -> None:
    assert normalise(other) != normalise("what is the capital?")


@given(st.text())
def test_normalised_text_is_folded(text: str) -> None:
    normal = normalise(text)
    assert normal == " ".join(normal.split())
    assert normalise(text.replace(" ", "  \n")) == normal


@given(st.text(st.characters(max_codepoint=127)))
def test_capitals_and_space_around_make_no_difference(text: str) -> None:
    assert normalise(f" {text.upper()}\n") == normalise(text)


def test_a_single_user_turn_is_the_same_as_a_plain_prompt() -> None:
    assert normal_text([{"role": "user", "content": " Hi  there"}]) == normal_text("hi there")


def test_a_single_system_message_is_not_a_plain_prompt() -> None:
    assert normal_text([{"role": "system", "content": "hi"}]) == "system: hi"


def test_who_said_it_makes_a_difference() -> None:
    asked = normal_text([{"role": "user", "content": "yes"}, {"role": "assistant", "content": "no"}])
    answered = normal_text([{"role": "assistant", "content": "yes"}, {"role": "user", "content": "no"}])
    assert asked != answered


def test_where_a_turn_ends_makes_a_difference() -> None:
    one = normal_text([{"role": "user", "content": "a user: b"}, {"role": "user", "content": "c"}])
    two = normal_text([{"role": "user", "content": "a"}, {"role": "user", "content": "b user: c"}])
    assert one != two


def test_parts_of_text_are_the_same_as_text() -> None:
    parts = [{"type": "text", "text": "hi"}, {"type": "text", "text": "there"}]
    assert normal_text([{"role": "user", "content": parts}]) == normal_text("hi there")


def test_another_picture_makes_another_text() -> None:
    first, second = (
        normal_text([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}])
        for url in ("https://a.example/1.png", "https://a.example/2.png")
    )
    assert first != second
    assert len(first) < 30


def test_another_tool_call_makes_another_text() -> None:
    def called(name: str) -> str:
        calls = [{"id": "1", "type": "function", "function": {"name": name, "arguments": "{}"}}]
        return normal_text(
            [
                {"role": "user", "content": "do it"},
                {"role": "assistant", "content": None, "tool_calls": calls},
                {"role": "user", "content": "and now?"},
            ]
        )

    assert called("delete") != called("create")
