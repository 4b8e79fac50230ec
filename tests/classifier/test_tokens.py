import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given

from classifier.tokens import ELLIPSIS, ngrams, tokenise
from tests.classifier.texts import TEXTS


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \t\n\x00 ", ["\x00"]),
        ("What is HTTP 404?", ["what", "is", "http", "404", "?"]),
        ("x = f(y)[0];", list("x=f(y)[0];")),
        ("snake_case kebab-case", ["snake", "_", "case", "kebab", "-", "case"]),
        ("H2O", ["h2o"]),
        ("GROSS", ["gross"]),
        ("Москва?", ["москва", "?"]),
        ("東京の天気は?", ["東", "京", "の", "天", "気", "は", "?"]),
        ("สวัสดี", list("สวัสดี")),
        ("한국어 질문", ["한국어", "질문"]),
        ("«Où ?»", ["«", "où", "?", "»"]),
        ("🙂🙂", ["🙂", "🙂"]),
        ("wait… what", ["wait", "…", "what"]),
        ("a\ud800b", ["a\ud800b"]),
    ],
)
def test_words_and_marks_are_tokens(text: str, tokens: list[str]) -> None:
    assert tokenise(text) == tokens


@pytest.mark.parametrize("text", ["Café à Orléans", "한국어", "ångström", "が"])
def test_composed_and_decomposed_letters_are_the_same_tokens(text: str) -> None:
    assert tokenise(unicodedata.normalize("NFD", text)) == tokenise(unicodedata.normalize("NFC", text))


@given(TEXTS)
def test_no_token_is_empty_or_holds_white_space(text: str) -> None:
    assert all(token.split() == [token] for token in tokenise(text))


@given(TEXTS)
def test_an_ellipsis_stands_alone_so_that_no_token_looks_like_a_stem(text: str) -> None:
    assert all(ELLIPSIS not in token or token == ELLIPSIS for token in tokenise(text))


@given(TEXTS)
def test_the_ngrams_are_the_tokens_their_stems_and_neighbours(text: str) -> None:
    tokens = tokenise(text)
    found = ngrams(tokens)
    assert list(found.words) == list(dict.fromkeys(tokens))
    assert set(found.stems) == {token[:5] for token in tokens if len(token) > 5}
    assert list(found.pairs) == list(dict.fromkeys(pairwise(tokens)))


@given(TEXTS)
def test_every_ngram_has_a_name_of_its_own(text: str) -> None:
    found = ngrams(tokenise(text))
    names = found.names()
    assert len(set(names)) == len(names) == len(found.words) + len(found.stems) + len(found.pairs)
    assert found.names(longest=1) == names[: len(found.words) + len(found.stems)]


@given(TEXTS, TEXTS)
def test_what_others_have_can_be_left_out(text: str, other: str) -> None:
    found, others = ngrams(tokenise(text)), ngrams(tokenise(other))
    rest = found.without(others)
    assert set(rest.names()) == set(found.names()) - set(others.names())
    assert found.without(found).names() == []
