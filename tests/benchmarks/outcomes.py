"""Routing between two models, from public outcomes: our features beside RouteLLM's published routers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from classifier import Tier
from tests.benchmarks.material import Material, say
from tests.benchmarks.row import Goal, Peer, Row, Unavailable
from training.gap_recovered import apgr
from training.outcome_labels import label_outcomes
from training.prompt_folds import prompt_folds
from training.settings import FitSettings
from training.tier_classifier import TierClassifier

__all__ = ["outcome_rows"]

FloatArray = npt.NDArray[np.float64]

_WEAK, _STRONG = "score:mixtral-8x7b-instruct-v0.1", "score:gpt-4-1106-preview"
_SETTINGS = FitSettings(inverse_penalty=1.0, min_documents=5, max_ngrams=200_000, middle_weight=1.0)
"""One setting for both tables: outcomes are noisier than labels, which asks for a stronger penalty than the
stored one, and an exam question is read evenly, not by its ends."""

_PUBLISHED = {
    "mmlu": ("similarity-weighted with about 1,500 MMLU labels", 0.603),
    "gsm8k": ("a causal LLM with judged labels", 0.622),
}
_GOALS = {"mmlu": 0.69, "gsm8k": 0.63}


def outcome_rows(material: Material) -> Iterator[Row]:
    """Yield one row for each table."""
    for name, goal in _GOALS.items():
        what = f"RouteLLM {name.upper()}, five-fold APGR"
        file = material.choices.outcomes / f"routellm_{name}.parquet"
        if not file.is_file():
            yield Row(what, goal=Goal(goal), note=f"skipped: no {file}; name its folder with --outcomes")
        else:
            yield _row(what, name, file, Goal(goal))


def _row(what: str, name: str, file: Path, goal: Goal) -> Row:
    table = _read(file)
    prompts, scores = table["prompt"].tolist(), table[[_WEAK, _STRONG]].to_numpy(dtype=np.float64)
    folds = prompt_folds(prompts)
    win_rate = np.empty(len(prompts))
    for fold in np.unique(folds):
        say(f"{name}: fold {fold + 1} of {folds.max() + 1}")
        win_rate[folds == fold] = _win_rate(prompts, scores, folds == fold)
    router, published = _PUBLISHED[name]
    note = (
        f"{len(prompts)} prompts, folds by normalised prompt, C = {_SETTINGS.inverse_penalty:g}; chance 0.5;"
        f" the peer is the best published router, {router}"
    )
    figure = apgr(win_rate, scores[:, 0], scores[:, 1])
    return Row(what, figure, peer=Peer("as published", published), goal=goal, note=note)


def _read(file: Path) -> pd.DataFrame:
    table = pd.read_parquet(file)
    missing = {_WEAK, _STRONG, "prompt", "contaminated"} - set(table.columns)
    if missing:
        raise Unavailable(f"{file} has no column {', '.join(sorted(missing))}")
    return table[~table["contaminated"].astype(bool)].reset_index(drop=True)


def _win_rate(prompts: list[str], scores: FloatArray, held_out: npt.NDArray[np.bool_]) -> FloatArray:
    """How probably the held-out prompts need the strong model, by a model of the other folds."""
    labels = label_outcomes(scores, (Tier.CHEAP, Tier.PREMIUM))
    seen = [prompt for prompt, away in zip(prompts, held_out, strict=True) if not away]
    asked = [prompt for prompt, away in zip(prompts, held_out, strict=True) if away]
    model = TierClassifier.of(_SETTINGS)
    model.fit(seen, labels.tiers[~held_out], labels.weights[~held_out])
    return model.predict_proba(asked)[:, Tier.PREMIUM]
