from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.excerpt import ask_and_middle, both_ends
from tests.classifier.texts import LINES, TEXTS


def full_lines(text: str) -> Counter[str]:
    return Counter(line for line in text.split("\n") if line and not line.isspace())


@given(TEXTS, st.integers(1, 50))
def test_both_ends_are_the_text_itself_or_its_ends(text: str, window: int) -> None:
    sample = both_ends(text, window)
    assert len(sample) <= 2 * window + 1
    assert text.startswith(sample[:window])
    assert text.endswith(sample[-window:])
    assert sample == text or len(text) > 2 * window


@given(LINES, st.integers(1, 100))
def test_every_line_with_text_is_in_the_ask_or_in_the_middle(text: str, enough: int) -> None:
    ask, middle = ask_and_middle(text, enough)
    assert full_lines(ask) + full_lines(middle) == full_lines(text)


@given(LINES, st.integers(1, 100))
def test_with_a_middle_the_ask_holds_enough_at_either_end(text: str, enough: int) -> None:
    ask, middle = ask_and_middle(text, enough)
    assert not middle or sum(map(len, ask.split("\n"))) >= 2 * enough


def test_a_single_line_is_all_ask_however_long() -> None:
    assert ask_and_middle("word " * 1000, 40) == ("word " * 1000, "")


@pytest.mark.parametrize("text", ["", "\n", " \n\t\n  "], ids=["empty", "line break", "blank lines"])
def test_a_text_without_a_word_has_neither(text: str) -> None:
    ask, middle = ask_and_middle(text, 40)
    assert (ask.strip(), middle) == ("", "")


def test_an_ask_below_what_was_pasted_counts_as_one_above_it() -> None:
    log = [f"{line:04} an ordinary line of a log file" for line in range(50)]
    above, below = (
        "Which of these lines reports the failure of the disk?",
        "Reply with its number alone, please.",
    )
    ask, middle = ask_and_middle("\n".join([above, *log, below]), 40)
    assert above in ask
    assert below in ask
    assert log[25] in middle
    assert log[25] not in ask
