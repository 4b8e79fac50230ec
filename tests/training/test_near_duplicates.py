import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.labelled import LabelledData
from training.near_duplicates import NEAR, Likeness, find_near_duplicates, stand_ins
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


# --- one of a kind


def test_each_kind_is_stood_for_by_the_first_of_it() -> None:
    texts = [PROMPT, OTHERS[0], f"please {PROMPT}", f"{OTHERS[0]}?", OTHERS[1]]
    assert stand_ins(texts, [0] * 5).tolist() == [0, 1, 0, 1, 4]


def test_texts_of_other_blocks_are_not_compared() -> None:
    assert stand_ins([PROMPT, PROMPT, PROMPT], [0, 1, 0]).tolist() == [0, 1, 0]


@pytest.mark.parametrize("texts", [[], [PROMPT]], ids=["none", "one"])
def test_few_texts_stand_for_themselves(texts: list[str]) -> None:
    assert stand_ins(texts, [0] * len(texts)).tolist() == list(range(len(texts)))


def test_a_template_filled_a_thousand_times_and_more_stays_once(labelled: LabelledData) -> None:
    varied = [text for text in labelled.frame["text"].tolist() if len(text) > 40][:700]
    copies = [f"{PROMPT} (order no. {number})" for number in range(700)]
    texts = [text for pair in zip(varied, copies, strict=True) for text in pair]
    found = stand_ins(texts, [0] * len(texts))
    assert set(found[1::2].tolist()) == {1}
    assert (found[::2] == numpy.arange(0, len(texts), 2)).mean() > 0.99


@settings(max_examples=25)
@given(st.lists(LONG_ENOUGH, min_size=1, max_size=8), st.integers(1, 3))
def test_whoever_stands_for_a_text_stands_for_itself(texts: list[str], blocks: int) -> None:
    found = stand_ins(texts, [place % blocks for place in range(len(texts))])
    assert all(found[leader] == leader for leader in found)
    assert all(leader <= place for place, leader in enumerate(found))
