"""Search the settings by cross-validation with whole sources held out.

Random folds flatter features that learn an author's habits, so each fold holds out whole sources where the
data names them. Candidates are scored by log loss: it rewards honest probabilities, which the policy lives
on, and it moves less by chance than accuracy does.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import loguniform
from sklearn.base import ClassifierMixin
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    ParameterSampler,
    StratifiedKFold,
    cross_validate,
)

from classifier.statistic import STATISTICS
from classifier.tier import TIERS
from training.errors import DataError
from training.fitting import build_head, conversation_rows, fit_prompts, prompt_rows
from training.labelled import LabelledData
from training.settings import DEFAULT_SETTINGS, FitSettings
from training.tier_classifier import TierClassifier

__all__ = ["Candidate", "SearchResult", "search_settings"]

FOLDS = 6
CANDIDATES = 20
_ALL = tuple(statistic.name for statistic in STATISTICS)
_WITHOUT_LENGTH = tuple(name for name in _ALL if name not in ("log_words", "log_lines"))
_SPACE: dict[str, Any] = {
    "inverse_penalty": loguniform(3.0, 60.0),
    "middle_weight": [0.1, 0.3, 0.5, 1.0],
    "longest_ngram": [1, 2, 2, 2],
    "min_documents": [2, 2, 3, 4],
    "max_ngrams": [12_000, 25_000, 50_000],
    "statistics": [_ALL, _ALL, _WITHOUT_LENGTH, ()],
    "statistics_scale": loguniform(0.1, 1.0),
}
_HEAD_PENALTIES = [0.01, 0.03, 0.1, 0.3, 1.0]

IntArray = npt.NDArray[np.int64]
Strings = npt.NDArray[np.str_]
Fold = tuple[IntArray, IntArray]
Track = Callable[[Iterable[FitSettings]], Iterable[FitSettings]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Settings that were tried.

    Attributes:
        settings: the settings.
        log_loss: mean over the held-out folds, natural logarithm; lower is better.
        accuracy: mean over the held-out folds, a fraction.
    """

    settings: FitSettings
    log_loss: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The candidates, the best first, and how the folds were made."""

    candidates: tuple[Candidate, ...]
    folds: str

    @property
    def best(self) -> FitSettings:
        """The settings with the least log loss on held-out folds."""
        return self.candidates[0].settings


def search_settings(train: LabelledData, *, seed: int, jobs: int, track: Track = iter) -> SearchResult:
    """Try the stored settings and a seeded random sample of others; then choose the head's penalty.

    Args:
        train: the training rows; nothing else is looked at.
        seed: of the sample.
        jobs: processes that fit folds side by side.
        track: wraps the candidates, to show progress.
    """
    texts, frame = prompt_rows(train)
    folds, described = _folds(frame["source"].to_numpy(dtype=str), frame["tier"].to_numpy())
    sampled = ParameterSampler(_SPACE, CANDIDATES - 1, random_state=seed)
    candidates = [DEFAULT_SETTINGS, *(replace(DEFAULT_SETTINGS, **_plain(values)) for values in sampled)]
    tried = [_try(settings, texts, frame, folds, jobs) for settings in track(candidates)]
    tried.sort(key=lambda candidate: candidate.log_loss)
    best = replace(tried[0], settings=_with_head(tried[0].settings, train))
    return SearchResult((best, *tried[1:]), described)


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    """Penalties and scales rounded to two digits: they are settings that people read."""
    return {name: float(f"{v:.2g}") if isinstance(v, float) else v for name, v in values.items()}


def _folds(sources: Strings, tiers: IntArray) -> tuple[list[Fold], str]:
    """Folds as pairs of row numbers, and how they were made."""
    groups = len(set(sources))
    if len(set(sources) - {""}) > 1:
        folds = list(GroupKFold(min(FOLDS, groups)).split(tiers, tiers, sources))
        if all(len(set(tiers[trained])) == len(set(tiers)) for trained, _ in folds):
            return folds, f"{len(folds)} folds over {groups} sources, each source whole in one fold"
        reason = "one source alone holds all rows of a tier"
    else:
        reason = "no two sources are named"
    count = min(FOLDS, int(np.unique_counts(tiers).counts.min()))
    if count < 2:
        raise DataError("a tier has a single training row: too few to search settings by; leave out --tune")
    folds = list(StratifiedKFold(count, shuffle=True, random_state=0).split(tiers, tiers))
    return folds, f"{count} random folds: {reason}"


def _try(
    settings: FitSettings, texts: Sequence[str], frame: pd.DataFrame, folds: list[Fold], jobs: int
) -> Candidate:
    scores = cross_validate(
        TierClassifier.of(settings),
        texts,
        frame["tier"].to_numpy(),
        cv=folds,
        scoring={"loss": _minus_log_loss, "accuracy": "accuracy"},
        params={"sample_weight": frame["weight"].to_numpy()},
        n_jobs=jobs,
        error_score="raise",
    )
    return Candidate(settings, -float(scores["test_loss"].mean()), float(scores["test_accuracy"].mean()))


def _minus_log_loss(model: ClassifierMixin, texts: Sequence[str], tiers: IntArray) -> float:
    """A held-out source may lack a tier: scikit-learn's own scorer would refuse it."""
    return -float(log_loss(tiers, model.predict_proba(texts), labels=list(TIERS)))


def _with_head(settings: FitSettings, train: LabelledData) -> FitSettings:
    rows = conversation_rows(fit_prompts(train, settings), train)
    if rows is None:
        return settings
    folds, _ = _folds(rows.sources, rows.tiers)
    head = build_head(settings.head_inverse_penalty)
    search = GridSearchCV(head, {"regression__C": _HEAD_PENALTIES}, scoring=_minus_log_loss, cv=folds)
    search.fit(rows.matrix, rows.tiers, regression__sample_weight=rows.weights)
    return replace(settings, head_inverse_penalty=float(search.best_params_["regression__C"]))
