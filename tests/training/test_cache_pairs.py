import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from difflib import SequenceMatcher
from statistics import median
from typing import Any

import pytest

from tests.training.conftest import DATA
from training.labelled import LabelledData
from training.near_duplicates import find_near_duplicates
from training.normal_text import normal_text

CARD = (DATA / "README.md").read_text(encoding="utf-8")
PARTS = ("calibration", "held_out")
ALIKE = "paraphrase"
EITHER = "follow_up"
TEXTS = {"a", "b"}
CONTEXTS = {"context_a", "context_b"}
REST = {"id", "same", "kind", "language", "subject", "part"}
WELL_COVERED = ("ar", "de", "en", "es", "fr", "ja", "ru", "zh")

Pair = Mapping[str, Any]


def read_pairs() -> list[Pair]:
    text = (DATA / "cache" / "pairs.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


PAIRS = read_pairs()


def request(pair: Pair, side: str) -> list[dict[str, str]]:
    """One side of a pair as the messages of a request."""
    return [*pair.get(f"context_{side}", []), {"role": "user", "content": pair[side]}]


def requests(part: str) -> list[str]:
    chosen = [pair for pair in PAIRS if pair["part"] == part]
    return sorted({normal_text(request(pair, side)) for pair in chosen for side in "ab"})


def spaced(pair: Pair, side: str) -> str:
    return "\n".join(" ".join(turn["content"].split()) for turn in request(pair, side))


# --- the file


def test_every_pair_has_the_fields_that_the_card_names() -> None:
    for pair in PAIRS:
        assert set(pair) in (TEXTS | REST, TEXTS | CONTEXTS | REST)
        texts = [pair[name] for name in (*TEXTS, "id", "kind", "language", "subject")]
        assert all(isinstance(text, str) and text.strip() for text in texts)
        assert isinstance(pair["same"], bool)
        assert pair["part"] in PARTS


def test_ids_count_the_pairs() -> None:
    assert [pair["id"] for pair in PAIRS] == [f"p{number:04}" for number in range(1, len(PAIRS) + 1)]


def test_no_pair_stands_there_twice_in_whatever_order() -> None:
    keys = [frozenset((spaced(pair, "a"), spaced(pair, "b"))) for pair in PAIRS]
    assert len(set(keys)) == len(PAIRS)


def test_the_two_of_a_pair_differ_in_more_than_white_space() -> None:
    assert [pair["id"] for pair in PAIRS if spaced(pair, "a") == spaced(pair, "b")] == []


def test_no_pair_holds_a_control_character() -> None:
    contents = [turn["content"] for pair in PAIRS for side in "ab" for turn in request(pair, side)]
    kinds = {unicodedata.category(char) for char in set().union(*contents) - {"\n", "\t"}}
    assert kinds.isdisjoint({"Cc", "Cs", "Co", "Cn"})


def test_contexts_are_turns_that_end_with_the_assistant() -> None:
    contexts = [pair[name] for pair in PAIRS for name in sorted(CONTEXTS & set(pair))]
    assert len(contexts) >= 80
    for context in contexts:
        assert [turn["role"] for turn in context] == ["user", "assistant"] * (len(context) // 2)


def test_the_labelled_data_of_the_folder_does_not_take_them_for_its_own(labelled: LabelledData) -> None:
    assert len(labelled) == sum(
        len((DATA / name).read_text(encoding="utf-8").splitlines())
        for name in ("prompts.jsonl", "conversations.jsonl")
    )


# --- the labels


def test_paraphrases_are_the_same_and_look_alikes_are_not() -> None:
    for pair in PAIRS:
        assert pair["kind"] == EITHER or pair["same"] == (pair["kind"] == ALIKE)


def test_every_kind_has_some_pairs_and_follow_ups_have_both_labels() -> None:
    counts = Counter((pair["kind"], pair["same"]) for pair in PAIRS)
    assert min(counts.values()) >= 12
    assert {(EITHER, True), (EITHER, False)} <= set(counts)


def test_pairs_called_follow_up_have_contexts_and_unlike_ones_differ_there_alone() -> None:
    for pair in PAIRS:
        assert pair["kind"] != EITHER or set(pair) >= CONTEXTS
        assert (pair["kind"], pair["same"]) != (EITHER, False) or pair["a"] == pair["b"]


def test_nearly_half_of_the_pairs_are_the_same() -> None:
    assert 0.45 < sum(pair["same"] for pair in PAIRS) / len(PAIRS) < 0.55


@pytest.mark.parametrize("language", WELL_COVERED)
def test_the_larger_languages_have_a_dozen_of_each_label(language: str) -> None:
    labels = Counter(pair["same"] for pair in PAIRS if pair["language"] == language)
    assert min(labels[True], labels[False]) >= 12


# --- the two halves


def test_no_subject_is_in_both_halves() -> None:
    subjects = [{pair["subject"] for pair in PAIRS if pair["part"] == part} for part in PARTS]
    assert subjects[0].isdisjoint(subjects[1])


def test_no_request_of_one_half_is_nearly_one_of_the_other() -> None:
    assert find_near_duplicates(requests(PARTS[0]), requests(PARTS[1])) == []


def by_label(pair: Pair) -> object:
    return pair["same"]


def by_kind_and_label(pair: Pair) -> object:
    return pair["kind"], pair["same"]


def by_language(pair: Pair) -> object:
    return pair["language"]


@pytest.mark.parametrize(
    ("group", "most"),
    [(by_label, 2), (by_kind_and_label, 6), (by_language, 6)],
    ids=["label", "kind and label", "language"],
)
def test_the_halves_are_alike(group: Callable[[Pair], object], most: int) -> None:
    left, right = (Counter(group(pair) for pair in PAIRS if pair["part"] == part) for part in PARTS)
    assert set(left) == set(right)
    assert max(abs(left[name] - right[name]) for name in left) <= most


# --- the card


def rows(field: str) -> Iterator[str]:
    """The lines of the card's table of a field, its largest group first."""
    sizes = Counter(pair[field] for pair in PAIRS)
    for name, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        yield row(name, [pair for pair in PAIRS if pair[field] == name], size)
    yield row("all", PAIRS, len(PAIRS))


def row(name: str, pairs: list[Pair], size: int) -> str:
    same = Counter((pair["part"], pair["same"]) for pair in pairs)
    cells = [same[part, label] for part in PARTS for label in (True, False)]
    return f"| {name} | {size:,} | {' | '.join(map(str, cells))} |"


@pytest.mark.parametrize("field", ["kind", "language"])
def test_the_card_counts_the_pairs(field: str) -> None:
    head = rf"\| {field} \| pairs \| calibration: same \| not \| held out: same \| not \|\n\|[-:| ]+\|\n"
    found = re.search(rf"{head}((?:\|.*\|\n)+)", CARD)
    assert found is not None
    assert found[1].splitlines() == list(rows(field))


def likeness(same: bool) -> list[float]:
    chosen = [pair for pair in PAIRS if pair["same"] == same and "context_a" not in pair]
    return [SequenceMatcher(None, pair["a"], pair["b"]).ratio() for pair in chosen]


def test_the_figures_in_the_card_s_text_are_those_of_the_pairs() -> None:
    prose = " ".join(CARD.split())
    same = sum(pair["same"] for pair in PAIRS)
    follow_ups = sum("context_a" in pair for pair in PAIRS)
    lengths = [len(pair[side]) for pair in PAIRS for side in "ab"]
    unlike, alike = (median(likeness(label)) for label in (False, True))
    for claim in (
        f"{len(PAIRS):,} pairs of prompts",
        f"{same} are the same and {len(PAIRS) - same} are not",
        f"{len({pair['subject'] for pair in PAIRS})} subjects",
        f"{follow_ups} pairs are follow-ups with the conversation before them",
        f"{len({pair['language'] for pair in PAIRS})} languages",
        f"{sum(length > 200 for length in lengths)} of the {len(lengths):,} texts",
        f"median ratio of Python's `difflib`: {unlike:.2f} against {alike:.2f}",
    ):
        assert claim in prose
