"""Fold fitted pipelines into the model that the predictor runs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from classifier.contribution import Contrast
from classifier.conversation import ROLES, ConversationHead, Matrix, RoleWeight
from classifier.model_file import Model
from classifier.policies import Policy
from classifier.prompt_model import PromptModel, Row, StatisticWeight
from classifier.statistic import COUNTS, STATISTICS
from classifier.tokens import ELLIPSIS
from training.fitting import FittedModel
from training.settings import FitSettings

__all__ = ["compile_model"]

FloatArray = npt.NDArray[np.float64]


def compile_model(
    fitted: FittedModel,
    policy: Policy,
    provenance: Mapping[str, Any],
    spare_head: ConversationHead | None = None,
) -> Model:
    """Return the model with the same probabilities as the fitted pipelines.

    Args:
        fitted: what training found.
        policy: what decisions follow.
        provenance: JSON-able facts for the model file.
        spare_head: the head to use where none was fitted.
    """
    head = spare_head if fitted.head is None else _head(fitted.head)
    return Model(_prompt_model(fitted.prompts, fitted.settings), head, policy, provenance)


def _prompt_model(pipeline: Pipeline, settings: FitSettings) -> PromptModel:
    branches = dict(pipeline.named_steps["features"].transformer_list)
    names, idf = _vocabulary(branches["ngrams"])
    contrasts, intercept = _contrasts(pipeline)
    rows: dict[str, Row] = {
        name: (squared, balanced, premium)
        for name, squared, (balanced, premium) in zip(
            names, (idf**2).tolist(), (contrasts[: len(idf)] * idf[:, None]).tolist(), strict=True
        )
    }
    measured = contrasts[len(idf) :] * settings.statistics_scale
    return PromptModel(
        excerpt=settings.excerpt,
        intercept=intercept,
        statistics=_statistics(branches.get("statistics"), settings.statistics, measured),
        words={name: row for name, row in rows.items() if " " not in name and not _is_stem(name)},
        stems={name.removesuffix(ELLIPSIS): row for name, row in rows.items() if _is_stem(name)},
        pairs={_pair(name): row for name, row in rows.items() if " " in name},
    )


def _is_stem(name: str) -> bool:
    return name.endswith(ELLIPSIS) and name != ELLIPSIS and " " not in name


def _pair(name: str) -> tuple[str, str]:
    first, second = name.split(" ")
    return first, second


def _vocabulary(ngrams: Pipeline) -> tuple[list[str], FloatArray]:
    """The n-grams in alphabetical order, and their inverse document frequencies."""
    names = ngrams.named_steps["presence"].get_feature_names_out()
    return names.tolist(), ngrams.named_steps["tfidf"].idf_


def _contrasts(pipeline: Pipeline) -> tuple[FloatArray, Contrast]:
    """Weights against the cheap tier, shape (n_features, 2), and the intercept."""
    regression = pipeline.named_steps["regression"]
    balanced, premium = (regression.intercept_[1:] - regression.intercept_[0]).tolist()
    return (regression.coef_[1:] - regression.coef_[0]).T, Contrast(balanced, premium)


def _statistics(
    branch: Pipeline | None, used: tuple[str, ...], weights: FloatArray
) -> tuple[StatisticWeight, ...]:
    """One weight for every statistic that the classifier measures; those not used weigh nothing."""
    found: dict[str, StatisticWeight] = {}
    if branch is not None:
        scaler = branch.named_steps["standard"]
        numbers = zip(used, scaler.mean_.tolist(), scaler.scale_.tolist(), weights.tolist(), strict=True)
        found = {name: StatisticWeight(name, mean, scale, *pair) for name, mean, scale, pair in numbers}
    return tuple(found.get(s.name, StatisticWeight(s.name, 0.0, 1.0, 0.0, 0.0)) for s in STATISTICS)


def _head(pipeline: Pipeline) -> ConversationHead:
    """Undo the standardisation of the contrasts, so that each role has plain weights; counts keep theirs."""
    scaler = pipeline.named_steps["standard"]
    contrasts, intercept = _contrasts(pipeline)
    split = 2 * len(ROLES)
    plain = contrasts[:split] / scaler.scale_[:split, None]
    base = np.array(intercept) - scaler.mean_[:split] @ plain
    numbers = zip(
        COUNTS,
        scaler.mean_[split:].tolist(),
        scaler.scale_[split:].tolist(),
        contrasts[split:].tolist(),
        strict=True,
    )
    return ConversationHead(
        intercept=Contrast(*base.tolist()),
        roles=tuple(
            RoleWeight(role, Matrix(*plain[2 * place : 2 * place + 2].ravel().tolist()))
            for place, role in enumerate(ROLES)
        ),
        counts=tuple(StatisticWeight(count.name, mean, scale, *pair) for count, mean, scale, pair in numbers),
    )
