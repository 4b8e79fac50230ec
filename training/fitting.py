"""Fit the prompt model and the conversation head, and calibrate their probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from classifier.contribution import Contrast
from classifier.conversation import conversation_features, judged_texts
from classifier.reading import Reading, read
from classifier.tier import TIERS
from training.labelled import LabelledData
from training.settings import FitSettings
from training.tier_classifier import TierClassifier

__all__ = [
    "FEWEST_CONVERSATIONS",
    "ConversationRows",
    "FittedModel",
    "build_head",
    "calibration_factor",
    "conversation_rows",
    "fit_head",
    "fit_model",
    "fit_prompts",
    "head_matrix",
    "prompt_rows",
    "refit_model",
    "scale_logits",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

FEWEST_CONVERSATIONS = 60
"""With fewer training conversations no head is fitted: it has 48 weights."""


@dataclass(frozen=True, slots=True)
class FittedModel:
    """What training found, as scikit-learn pipelines.

    Attributes:
        settings: what it was fitted with.
        prompts: from texts to tiers, calibrated.
        inverse_temperature: the factor of calibration, folded into the weights of `prompts`.
        head: from `conversation_features` to tiers; None where there were too few conversations.
    """

    settings: FitSettings
    prompts: Pipeline
    inverse_temperature: float
    head: Pipeline | None


def fit_model(train: LabelledData, validation: LabelledData, settings: FitSettings) -> FittedModel:
    """Fit on the training rows, and calibrate on the validation rows."""
    prompts = fit_prompts(train, settings)
    factor = calibration_factor(prompts, validation)
    scale_logits(prompts, factor)
    return FittedModel(settings, prompts, factor, fit_head(prompts, train, settings))


def refit_model(fitted: FittedModel, data: LabelledData) -> FittedModel:
    """Fit once more, on more rows, with the settings and the calibration that were found on fewer."""
    prompts = fit_prompts(data, fitted.settings)
    scale_logits(prompts, fitted.inverse_temperature)
    return replace(fitted, prompts=prompts, head=fit_head(prompts, data, fitted.settings))


def fit_prompts(train: LabelledData, settings: FitSettings) -> Pipeline:
    """Fit the prompt model on the rows that are not conversations."""
    texts, frame = prompt_rows(train)
    fitted = TierClassifier.of(settings).fit(texts, frame["tier"].to_numpy(), frame["weight"].to_numpy())
    return fitted.pipeline_


def calibration_factor(prompts: Pipeline, validation: LabelledData) -> float:
    """Return the inverse of the temperature with the least log loss on these rows.

    Temperature scaling (Guo et al. 2017) multiplies all logits by one factor: no order of tiers changes.
    """
    texts, frame = prompt_rows(validation)
    logits, tiers, weights = prompts.decision_function(texts), frame["tier"], frame["weight"]

    def loss(log_factor: float) -> float:
        probabilities = softmax(logits * np.exp(log_factor), axis=1)
        return float(log_loss(tiers, probabilities, sample_weight=weights, labels=list(TIERS)))

    return float(np.exp(minimize_scalar(loss, bounds=(-4.0, 4.0), method="bounded").x))


def scale_logits(prompts: Pipeline, factor: float) -> None:
    """Fold the factor of calibration into the weights, in place."""
    prompts.named_steps["regression"].scale(factor)


def fit_head(prompts: Pipeline, train: LabelledData, settings: FitSettings) -> Pipeline | None:
    """Fit the head on the training conversations, or return None where they are too few to.

    The prompt model never saw them, so its contrasts are as trustworthy here as on new prompts.
    """
    rows = conversation_rows(prompts, train)
    if rows is None:
        return None
    head = build_head(settings.head_inverse_penalty)
    return head.fit(rows.matrix, rows.tiers, regression__sample_weight=rows.weights)


def build_head(inverse_penalty: float) -> Pipeline:
    """Return the unfitted conversation head."""
    regression = LogisticRegression(C=inverse_penalty, solver="newton-cg", max_iter=500, tol=1e-8)
    return Pipeline([("standard", StandardScaler()), ("regression", regression)])


@dataclass(frozen=True, slots=True, eq=False)
class ConversationRows:
    """What the head is fitted on.

    Attributes:
        matrix: `conversation_features` of each conversation, shape (n_conversations, n_features).
        tiers: needed tiers, shape (n_conversations,).
        weights: sample weights, likewise.
        sources: who wrote each conversation, likewise.
    """

    matrix: FloatArray
    tiers: IntArray
    weights: FloatArray
    sources: npt.NDArray[np.str_]


def conversation_rows(prompts: Pipeline, data: LabelledData) -> ConversationRows | None:
    """Return the rows that the head weighs, or None where they are too few to fit one."""
    readings = [read(prompt) for prompt in data.frame["prompt"]]
    frame = data.frame[[reading.is_conversation for reading in readings]]
    tiers = frame["tier"].to_numpy()
    if len(tiers) < FEWEST_CONVERSATIONS or len(set(tiers)) < len(TIERS):
        return None
    return ConversationRows(
        head_matrix(prompts, [reading for reading in readings if reading.is_conversation]),
        tiers,
        frame["weight"].to_numpy(),
        frame["source"].to_numpy(dtype=str),
    )


def head_matrix(prompts: Pipeline, readings: Sequence[Reading]) -> FloatArray:
    """Return the head's input, shape (n_conversations, n_features); see `conversation_features`."""
    texts = [judged_texts(reading) for reading in readings]
    logits = prompts.decision_function([text for several in texts for text in several])
    contrasts = iter([Contrast(*row) for row in (logits[:, 1:] - logits[:, :1]).tolist()])
    return np.array(
        [
            conversation_features(reading, [next(contrasts) for _ in several])
            for reading, several in zip(readings, texts, strict=True)
        ]
    )


def prompt_rows(data: LabelledData) -> tuple[list[str], pd.DataFrame]:
    """Return the texts, and the rows, that one text decides: plain prompts and single-turn conversations."""
    readings = [read(prompt) for prompt in data.frame["prompt"]]
    texts = [reading.turns[-1] for reading in readings if not reading.is_conversation]
    return texts, data.frame[[not reading.is_conversation for reading in readings]]
