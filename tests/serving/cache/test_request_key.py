import json
import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.cache.request_key import Place, canonical, is_repeatable, normalised, request_key

PLACE = Place("/chat/completions", "key:4f1d", ("https://a/v1",), "cheap", "m", "2026-11-22", streamed=False)
BODY: dict[str, Any] = {
    "model": "auto",
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
    "temperature": 0,
}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
json_objects = st.dictionaries(st.text(), json_values, max_size=6)


def key_of(body: Mapping[str, Any], place: Place = PLACE) -> str:
    return request_key(place, normalised(body, streamed=place.streamed))


def shuffled(value: Any, chance: random.Random) -> Any:
    match value:
        case dict():
            names = list(value)
            chance.shuffle(names)
            return {name: shuffled(value[name], chance) for name in names}
        case list():
            return [shuffled(each, chance) for each in value]
    return value


@given(json_objects, st.randoms(use_true_random=False), st.sampled_from([None, 1, 4]))
def test_order_of_names_and_white_space_do_not_matter(
    body: dict[str, Any], chance: random.Random, indent: int | None
) -> None:
    written = json.dumps(shuffled(body, chance), indent=indent)
    assert key_of(json.loads(written)) == key_of(body)


@given(json_objects, json_objects)
def test_different_values_have_different_texts(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert (canonical(one) == canonical(other)) == same(one, other)


def same(one: Any, other: Any) -> bool:
    """Equality as JSON knows it: true is not 1, but 1.0 is."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


@pytest.mark.parametrize(
    "change",
    [
        {"user": "ada"},
        {"metadata": {"a": "b"}},
        {"store": False},
        {"safety_identifier": "x"},
        {"prompt_cache_key": "x"},
        {"service_tier": "flex"},
        {"temperature": 0.0},
        {"top_p": None},
        {"model": "cheap"},
        {"stream": False},
        {"stream_options": {"include_usage": True}},
    ],
    ids=json.dumps,
)
def test_what_does_not_change_the_answer_does_not_change_the_key(change: dict[str, Any]) -> None:
    assert key_of({**BODY, **change}) == key_of(BODY)


@pytest.mark.parametrize(
    "change",
    [
        {"messages": [{"role": "user", "content": "what is the capital of France?"}]},
        {"messages": [{"role": "system", "content": "What is the capital of France?"}]},
        {"messages": [*BODY["messages"], {"role": "user", "content": ""}]},
        {"temperature": 0.1},
        {"temperature": False},
        {"max_tokens": 5},
        {"seed": 1},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"response_format": {"type": "json_object"}},
        {"store": True},
        {"n": 1},
    ],
    ids=json.dumps,
)
def test_whatever_may_change_the_answer_changes_the_key(change: dict[str, Any]) -> None:
    assert key_of({**BODY, **change}) != key_of(BODY)


@pytest.mark.parametrize(
    "change",
    [
        {"path": "/responses"},
        {"scope": "key:5e2a"},
        {"upstreams": ("http://127.0.0.1:1/v1",)},
        {"tier": "premium"},
        {"tier": None},
        {"model": "another"},
        {"model_version": "2026-11-23"},
        {"streamed": True},
    ],
    ids=json.dumps,
)
def test_whatever_else_an_answer_depends_on_changes_the_key(change: dict[str, Any]) -> None:
    assert key_of(BODY, replace(PLACE, **change)) != key_of(BODY)


def test_of_streams_the_wish_for_usage_changes_the_events() -> None:
    place = replace(PLACE, streamed=True)
    assert key_of({**BODY, "stream_options": {"include_usage": True}}, place) != key_of(BODY, place)


def test_a_key_tells_nothing_but_whether_two_requests_are_the_same() -> None:
    assert len(key_of(BODY)) == 64
    assert int(key_of(BODY), 16) > 0


def test_lone_surrogates_have_a_key() -> None:
    assert key_of({"messages": "half \ud83d"}) != key_of({"messages": "half \ud83e"})


def test_what_is_nested_too_deeply_has_none() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(RecursionError):
        key_of({"messages": deep})


LINK = {"type": "image_url", "image_url": {"url": "https://example.com/now.png"}}
DATA = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
INPUT_LINK = {"type": "input_image", "image_url": "https://example.com/now.png"}


@pytest.mark.parametrize(
    ("path", "body", "repeatable"),
    [
        ("/chat/completions", {"temperature": 0}, True),
        ("/chat/completions", {"temperature": 0.0, "n": 1}, True),
        ("/chat/completions", {}, False),
        ("/chat/completions", {"temperature": None}, False),
        ("/chat/completions", {"temperature": False}, False),
        ("/chat/completions", {"temperature": "0"}, False),
        ("/chat/completions", {"temperature": 0.2}, False),
        ("/chat/completions", {"temperature": 0, "n": 2}, False),
        ("/chat/completions", {"temperature": 0, "store": True}, False),
        ("/chat/completions", {"temperature": 0, "tools": [{"type": "function"}]}, True),
        ("/chat/completions", {"temperature": 0, "tools": []}, True),
        ("/responses", {"temperature": 0, "tools": [{"type": "web_search"}]}, False),
        ("/responses", {"temperature": 0, "tools": "odd"}, False),
        ("/responses", {"temperature": 0, "conversation": "c1"}, False),
        ("/responses", {"temperature": 0, "background": True}, False),
        ("/chat/completions", {"temperature": 0, "web_search_options": {"a": 1}}, False),
        ("/chat/completions", {"temperature": 0, "modalities": ["text", "audio"]}, False),
        ("/chat/completions", {"temperature": 0, "modalities": ["text"]}, True),
        ("/chat/completions", {"temperature": 0, "messages": [{"content": [LINK]}]}, False),
        ("/chat/completions", {"temperature": 0, "messages": [{"content": [DATA, 1]}, "odd"]}, True),
        ("/responses", {"temperature": 0, "input": [{"content": [INPUT_LINK]}]}, False),
        ("/responses", {"temperature": 0, "input": "plain"}, True),
        ("/embeddings", {"input": "x"}, True),
    ],
)
def test_what_is_meant_to_be_answered_alike(path: str, body: dict[str, Any], repeatable: bool) -> None:
    assert is_repeatable(path, body) is repeatable
