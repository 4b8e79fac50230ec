"""Many fits on parts of one table: its prompts are read once, which is most of a fit's time."""

from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from classifier import Tier
from tests.benchmarks.routing_prompts import RoutingPrompts
from training.outcome_labels import label_outcomes
from training.settings import OUTCOME_SETTINGS, FitSettings
from training.transformers import NgramPresence, prompt_statistics

__all__ = ["RoutingFits"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_TIERS: Final = (Tier.CHEAP, Tier.PREMIUM)


class RoutingFits:
    """What `TierClassifier` does with labels from outcomes, for any rows of a table.

    Nothing but the counting is shared: vocabulary, inverse document frequencies, the statistics' means and
    scales, labels and weights all come from the rows that are trained on. The vocabulary is not pruned, and
    the solver stops at 1e-4 where the product's goes on to 1e-8, which moves no rank that matters.

    Args:
        table: the prompts and their outcomes.
        settings: what to fit with.
    """

    def __init__(self, table: RoutingPrompts, settings: FitSettings = OUTCOME_SETTINGS) -> None:
        self.table = table
        self.settings = settings
        presence = NgramPresence(settings.excerpt, settings.longest_ngram, settings.min_documents)
        self._presence: sparse.csr_matrix = presence.fit_transform(table.prompts).tocsr()
        self._statistics: FloatArray = np.asarray(
            prompt_statistics(settings.excerpt, settings.statistics).transform(table.prompts)
        )

    def win_rate(self, labelled: IntArray, asked: IntArray) -> FloatArray:
        """Return how probably the asked rows need the strong model, by a model of the labelled rows.

        Returns:
            Shape (n_asked,), in [0, 1]; 0 where all labels are alike.
        """
        labels = label_outcomes(self.table.scores[labelled], _TIERS)
        if len(set(labels.tiers.tolist())) < len(_TIERS):
            return np.zeros(len(asked))
        ngrams = self._presence[labelled]
        columns = np.flatnonzero(ngrams.getnnz(axis=0) >= self.settings.min_documents)
        tfidf = TfidfTransformer().fit(ngrams[:, columns])
        scaler = StandardScaler().fit(self._statistics[labelled])

        def features(rows: IntArray) -> sparse.csr_matrix:
            scaled = self.settings.statistics_scale * scaler.transform(self._statistics[rows])
            weighed = tfidf.transform(self._presence[rows][:, columns])
            return sparse.hstack([weighed, sparse.csr_matrix(scaled)]).tocsr()

        model = LogisticRegression(
            C=self.settings.inverse_penalty, solver="newton-cg", max_iter=200, tol=1e-4
        )
        with threadpool_limits(limits=1):
            model.fit(features(labelled), labels.tiers, sample_weight=labels.weights)
            return np.asarray(model.predict_proba(features(asked))[:, 1])
