from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving import Cost, Price, Tokens
from serving.cost import estimate_prompt, estimate_tokens

COUNT = st.integers(0, 10**9)
USD = st.floats(0, 1000)


def test_prices_are_dollars_per_million_tokens_of_each_kind() -> None:
    assert Price(0.55, 2.19).of(Tokens(1_000_000, 2_000_000)) == pytest.approx(0.55 + 2 * 2.19)


@given(prompt=COUNT, answer=COUNT, usd=USD)
def test_one_price_for_both_kinds_prices_the_sum(prompt: int, answer: int, usd: float) -> None:
    assert Price(usd, usd).of(Tokens(prompt, answer)) == pytest.approx((prompt + answer) * usd / 1e6)


@given(price=st.builds(Price, USD, USD), times=st.floats(1, 100))
def test_a_price_is_never_dearer_than_itself_times_one_or_more(price: Price, times: float) -> None:
    assert price.at_most(price, times)


@pytest.mark.parametrize(
    ("price", "affordable"),
    [(Price(2, 2), True), (Price(2.1, 0), False), (Price(0, 2.1), False)],
    ids=["both at the ceiling", "input above", "output above"],
)
def test_the_ceiling_holds_for_each_kind_of_token(price: Price, affordable: bool) -> None:
    assert price.at_most(Price(1, 1), 2) is affordable


@pytest.mark.parametrize(
    "usage",
    [
        None,
        SimpleNamespace(),
        SimpleNamespace(prompt_tokens=3, completion_tokens=None),
        SimpleNamespace(prompt_tokens=-1, completion_tokens=2),
        SimpleNamespace(prompt_tokens="3", completion_tokens="4"),
    ],
    ids=["none", "empty", "half", "negative", "text"],
)
def test_usage_that_says_nothing_usable_counts_as_none(usage: Any) -> None:
    assert Tokens.from_usage(usage) is None


def test_usage_of_nothing_is_still_usage() -> None:
    assert Tokens.from_usage(SimpleNamespace(prompt_tokens=0, completion_tokens=0)) == Tokens(0, 0)


def test_a_cost_says_why_it_is_unknown_or_estimated() -> None:
    unknown = Cost.of("a/b", Tokens(1, 2), None)
    assert (unknown.usd, unknown.note) == (None, "no price is configured for 'a/b'")
    guessed = Cost.of("a/b", Tokens(1, 2, estimated=True), Price(1, 1))
    assert (guessed.estimated, guessed.note) == (True, "the upstream sent no usage: counted from the text")
    assert Cost.of("a/b", Tokens(1, 2), Price(1, 1)).note == ""


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("The quick brown fox jumps over the lazy dog.", 9, 14),
        ("机器学习是人工智能的一个分支。", 9, 16),
        ("Машинное обучение — это раздел информатики.", 10, 24),
        ("การเรียนรู้ของเครื่อง", 8, 22),
        ("🙂🙂🙂", 3, 9),
    ],
    ids=["english", "chinese", "russian", "thai", "emoji"],
)
def test_an_estimate_follows_the_script(text: str, least: int, most: int) -> None:
    assert least <= estimate_tokens(text) <= most


@given(st.text(), st.text())
def test_an_estimate_never_shrinks_when_text_is_added(text: str, more: str) -> None:
    assert (
        estimate_tokens(text) <= estimate_tokens(text + more) <= estimate_tokens(text) + estimate_tokens(more)
    )


@given(st.text(st.characters(), max_size=200))
def test_any_text_has_at_most_one_token_for_each_character(text: str) -> None:
    assert 0 <= estimate_tokens(text) <= len(text)


def test_a_prompt_counts_its_texts_calls_and_schemas() -> None:
    plain = estimate_prompt({"messages": [{"role": "user", "content": "word " * 40}]})
    assert plain == 50 + 4
    parts = [{"type": "text", "text": "word " * 40}, {"type": "image_url", "image_url": {"url": "data:..."}}]
    assert estimate_prompt({"messages": [{"role": "user", "content": parts}]}) == plain
    tools = [{"type": "function", "function": {"name": "look_up", "description": "word " * 40}}]
    assert estimate_prompt({"messages": [], "tools": tools}) > 50
    calls = [{"function": {"name": "look_up", "arguments": "{}"}}]
    assert estimate_prompt({"messages": [{"role": "assistant", "tool_calls": calls}]}) > 4


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["messages", "content", "text", "tool_calls", "tools", "role"]),
                inner,
                max_size=3,
            )
        ),
    )
)
def test_no_body_is_too_odd_to_be_counted(messages: object) -> None:
    assert estimate_prompt({"messages": messages}) >= 0


def test_cached_tokens_are_billed_at_their_own_price_where_it_is_known() -> None:
    tokens = Tokens(1000, 100, cached=600)
    assert Price(2, 4, cached_input=0.5).of(tokens) == pytest.approx((400 * 2 + 600 * 0.5 + 100 * 4) / 1e6)
    assert Price(2, 4).of(tokens) == Price(2, 4).of(Tokens(1000, 100))


@pytest.mark.parametrize(
    ("told", "cached"),
    [(7, 7), (20, 10), (-1, 0), (None, 0), ("7", 0)],
    ids=["some", "too many", "-1", "none", "text"],
)
def test_the_usage_tells_what_was_cached(told: Any, cached: int) -> None:
    details = SimpleNamespace(cached_tokens=told)
    usage = SimpleNamespace(prompt_tokens=10, completion_tokens=5, prompt_tokens_details=details)
    assert Tokens.from_usage(usage) == Tokens(10, 5, cached=cached)
