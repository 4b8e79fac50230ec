"""Picking as a whole: distinct prompts, the same whatever the order, and told as it is."""

from collections import Counter
from pathlib import Path

import pytest

from tests.training.fits import all_rows
from training.errors import DataError, Place
from training.picking import Picked, pick
from training.picking_pool import Candidate, Pool
from training.picking_strategies import STRATEGIES
from training.picking_text import picked_text
from training.slices import LENGTH_NAMES

PROMPTS = all_rows().frame["text"].tolist()[:30]


def candidate(number: int, text: str, language: str = "en") -> Candidate:
    share = 0.4 + number % 10 / 20
    left = (1 - share) / 2
    return Candidate(number, Place(Path("log"), number + 1), text, (share, left, left), language, len(text))


def pool(texts: list[str]) -> Pool:
    return Pool(
        tuple(candidate(n, text) for n, text in enumerate(texts)), len(texts) + 7, 4, 0, Counter(long=3)
    )


def picked(texts: list[str], n: int, strategy: str = "diverse", seed: int = 0) -> Picked:
    return pick(pool(texts), n, strategy=strategy, seed=seed, model="abc")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_as_many_distinct_rows_as_asked_are_picked_in_the_order_of_the_log(strategy: str) -> None:
    rows = [place.row for place in picked(PROMPTS, 8, strategy).places]
    assert len(set(rows)) == 8
    assert rows == sorted(rows)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_same_seed_picks_the_same(strategy: str) -> None:
    assert picked(PROMPTS, 8, strategy, 5).places == picked(PROMPTS, 8, strategy, 5).places


@pytest.mark.parametrize("strategy", ["random", "diverse", "both"])
def test_another_seed_picks_others(strategy: str) -> None:
    assert len({picked(PROMPTS, 8, strategy, seed).places for seed in range(4)}) > 1


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_near_duplicates_are_picked_once(strategy: str) -> None:
    texts = [varied for text in PROMPTS[:10] for varied in (text, f"{text} - please", f"{text}!!")]
    found = picked(texts, 30, strategy)
    assert [(place.row - 1) % 3 for place in found.places] == [0] * 10
    assert found.near_duplicates == 20


def test_a_log_with_fewer_prompts_than_asked_gives_all_of_them() -> None:
    found = picked(PROMPTS, 100)
    assert len(found.places) == len(PROMPTS)
    assert "100 were asked for: there are no more" in picked_text(found, Path("out"))


def test_what_was_found_distinct_once_is_not_found_alike_among_fewer() -> None:
    words = [f"{word}{tail}" for word in ("river", "stone", "cloud", "silk") for tail in ("", "s", " north")]
    texts = [f"What is the capital of {word}? ({n})" for n in range(12) for word in words]
    found = picked(texts, len(texts), "random")
    assert len(found.places) == len(texts) - found.near_duplicates


def test_uncertain_prompts_raise_the_mean_uncertainty() -> None:
    found = picked(PROMPTS, 5, "uncertain")
    assert found.uncertainty_picked > found.uncertainty_log + 0.2


def test_the_shares_of_languages_and_lengths_add_up() -> None:
    found = picked(PROMPTS, 9)
    for shares in (found.languages, found.lengths):
        assert sum(share.log for share in shares) == len(PROMPTS)
        assert sum(share.picked for share in shares) == 9
    assert {share.name for share in found.lengths} <= set(LENGTH_NAMES)


def test_nothing_to_pick_from_says_why() -> None:
    with pytest.raises(DataError, match=r"no prompt of the log can be picked: 12 labelled already"):
        pick(Pool((), 12, 0, 0, Counter({"labelled already": 12})), 3, strategy="random")
    with pytest.raises(DataError, match="it holds none"):
        pick(Pool((), 0, 0, 0, Counter()), 3, strategy="random")


@pytest.mark.parametrize("texts", [["?"], ["!", "?"], ["same words here", "other words there"]], ids=str)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_tiny_logs_can_be_picked_from(strategy: str, texts: list[str]) -> None:
    assert len(picked(texts, 1, strategy).places) == 1


def test_the_report_tells_what_was_left_out_and_the_whole_of_many_languages() -> None:
    many = [candidate(n, text, f"l{n}") for n, text in enumerate(PROMPTS)]
    found = pick(Pool(tuple(many), 50, 4, 2, Counter({"with files": 3})), 5, strategy="random", model="abc")
    text = picked_text(found, Path("to_label.jsonl"))
    assert "5 of 30 distinct prompts: random, seed 0" in text
    assert "50 rows; 4 repeat another word for word, 0 nearly" in text
    assert "3 rows set aside: with files" in text
    assert "2 rows not drawn" in text
    assert "23 other languages" in text
    assert "written     to_label.jsonl" in text
    facts = found.as_dict()
    assert (facts["picked"], facts["distinct"], facts["set_aside"]) == (5, 30, {"with files": 3})
