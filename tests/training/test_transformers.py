import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier.features import EXCERPT, Excerpt, text_features
from classifier.statistic import STATISTICS
from tests.classifier.texts import TEXTS
from training.transformers import NgramPresence, prompt_statistics

NAMES = [statistic.name for statistic in STATISTICS]
CORPUS = ["prove that it holds", "what is the capital", "prove it", "the capital of Peru, please"]


def test_the_vocabulary_holds_what_stands_in_enough_texts() -> None:
    presence = NgramPresence(EXCERPT, min_documents=2).fit(CORPUS)
    assert set(presence.get_feature_names_out()) == {
        "prove",
        "it",
        "the",
        "capital",
        "capit…",
        "the capital",
    }
    everything = NgramPresence(EXCERPT, min_documents=1).fit(CORPUS)
    assert "of peru" in everything.get_feature_names_out()


def test_pairs_can_be_left_out() -> None:
    presence = NgramPresence(EXCERPT, longest_ngram=1, min_documents=1).fit(CORPUS)
    assert not [name for name in presence.get_feature_names_out() if " " in name]


def test_a_vocabulary_can_be_given() -> None:
    presence = NgramPresence(EXCERPT, vocabulary=["capital", "zebra"])
    assert presence.fit_transform(CORPUS).toarray().tolist() == [[0, 0], [1, 0], [0, 0], [1, 0]]
    assert presence.get_feature_names_out().tolist() == ["capital", "zebra"]


def test_the_middle_of_a_text_counts_less_and_the_ask_in_full() -> None:
    excerpt = Excerpt(window=500, ask=5, middle_weight=0.25)
    presence = NgramPresence(excerpt, vocabulary=["above", "between", "below"])
    text = "above this line\nbetween them and above\nand between\nbelow the rest"
    assert presence.fit_transform([text]).toarray().tolist() == [[1.0, 0.25, 1.0]]


def test_fitting_and_transforming_is_fit_transform() -> None:
    presence = NgramPresence(EXCERPT, min_documents=1)
    at_once = presence.fit_transform(CORPUS)
    assert (presence.fit(CORPUS).transform(CORPUS) != at_once).nnz == 0


@settings(max_examples=50)
@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_any_text_is_transformed_to_what_the_classifier_sees(texts: list[str]) -> None:
    presence = NgramPresence(EXCERPT, min_documents=1).fit([*CORPUS, *texts])
    names = presence.get_feature_names_out()
    for text, row in zip(texts, presence.transform(texts).toarray(), strict=True):
        seen = text_features(text, EXCERPT)
        assert set(names[row == 1.0]) == set(seen.ask.names())
        middle = set(seen.middle.names()) if seen.middle else set()
        assert set(names[(row > 0) & (row < 1)]) == middle
        assert row[(row > 0) & (row < 1)] == pytest.approx(EXCERPT.middle_weight)


@settings(max_examples=50)
@given(st.lists(TEXTS, min_size=1, max_size=4), st.lists(st.sampled_from(NAMES), unique=True))
def test_statistics_are_those_of_the_classifier_in_the_order_asked_for(
    texts: list[str], names: list[str]
) -> None:
    found = prompt_statistics(EXCERPT, names).fit_transform(texts)
    expected = [
        [dict(zip(NAMES, text_features(text, EXCERPT).statistics, strict=True))[name] for name in names]
        for text in texts
    ]
    assert found.shape == (len(texts), len(names))
    assert np.array_equal(found, np.array(expected).reshape(found.shape))
