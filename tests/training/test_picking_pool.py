"""The pool: every distinct prompt once, a fair and steady sample where there are too many."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import Prompt
from training.errors import Place
from training.picking_log import LoggedPrompt
from training.picking_pool import Pool, draw_pool, prompt_digest


def logged(text: str, row: int = 1, problem: str = "") -> LoggedPrompt:
    return LoggedPrompt(Place(Path("log"), row), text, text, "", len(text), problem)


def judge(prompt: Prompt) -> tuple[float, float, float]:
    share = min(len(prompt), 10) / 20
    return share, 1 - share, 0.0


def drawn(texts: list[str], limit: int = 1000, seed: int = 0) -> Pool:
    rows = [logged(text, number) for number, text in enumerate(texts, start=1)]
    return draw_pool(rows, judge, limit=limit, seed=seed)


def texts_of(pool: Pool) -> list[str]:
    return [candidate.excerpt for candidate in pool.candidates]


def test_each_prompt_is_a_candidate_once_at_its_first_row() -> None:
    pool = drawn(["a", "b", "a", "a"])
    assert {candidate.excerpt: candidate.place.row for candidate in pool.candidates} == {"a": 1, "b": 2}
    assert (pool.read, pool.repeats, pool.not_drawn) == (4, 2, 0)


@given(st.permutations([f"prompt {number % 20}" for number in range(30)]), st.integers(0, 5))
def test_neither_order_nor_repeats_change_what_is_drawn(texts: list[str], seed: int) -> None:
    expected = drawn([f"prompt {number}" for number in range(20)], 7, seed)
    assert texts_of(drawn(texts, 7, seed)) == texts_of(expected)


def test_a_small_pool_is_the_beginning_of_a_large_one() -> None:
    texts = [f"prompt {number}" for number in range(500)]
    assert texts_of(drawn(texts, 50)) == texts_of(drawn(texts, 500))[:50]
    assert drawn(texts, 50).not_drawn == 450


def test_every_prompt_is_as_likely_to_be_drawn() -> None:
    texts = [f"prompt {number}" for number in range(40)]
    times = np.zeros(40)
    for seed in range(300):
        times[[int(text.split()[1]) for text in texts_of(drawn(texts, 10, seed))]] += 1
    assert times.mean() == 75
    assert times.min() > 40
    assert times.max() < 115


def test_rows_that_cannot_be_labelled_or_are_labelled_are_set_aside_by_reason() -> None:
    rows = [logged("a"), logged("b", problem="with files"), logged("c"), logged("c")]
    pool = draw_pool(rows, judge, limit=9, labelled={prompt_digest("c")})
    assert texts_of(pool) == ["a"]
    assert pool.set_aside == {"with files": 1, "labelled already": 2}


def test_uncertainty_is_one_less_the_margin() -> None:
    pool = drawn(["x" * 10, "x"])
    by_text = dict(zip(texts_of(pool), pool.uncertainty, strict=True))
    assert by_text["x" * 10] == pytest.approx(1.0)
    assert by_text["x"] == pytest.approx(0.1)
    assert len(drawn([]).uncertainty) == 0
