"""The bound of a call is never below what the simulated upstream reports for it."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving.cost import Price, Tokens
from serving.sandbox.chat import chat_reply
from serving.sandbox.refusals import RefusedError
from serving.spending.bounds import Bound, amount_of, bound_of
from serving.spending.budget_terms import MOST, Unit

TEXTS = st.text(max_size=300)
PICTURE = st.builds(
    lambda data: {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}},
    st.text("abcdef", max_size=2_000),
)
PARTS = st.lists(
    st.one_of(st.builds(lambda text: {"type": "text", "text": text}, TEXTS), PICTURE), max_size=4
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool"]), "content": st.one_of(TEXTS, PARTS)}
    ),
    min_size=1,
    max_size=6,
)
BODIES = st.fixed_dictionaries(
    {"model": st.just("any/model"), "messages": MESSAGES},
    optional={
        "n": st.integers(1, 4),
        "max_tokens": st.integers(1, 400),
        "max_completion_tokens": st.integers(1, 400),
        "tools": st.just([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]),
        "tool_choice": st.sampled_from(["auto", "none"]),
    },
)


@given(BODIES)
@settings(max_examples=150, deadline=None)
def test_no_answer_of_the_sandbox_exceeds_its_bound(body: dict[str, Any]) -> None:
    limited = {"max_tokens": 64, **body}
    bound = bound_of(limited, default_max_tokens=64, tokens_per_part=100)
    try:
        usage = chat_reply(limited, 0.0).usage
    except RefusedError:
        return
    assert usage["prompt_tokens"] <= bound.input
    assert usage["completion_tokens"] <= bound.output
    price = Price(2.5, 3.75)
    actual = Tokens(usage["prompt_tokens"], usage["completion_tokens"])
    for unit in Unit:
        most, real = bound.amount(unit, price), amount_of(actual, unit, price)
        assert most is not None
        assert real is not None
        assert real <= most


@given(BODIES, st.integers(1, 500), st.integers(1, 500))
@settings(max_examples=60, deadline=None)
def test_a_longer_limit_never_lowers_the_bound(body: dict[str, Any], one: int, other: int) -> None:
    low, high = sorted((one, other))
    smaller = bound_of({**body, "max_tokens": low}, default_max_tokens=9, tokens_per_part=9)
    larger = bound_of({**body, "max_tokens": high}, default_max_tokens=9, tokens_per_part=9)
    assert smaller.output <= larger.output


@given(TEXTS)
def test_every_byte_of_a_text_counts(text: str) -> None:
    body = {"messages": [{"role": "user", "content": text}]}
    bytes_of_text = len(text.encode("utf-8", "surrogatepass"))
    assert bound_of(body, default_max_tokens=1, tokens_per_part=1).input >= bytes_of_text


def test_a_picture_counts_as_configured_and_not_by_its_bytes() -> None:
    url = {"url": f"data:image/png;base64,{'A' * 1_000_000}"}
    body = {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": url}]}]}
    bound = bound_of(body, default_max_tokens=10, tokens_per_part=4_000)
    assert 4_000 <= bound.input < 5_000


def test_a_file_counts_by_its_bytes() -> None:
    part = {"type": "file", "file": {"file_data": "A" * 50_000}}
    body = {"messages": [{"role": "user", "content": [part]}]}
    assert bound_of(body, default_max_tokens=1, tokens_per_part=1).input > 50_000


@pytest.mark.parametrize(
    ("body", "output"),
    [
        ({}, 64),
        ({"max_tokens": 5}, 5),
        ({"max_tokens": 5, "max_completion_tokens": 9}, 9),
        ({"max_output_tokens": 7}, 7),
        ({"max_tokens": 5, "n": 3}, 15),
        ({"max_tokens": None, "n": None}, 64),
    ],
    ids=lambda value: json.dumps(value),
)
def test_the_output_is_what_all_answers_may_take(body: dict[str, Any], output: int) -> None:
    assert bound_of(body, default_max_tokens=64, tokens_per_part=1).output == output


def test_a_foretold_answer_that_is_wrong_is_billed_beside_the_real_one() -> None:
    body = {"max_tokens": 5, "prediction": {"type": "content", "content": "x" * 100}}
    assert bound_of(body, default_max_tokens=1, tokens_per_part=1).output > 100


def test_without_a_price_dollars_cannot_be_told_and_no_amount_is_too_large_to_store() -> None:
    assert Bound(1, 1).amount(Unit.USD, None) is None
    assert Bound(1, 1).amount(Unit.TOKENS, None) == 2
    assert Bound(10**18, 10**18).amount(Unit.TOKENS, None) == MOST
