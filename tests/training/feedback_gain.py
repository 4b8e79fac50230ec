"""What labels from feedback add to a model trained on labelled prompts, with users who are simulated."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classifier import TierPredictor
from tests.training.feedback_users import Users, feedback_log
from training.errors import RowError
from training.feedback_labels import Feedback, label_feedback
from training.feedback_rows import read_feedback
from training.feedback_rules import FeedbackRules
from training.fitting import calibration_factor, fit_prompts, prompt_rows, scale_logits
from training.labelled import LabelledData, read_labelled
from training.settings import FitSettings

__all__ = ["Gain", "feedback_gain"]


@dataclass(frozen=True, slots=True)
class Gain:
    """Accuracies on held-out rows, in [0, 1].

    Attributes:
        without: Of a model of the labelled rows alone.
        with_feedback: Of a model of these and of the labels from feedback.
        with_truth: Of a model of these and of the same prompts with the tiers that they do need.
        right: Share of the labels from feedback that are the needed tiers.
        feedback: What the log came to.
    """

    without: float
    with_feedback: float
    with_truth: float
    right: float
    feedback: Feedback


def feedback_gain(
    labelled: LabelledData,
    asked: LabelledData,
    validation: LabelledData,
    held_out: LabelledData,
    folder: Path,
    *,
    settings: FitSettings,
    rules: FeedbackRules,
    users: Users,
    seed: int = 0,
) -> Gain:
    """Route `asked` by a model of `labelled` under the packaged policy, and learn from what users say.

    The log is written to a file and read again, as a user's would be; the labels too.
    """
    model = fit_prompts(labelled, settings)
    scale_logits(model, calibration_factor(model, validation))
    texts, _ = prompt_rows(asked)
    log = feedback_log(asked, model.predict_proba(texts), TierPredictor.default().policy, users, seed)
    (folder / "log.jsonl").write_text("".join(json.dumps(row) + "\n" for row in log), encoding="utf-8")
    feedback = label_feedback(read_feedback(folder / "log.jsonl", _raise), rules)
    lines = "".join(json.dumps(label.as_row()) + "\n" for label in feedback.labels)
    (folder / "labels.jsonl").write_text(lines, encoding="utf-8")
    labels = read_labelled(folder / "labels.jsonl", rows_per_tier=0)
    needed = dict(zip(asked.frame["text"], asked.frame["tier"], strict=True))
    truth = np.array([needed[text] for text in labels.frame["text"]])
    true_labels = LabelledData(labels.frame.assign(tier=truth, weight=1.0))
    return Gain(
        without=_accuracy(labelled, held_out, settings),
        with_feedback=_accuracy(labelled.with_rows_of(labels), held_out, settings),
        with_truth=_accuracy(labelled.with_rows_of(true_labels), held_out, settings),
        right=float(np.mean(truth == labels.frame["tier"])),
        feedback=feedback,
    )


def _accuracy(train: LabelledData, held_out: LabelledData, settings: FitSettings) -> float:
    texts, frame = prompt_rows(held_out)
    return float(np.mean(fit_prompts(train, settings).predict(texts) == frame["tier"].to_numpy()))


def _raise(error: RowError) -> None:
    raise error
