from dataclasses import replace
from typing import Any

import pytest

from serving.cache.asks import Ask, ask_of
from serving.cache.differences import LONGEST
from serving.cache.request_key import Place

CHAT = Place("/chat/completions", "open", ("u",), "cheap", "m", "1", streamed=False)
RESPONSES = replace(CHAT, path="/responses")
USER = {"role": "user", "content": "And in Spain?"}
BEFORE = [{"role": "user", "content": "Who rules France?"}, {"role": "assistant", "content": "Somebody."}]


def ask(place: Place = CHAT, embedding: str = "e", **body: Any) -> Ask | None:
    return ask_of(place, {"messages": [USER], **body}, embedding)


def bucket(place: Place = CHAT, embedding: str = "e", **body: Any) -> str:
    found = ask(place, embedding, **body)
    assert found is not None
    return found.bucket


def test_the_last_turn_alone_is_the_ask() -> None:
    found = ask(messages=[*BEFORE, USER])
    assert found is not None
    assert found.text == "And in Spain?"


@pytest.mark.parametrize(
    "given",
    [
        "And in Spain?",
        [{"role": "user", "content": " And in Spain? "}],
        [{"role": "user", "content": [{"type": "input_text", "text": "And in Spain?"}]}],
        [{"type": "message", "role": "user", "content": "And in Spain?"}],
    ],
    ids=["a text", "a turn", "parts", "an item"],
)
def test_an_input_of_the_responses_api_is_an_ask(given: Any) -> None:
    found = ask_of(RESPONSES, {"input": given}, "e")
    assert found is not None
    assert found.text == "And in Spain?"


def test_the_ask_s_own_words_do_not_change_its_bucket() -> None:
    assert bucket() == bucket(messages=[{"role": "user", "content": "Something else"}])


@pytest.mark.parametrize(
    "other",
    [
        {"messages": [*BEFORE, USER]},
        {"messages": [{"role": "system", "content": "Be brief."}, USER]},
        {"messages": [{**USER, "name": "Ada"}]},
        {"max_tokens": 7},
        {"temperature": 0.5},
        {"response_format": {"type": "json_object"}},
        {"place": replace(CHAT, scope="key:1")},
        {"place": replace(CHAT, model="n")},
        {"place": replace(CHAT, tier="premium")},
        {"place": replace(CHAT, model_version="2")},
        {"place": replace(CHAT, streamed=True)},
        {"place": replace(CHAT, upstreams=("v",))},
        {"embedding": "f"},
    ],
    ids=lambda other: " ".join(f"{other}".split())[-90:],
)
def test_all_else_does(other: dict[str, Any]) -> None:
    assert bucket() != bucket(**other)


@pytest.mark.parametrize(
    "body",
    [
        {"tools": [{"type": "function"}]},
        {"functions": [{"name": "f"}]},
        {"n": 2},
        {"modalities": ["text", "audio"]},
        {"store": True},
        {"web_search_options": {"search_context_size": "low"}},
        {"messages": []},
        {"messages": "text"},
        {"messages": [None]},
        {"messages": [{"role": "assistant", "content": "And in Spain?"}]},
        {"messages": [{"role": "user", "content": ""}]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [{"role": "user", "content": 7}]},
        {"messages": [{"role": "user", "content": "x" * (LONGEST + 1)}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:"}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}, USER]},
    ],
    ids=lambda body: " ".join(f"{body}".split())[-90:],
)
def test_what_cannot_serve_another_has_no_ask(body: dict[str, Any]) -> None:
    assert ask(**body) is None


def test_embeddings_have_no_ask() -> None:
    assert ask(replace(CHAT, path="/embeddings"), input="And in Spain?") is None
