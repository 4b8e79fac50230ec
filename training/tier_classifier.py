"""The scikit-learn estimator behind the prompt model: TF-IDF and statistics under a logistic regression."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import StandardScaler

from training.settings import DEFAULT_SETTINGS, FitSettings
from training.tier_regression import TierRegression
from training.transformers import NgramPresence, prompt_statistics

__all__ = ["TierClassifier", "build_pipeline", "fit_pruned"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


def build_pipeline(settings: FitSettings, vocabulary: Sequence[str] | None = None) -> Pipeline:
    """Return the unfitted pipeline from texts to tiers; without a vocabulary it learns one."""
    presence = NgramPresence(settings.excerpt, settings.longest_ngram, settings.min_documents, vocabulary)
    ngrams = Pipeline([("presence", presence), ("tfidf", TfidfTransformer())])
    branches: list[tuple[str, Any]] = [("ngrams", ngrams)]
    if settings.statistics:
        measured = prompt_statistics(settings.excerpt, settings.statistics)
        branches.append(("statistics", Pipeline([("measured", measured), ("standard", StandardScaler())])))
    scales = {"statistics": settings.statistics_scale} if settings.statistics else None
    features = FeatureUnion(branches, transformer_weights=scales)
    # Newton's method takes a third of L-BFGS's time here, and ends close enough for machines to agree.
    regression = TierRegression(C=settings.inverse_penalty, solver="newton-cg", max_iter=200, tol=1e-8)
    return Pipeline([("features", features), ("regression", regression)])


def fit_pruned(
    settings: FitSettings, texts: Sequence[str], tiers: IntArray, weights: FloatArray | None
) -> Pipeline:
    """Fit on every n-gram, keep those that moved the tiers apart most, and fit again on these alone."""
    first = build_pipeline(settings).fit(texts, tiers, regression__sample_weight=weights)
    names, importance = _importance(first)
    if len(names) <= settings.max_ngrams:
        return first
    # Rounded, and ties broken by name: machines differ in the last digits of a fit, vocabularies must not.
    rounded = [float(f"{value:.3g}") for value in importance]
    ranked = sorted(zip(rounded, names, strict=True), key=lambda entry: (-entry[0], entry[1]))
    kept = sorted(name for _, name in ranked[: settings.max_ngrams])
    return build_pipeline(settings, kept).fit(texts, tiers, regression__sample_weight=weights)


def _importance(pipeline: Pipeline) -> tuple[list[str], FloatArray]:
    """The n-grams, and how far each one's weights lie apart, times its inverse document frequency."""
    ngrams = dict(pipeline.named_steps["features"].transformer_list)["ngrams"]
    idf = ngrams.named_steps["tfidf"].idf_
    weights = pipeline.named_steps["regression"].coef_[:, : len(idf)]
    return ngrams.named_steps["presence"].get_feature_names_out().tolist(), np.ptp(weights, axis=0) * idf


class TierClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]
    """Texts in, tiers out; its parameters are those of `FitSettings`, so that a search can vary them.

    Attributes:
        pipeline_: the fitted scikit-learn pipeline.
        classes_: the tiers, 0 to 2.
    """

    def __init__(
        self,
        window: int = DEFAULT_SETTINGS.window,
        ask: int = DEFAULT_SETTINGS.ask,
        middle_weight: float = DEFAULT_SETTINGS.middle_weight,
        longest_ngram: int = DEFAULT_SETTINGS.longest_ngram,
        min_documents: int = DEFAULT_SETTINGS.min_documents,
        max_ngrams: int = DEFAULT_SETTINGS.max_ngrams,
        statistics: tuple[str, ...] = DEFAULT_SETTINGS.statistics,
        statistics_scale: float = DEFAULT_SETTINGS.statistics_scale,
        inverse_penalty: float = DEFAULT_SETTINGS.inverse_penalty,
    ) -> None:
        self.window = window
        self.ask = ask
        self.middle_weight = middle_weight
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
        self.pipeline_ = fit_pruned(FitSettings(**self.get_params()), texts, tiers, sample_weight)
        self.classes_ = self.pipeline_.classes_
        return self

    def predict_proba(self, texts: Sequence[str]) -> FloatArray:
        """Return shape (n_texts, 3), columns in Tier order, rows sum to 1."""
        return np.asarray(self.pipeline_.predict_proba(texts))

    def predict(self, texts: Sequence[str]) -> IntArray:
        """Return the most probable tiers, shape (n_texts,)."""
        return np.asarray(self.pipeline_.predict(texts))
