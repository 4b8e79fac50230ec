"""scikit-learn transformers over the features that `classifier` defines."""

from collections.abc import Callable, Iterable, Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import FunctionTransformer

from classifier.features import Excerpt, TextFeatures, text_features
from classifier.statistic import STATISTICS
from training.errors import SettingsError

__all__ = ["NgramPresence", "prompt_statistics"]

FloatArray = npt.NDArray[np.float64]


class NgramPresence(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Texts to n-grams, sparse, shape (n_texts, n_ngrams): 1 in the ask, less in the middle, 0 elsewhere.

    Args:
        excerpt: how much of a text is read, and how much its middle counts.
        longest_ngram: 1 for tokens and stems alone, 2 for pairs of neighbouring tokens too.
        min_documents: an n-gram of the vocabulary stands in at least so many texts.
        vocabulary: the n-grams to look for; without it they are learnt.
    """

    def __init__(
        self,
        excerpt: Excerpt,
        longest_ngram: int = 2,
        min_documents: int = 2,
        vocabulary: Sequence[str] | None = None,
    ) -> None:
        self.excerpt = excerpt
        self.longest_ngram = longest_ngram
        self.min_documents = min_documents
        self.vocabulary = vocabulary

    def fit(self, texts: Sequence[str], _: object = None) -> Self:
        """Learn the vocabulary."""
        self.fit_transform(texts)
        return self

    def fit_transform(self, texts: Sequence[str], _: object = None) -> csr_matrix:
        """Learn the vocabulary of the texts and return their n-grams."""
        features = self._features(texts)
        if self.vocabulary is None and self.min_documents > len(features):
            raise SettingsError(
                f"min_documents is {self.min_documents}, but there are {len(features)} prompts: lower it"
            )
        self.everywhere_ = self._vectoriser(self._all_names, self.vocabulary)
        presence = self.everywhere_.fit_transform(features)
        self.ask_ = self._vectoriser(self._ask_names, self.get_feature_names_out())
        return self._weighted(presence, features)

    def transform(self, texts: Sequence[str]) -> csr_matrix:
        """Return the known n-grams of the texts."""
        features = self._features(texts)
        return self._weighted(self.everywhere_.transform(features), features)

    def get_feature_names_out(self, _: object = None) -> npt.NDArray[np.object_]:
        """Return the n-grams' names in the order of the columns."""
        return np.asarray(self.everywhere_.get_feature_names_out())

    def _weighted(self, everywhere: csr_matrix, features: list[TextFeatures]) -> csr_matrix:
        weight = self.excerpt.middle_weight
        return weight * everywhere + (1.0 - weight) * self.ask_.transform(features)

    def _vectoriser(
        self, names: Callable[[TextFeatures], list[str]], vocabulary: Iterable[str] | None
    ) -> CountVectorizer:
        return CountVectorizer(
            analyzer=names,
            binary=True,
            min_df=self.min_documents,
            vocabulary=None if vocabulary is None else list(vocabulary),
            dtype=np.float64,
        )

    def _features(self, texts: Sequence[str]) -> list[TextFeatures]:
        return [text_features(text, self.excerpt) for text in texts]

    def _ask_names(self, features: TextFeatures) -> list[str]:
        return features.ask.names(self.longest_ngram)

    def _all_names(self, features: TextFeatures) -> list[str]:
        middle = features.middle.names(self.longest_ngram) if features.middle else []
        return self._ask_names(features) + middle


def prompt_statistics(excerpt: Excerpt, names: Sequence[str]) -> FunctionTransformer:
    """Return a transformer from texts to the named statistics, shape (n_texts, len(names))."""
    known = [statistic.name for statistic in STATISTICS]
    columns = [known.index(name) for name in names]
    return FunctionTransformer(_measure, kw_args={"excerpt": excerpt, "columns": columns})


def _measure(texts: Sequence[str], excerpt: Excerpt, columns: Sequence[int]) -> FloatArray:
    rows = np.array([text_features(text, excerpt).statistics for text in texts]).reshape(-1, len(STATISTICS))
    return rows[:, columns]
