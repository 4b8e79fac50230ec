"""scikit-learn transformers over the features that `classifier` defines."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SelectorMixin, chi2
from sklearn.preprocessing import FunctionTransformer

from classifier.features import list_ngrams, list_statistics
from classifier.prompt_statistics import STATISTICS

__all__ = ["InformativeNgrams", "ngram_presence", "prompt_statistics"]

FloatArray = npt.NDArray[np.float64]


def ngram_presence(window: int, longest_ngram: int, min_documents: int) -> CountVectorizer:
    """Return a transformer from texts to zeros and ones, sparse, shape (n_texts, n_ngrams).

    Args:
        window: characters read from each end of a long text.
        longest_ngram: 1 for tokens and stems alone, 2 for pairs of neighbouring tokens too.
        min_documents: an n-gram of the vocabulary stands in at least so many texts.
    """
    analyse = partial(list_ngrams, window=window, longest=longest_ngram)
    return CountVectorizer(analyzer=analyse, binary=True, min_df=min_documents, dtype=np.float64)


def prompt_statistics(window: int, names: Sequence[str]) -> FunctionTransformer:
    """Return a transformer from texts to the named statistics, shape (n_texts, len(names))."""
    known = [statistic.name for statistic in STATISTICS]
    columns = [known.index(name) for name in names]
    return FunctionTransformer(_measure, kw_args={"window": window, "columns": columns})


def _measure(texts: Sequence[str], window: int, columns: Sequence[int]) -> FloatArray:
    rows = np.array([list_statistics(text, window) for text in texts]).reshape(-1, len(STATISTICS))
    return rows[:, columns]


class InformativeNgrams(SelectorMixin, BaseEstimator):  # type: ignore[misc]
    """Keep the n-grams that tell the tiers apart best.

    Ranks by the chi-squared statistic of presence against tier. It is made of whole numbers, so every machine
    keeps the same vocabulary, which a rank by fitted weights would not promise.

    Args:
        max_ngrams: how many to keep at most.
    """

    def __init__(self, max_ngrams: int = 100_000) -> None:
        self.max_ngrams = max_ngrams

    def fit(self, presence: csr_matrix, tiers: npt.NDArray[np.int64]) -> Self:
        """Rank the columns of `presence`, shape (n_texts, n_ngrams); ties go to the earlier column."""
        statistics, _ = chi2(presence, tiers)
        best = np.argsort(-np.nan_to_num(statistics), kind="stable")[: self.max_ngrams]
        self.support_ = np.zeros(presence.shape[1], dtype=bool)
        self.support_[best] = True
        self.n_features_in_ = presence.shape[1]
        return self

    def _get_support_mask(self) -> Any:
        return self.support_
