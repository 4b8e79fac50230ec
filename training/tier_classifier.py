"""The scikit-learn estimator behind the prompt model: TF-IDF and statistics under a logistic regression."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import StandardScaler

from training.settings import DEFAULT_SETTINGS, FitSettings
from training.transformers import InformativeNgrams, ngram_presence, prompt_statistics

__all__ = ["TierClassifier", "build_pipeline"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def build_pipeline(settings: FitSettings) -> Pipeline:
    """Return the unfitted pipeline from texts to tiers."""
    ngrams = Pipeline(
        [
            ("presence", ngram_presence(settings.window, settings.longest_ngram, settings.min_documents)),
            ("informative", InformativeNgrams(settings.max_ngrams)),
            ("tfidf", TfidfTransformer()),
        ]
    )
    branches: list[tuple[str, Any]] = [("ngrams", ngrams)]
    if settings.statistics:
        measured = prompt_statistics(settings.window, settings.statistics)
        branches.append(("statistics", Pipeline([("measured", measured), ("standard", StandardScaler())])))
    features = FeatureUnion(branches, transformer_weights={"statistics": settings.statistics_scale})
    regression = LogisticRegression(C=settings.inverse_penalty, max_iter=2000, tol=1e-5)
    return Pipeline([("features", features), ("regression", regression)])


class TierClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Texts in, tiers out; its parameters are those of `FitSettings`, so that a search can vary them.

    Attributes:
        pipeline_: the fitted scikit-learn pipeline.
        classes_: the tiers, 0 to 2.
    """

    def __init__(
        self,
        window: int = DEFAULT_SETTINGS.window,
        longest_ngram: int = DEFAULT_SETTINGS.longest_ngram,
        min_documents: int = DEFAULT_SETTINGS.min_documents,
        max_ngrams: int = DEFAULT_SETTINGS.max_ngrams,
        statistics: tuple[str, ...] = DEFAULT_SETTINGS.statistics,
        statistics_scale: float = DEFAULT_SETTINGS.statistics_scale,
        inverse_penalty: float = DEFAULT_SETTINGS.inverse_penalty,
    ) -> None:
        self.window = window
        self.longest_ngram = longest_ngram
        self.min_documents = min_documents
        self.max_ngrams = max_ngrams
        self.statistics = statistics
        self.statistics_scale = statistics_scale
        self.inverse_penalty = inverse_penalty

    @classmethod
    def of(cls, settings: FitSettings) -> Self:
        """Return the estimator with these settings."""
        return cls(**{name: getattr(settings, name) for name in cls().get_params()})

    def fit(self, texts: Sequence[str], tiers: IntArray, sample_weight: FloatArray | None = None) -> Self:
        """Fit on texts, shape (n_texts,), and the tiers that they need."""
        self.pipeline_ = build_pipeline(FitSettings(**self.get_params()))
        self.pipeline_.fit(texts, tiers, regression__sample_weight=sample_weight)
        self.classes_ = self.pipeline_.classes_
        return self

    def predict_proba(self, texts: Sequence[str]) -> FloatArray:
        """Return shape (n_texts, 3), columns in Tier order, rows sum to 1."""
        return np.asarray(self.pipeline_.predict_proba(texts))

    def predict(self, texts: Sequence[str]) -> IntArray:
        """Return the most probable tiers, shape (n_texts,)."""
        return np.asarray(self.pipeline_.predict(texts))
