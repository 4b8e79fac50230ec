"""How a router is judged on outcomes: five folds, a few labels, and rules that learn nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from classifier import Tier, TierPredictor
from tests.benchmarks.routing_fits import RoutingFits
from tests.benchmarks.row import Unavailable
from training.baselines import Baseline
from training.gap_recovered import routing_curve
from training.prompt_folds import prompt_folds

__all__ = [
    "Recovered",
    "bootstrapped",
    "few_labels",
    "five_fold",
    "packaged_win_rate",
    "recovered",
    "rule_win_rate",
]

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a router recovers of the gap between two models; see `training.gap_recovered`.

    Attributes:
        apgr: average performance gap recovered, 0.5 by chance.
        cpt_50: share of strong calls, in [0, 1], that recovers half of the gap.
        cpt_80: that recovers four fifths.
    """

    apgr: float
    cpt_50: float
    cpt_80: float


def recovered(win_rates: FloatArray, scores: FloatArray) -> Recovered:
    """Return the measures of win rates, shape (n_prompts,), on scores, shape (n_prompts, 2)."""
    curve = routing_curve(win_rates, scores[:, 0], scores[:, 1])
    return Recovered(float(curve.apgr()), float(curve.cpt(0.5)), float(curve.cpt(0.8)))


def bootstrapped(win_rates: FloatArray, scores: FloatArray, resamples: int, seed: int = 0) -> list[Recovered]:
    """Return the measures on bootstrap draws of the prompts: how far another set of prompts may differ."""
    random = np.random.default_rng(seed)
    drawn = (random.integers(len(scores), size=len(scores)) for _ in range(resamples))
    return [recovered(win_rates[rows], scores[rows]) for rows in drawn]


def five_fold(fits: RoutingFits, seed: int = 0) -> FloatArray:
    """Return the win rate of each prompt by a model of the other folds, shape (n_prompts,).

    Args:
        fits: of the table to route.
        seed: 0 folds as `prompt_folds` does; another number deals the prompts out anew.
    """
    salt = f"{seed} " if seed else ""
    folds = prompt_folds([salt + prompt for prompt in fits.table.prompts])
    found = np.empty(len(folds))
    for fold in np.unique(folds):
        away = np.flatnonzero(folds == fold)
        found[away] = fits.win_rate(np.flatnonzero(folds != fold), away)
    return found


def few_labels(fits: RoutingFits, labels: int, seed: int) -> Recovered:
    """Return the measures of a model of so many random prompts, on all others that do not repeat them.

    Raises:
        Unavailable: if the table has no more prompts than that.
    """
    table = fits.table
    if labels >= len(table):
        raise Unavailable(f"{len(table)} prompts are too few to label {labels} and judge by the rest")
    drawn = np.sort(np.random.default_rng(seed).choice(len(table), labels, replace=False))
    rest = table.not_among(drawn)
    return recovered(fits.win_rate(drawn, rest), table.scores[rest])


def rule_win_rate(rule: Baseline, prompts: Sequence[str]) -> FloatArray:
    """Return the tier that a rule picks, as a win rate: a dearer tier asks for the strong model more."""
    return np.asarray(rule.choose(prompts), dtype=np.float64)


def packaged_win_rate(predictor: TierPredictor, prompts: Sequence[str]) -> FloatArray:
    """Return the probability that cheap is not enough, by a model that saw none of these outcomes."""
    return 1.0 - np.asarray(predictor.predict_proba(prompts))[:, Tier.CHEAP]
