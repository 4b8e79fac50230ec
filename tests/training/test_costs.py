import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.routed import laws
from training.costs import TIER_USD_PER_MILLION, CostModel, input_tokens, sent_bytes
from training.errors import EvaluationError


def test_the_default_prices_are_the_mission_s() -> None:
    assert TIER_USD_PER_MILLION == (0.25, 0.28, 2.50)
    assert CostModel().cheap_saving() == pytest.approx(0.107, abs=0.001)


def test_a_prompt_is_paid_by_the_chosen_tier_for_the_answer_that_it_needs() -> None:
    costs = CostModel((1.0, 2.0, 3.0), (10, 20, 30))
    usd = costs.usd(np.array([0, 1, 2]), np.array([2, 1, 0]), np.array([70.0, 80.0, 90.0]))
    assert (usd * 1e6).tolist() == pytest.approx([1 * 100, 2 * 100, 3 * 100])


def test_the_sentence_states_every_assumption() -> None:
    words = CostModel((0.1, 0.2, 3.0), (11, 22, 3333)).assumptions()
    assert "0.10, 0.20, 3.00 per million" in words
    assert "11, 22, 3,333 tokens" in words
    assert "4 bytes" in words


@pytest.mark.parametrize(
    "prices", [(0.1, -0.2, 1.0), (0.1, float("nan"), 1.0), (0.1, 0.2)], ids=["negative", "NaN", "two prices"]
)
def test_impossible_prices_are_refused(prices: tuple[float, float, float]) -> None:
    with pytest.raises(EvaluationError, match=r"price per tier is .*; expected three numbers"):
        CostModel(usd_per_million=prices)


def test_an_impossible_answer_length_is_refused() -> None:
    with pytest.raises(EvaluationError, match="output length per tier"):
        CostModel(output_tokens=(1, 2, float("inf")))


def test_free_tiers_save_nothing() -> None:
    assert CostModel((0.0, 0.0, 1.0)).cheap_saving() == 0


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("", 0),
        ("four", 4),
        ("日本", 6),
        ("\ud800", 3),
        ([{"role": "system", "content": "abc"}, {"role": "user", "content": "de"}], 5),
        ([{"role": "user", "content": [{"type": "text", "text": "abc"}, {"type": "image_url"}]}], 3),
        ([{"role": "assistant", "content": None, "tool_calls": []}], 0),
    ],
    ids=["empty", "latin", "Chinese", "lone surrogate", "two messages", "parts", "no content"],
)
def test_all_text_that_is_sent_counts(prompt: str | list[object], expected: int) -> None:
    assert sent_bytes(prompt) == expected


@laws
@given(st.lists(st.text(max_size=20), max_size=5))
def test_tokens_are_a_quarter_of_the_bytes(prompts: list[str]) -> None:
    assert input_tokens(prompts).tolist() == [len(prompt.encode()) / 4 for prompt in prompts]
