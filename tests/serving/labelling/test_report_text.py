"""How to go on, in words that a shell takes."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.labelling.report_text import go_on, next_budget


@pytest.mark.parametrize(
    ("given_words", "told"),
    [
        (["label", "p", "--budget-usd", "5", "--yes"], "label p --budget-usd 7.5 --yes"),
        (["label", "--budget-usd=5", "p"], "label --budget-usd=7.5 p"),
        (["label", "a b.txt", "--budget-usd", "5"], "label 'a b.txt' --budget-usd 7.5"),
    ],
    ids=["two words", "one word", "quoted"],
)
def test_a_larger_budget_takes_the_place_of_the_old(given_words: list[str], told: str) -> None:
    assert go_on(given_words, 7.5) == f"python -m serving {told}"


@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5), max_size=4))
def test_the_same_command_is_told_word_for_word(words: list[str]) -> None:
    assert shlex.split(go_on(words))[3:] == words


@given(st.floats(0, 100), st.floats(0, 100), st.floats(0.000001, 1))
def test_the_next_budget_covers_what_is_left(charged: float, expected: float, next_one: float) -> None:
    enough = next_budget(charged, expected, next_one)
    wanted = charged + 1.25 * expected + next_one
    assert wanted * (1 - 1e-6) <= enough <= wanted * 1.11
    assert float(f"{enough:g}") >= wanted * (1 - 1e-6)
