import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.labelled import LabelledData
from training.near_duplicates import NEAR, Likeness, find_near_duplicates
from training.normal_text import normalise

PROMPT = "write a polite reply to a supplier who has missed the delivery date for the third time in a row"
OTHERS = [
    "how many bones does an adult have?",
    "prove that the square root of two is irrational",
    "a packing list for four days of hiking in the alps in september",
    "why does my python process use more memory every hour until the kernel kills it?",
]


def near(text: str, *others: str) -> bool:
    return [found.other for found in find_near_duplicates([text, *OTHERS], others)] == [0]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(PROMPT.replace("supplier", "suplier"), id="a typing error"),
        pytest.param(PROMPT.replace("third", "fourth"), id="another word"),
        pytest.param(f"please {PROMPT}, thanks!", id="courtesy"),
        pytest.param(PROMPT.replace("for the third time in a row", ""), id="a part left out"),
    ],
)
def test_small_changes_leave_texts_near(other: str) -> None:
    assert near(PROMPT, other)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param("write a polite reply to a guest who asks for a late check-out", id="the same form"),
        pytest.param("is a supplier liable when a delivery date is missed?", id="the same subject"),
        pytest.param("", id="empty"),
        pytest.param("hi", id="shorter than a sequence"),
    ],
)
def test_other_texts_are_not_near(other: str) -> None:
    assert not near(PROMPT, other)


def test_ruled_lines_do_not_make_texts_near() -> None:
    one = "sum the second column " + "-" * 300 + " tea 4.20 " + "." * 200
    two = "who signed this lease? " + "-" * 300 + " landlord: m. okoye " + "." * 200
    assert not near(one, two)


def test_the_most_similar_text_is_named() -> None:
    others = [*OTHERS, f"{PROMPT}, please, as ever", f"{PROMPT}."]
    found = find_near_duplicates(["something else entirely", PROMPT], others)
    assert [(likeness.row, likeness.other) for likeness in found] == [(1, 5)]


def test_nothing_is_near_nothing() -> None:
    assert find_near_duplicates([], [PROMPT]) == []
    assert find_near_duplicates([PROMPT], []) == []


LONG_ENOUGH = (
    st.text(st.characters(exclude_categories=["Cs"])).map(normalise).filter(lambda text: len(text) >= 5)
)


@settings(max_examples=25)
@given(st.lists(LONG_ENOUGH, min_size=1, max_size=8))
def test_every_text_is_near_itself(texts: list[str]) -> None:
    found = find_near_duplicates(texts, texts)
    assert [likeness.row for likeness in found] == list(range(len(texts)))
    assert all(likeness.similarity == pytest.approx(1, abs=1e-5) for likeness in found)
    assert all(likeness.similarity <= 1 for likeness in found)


def test_blocks_give_what_one_product_gives(labelled: LabelledData) -> None:
    texts = labelled.frame["text"].tolist()[:1100]
    copies = [f"{text} thank you" for text in texts]
    found = find_near_duplicates(texts, copies, threshold=0.9)
    assert len(found) > 700
    assert all(likeness.row == likeness.other for likeness in found)
    assert numpy.all(numpy.diff([likeness.row for likeness in found]) > 0)


def test_a_likeness_is_at_least_the_threshold() -> None:
    assert find_near_duplicates([PROMPT, *OTHERS], [PROMPT[:60]], threshold=0.99) == []
    (found,) = find_near_duplicates([PROMPT, *OTHERS], [PROMPT[:60]], threshold=NEAR)
    assert isinstance(found, Likeness)
    assert NEAR <= found.similarity < 0.99
