"""Choosing a policy's setting for a target on one half of the prompts, and judging it on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from classifier import Policy
from training.abstention import AbstentionRule
from training.costs import CostModel
from training.errors import TargetNotMet
from training.policy_families import ExpectedCostFamily, PolicyFamily, RiskFamily
from training.policy_targets import Target
from training.resampling import Estimate
from training.routed_rows import TIERS, IntArray
from training.routing_figures import RoutingFigures, estimates, figures_along, routing_figures
from training.tuning_rows import TuningRows
from training.under_routing_promise import MaxUnderRouting

__all__ = ["Candidate", "TunedPolicy", "families_for", "tune"]

RESAMPLES = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """The setting of one family that meets the target, and what it achieves.

    Attributes:
        family: The family.
        knob: The setting.
        policy: The policy at that setting, abstention included.
        calibration: Figures on the prompts that it was chosen on.
        held_out: Figures on the others.
    """

    family: PolicyFamily
    knob: float
    policy: Policy
    calibration: RoutingFigures
    held_out: RoutingFigures


@dataclass(frozen=True, slots=True, eq=False)
class TunedPolicy:
    """A policy chosen for a target.

    Attributes:
        target: What it was to achieve.
        best: The chosen candidate.
        candidates: All that meet the target, `best` among them.
        failures: Why the other families do not, by their keys.
        bound: Of a promise, what the calibration prompts show; None for other targets.
        intervals: The held-out figures of `best` with 95 % intervals, by name.
        rivals: Held-out figures of always-cheap, always-balanced and always-premium.
        dollars: In one sentence what the dollars rest on.
    """

    target: Target
    best: Candidate
    candidates: tuple[Candidate, ...]
    failures: Mapping[str, str]
    bound: float | None
    intervals: Mapping[str, Estimate]
    rivals: tuple[RoutingFigures, ...]
    dollars: str


def families_for(
    target: Target, rows: TuningRows, cost_model: CostModel, keys: Sequence[str]
) -> tuple[PolicyFamily, ...]:
    """Return the families to choose from, by their keys ("risk", "expected-cost").

    The expected-cost policy compares prices. They are the mean dollars of each tier on the calibration
    prompts, except for a promise, which no family that depends on those prompts could keep: there it is list
    prices, for a thousand tokens.
    """
    listed = np.asarray(cost_model.usd_per_million) / 1000
    cheap, balanced, premium = listed if target.is_promise else rows.halves()[0].usd.mean(axis=0)
    known = (RiskFamily(), ExpectedCostFamily((float(cheap), float(balanced), float(premium))))
    return tuple(family for family in known if family.key in keys)


def tune(
    rows: TuningRows,
    target: Target,
    families: Sequence[PolicyFamily],
    *,
    abstention: AbstentionRule | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> TunedPolicy:
    """Choose the setting that meets a target on the calibration half, and judge it on the held-out half.

    Args:
        rows: All prompts.
        target: What the policy, abstention included, is to achieve.
        families: What to choose from; of several that meet the target the better one on its other axis.
        abstention: Which prompts go to a safe tier instead.
        resamples: Bootstrap draws behind the intervals.
        seed: Of the draws.

    Raises:
        TargetNotMet: When no family meets the target; of the nearest one.
        EvaluationError: When a half has too few prompts.
    """
    settled = rows if abstention is None else _settled(rows, abstention)
    calibration, held_out = settled.halves()
    candidates, failures = [], {}
    for family in families:
        path = figures_along(calibration, family)
        try:
            place = target.pick(path, len(families))
        except TargetNotMet as error:
            failures[family.key] = error
            continue
        candidates.append(_candidate(family, place, path, held_out, abstention))
    if not candidates:
        raise min(failures.values(), key=lambda error: error.nearest)
    best = max(candidates, key=lambda candidate: _merit(candidate, target))
    unabstained = held_out if abstention is None else rows.halves()[1]  # what rivals are judged by
    chosen = best.family.chosen(held_out.probabilities, best.knob)
    return TunedPolicy(
        target=target,
        best=best,
        candidates=tuple(candidates),
        failures={key: str(error) for key, error in failures.items()},
        bound=target.bound(best.calibration, len(families)) if isinstance(target, MaxUnderRouting) else None,
        intervals=estimates(held_out, chosen, resamples=resamples, seed=seed),
        rivals=tuple(routing_figures(unabstained, _always(tier, held_out)) for tier in range(TIERS)),
        dollars=rows.dollars,
    )


def _settled(rows: TuningRows, rule: AbstentionRule) -> TuningRows:
    mask = rule.abstains(rows.probabilities, rows.known_vocabulary)
    return rows.answered_by_one(mask, int(rule.safe_tier))


def _candidate(
    family: PolicyFamily,
    place: int,
    path: RoutingFigures,
    held_out: TuningRows,
    abstention: AbstentionRule | None,
) -> Candidate:
    knob = float(family.knobs[place])
    policy = family.policy(knob)
    return Candidate(
        family,
        knob,
        policy if abstention is None else abstention.around(policy),
        path.at(place),
        routing_figures(held_out, family.chosen(held_out.probabilities, knob)),
    )


def _merit(candidate: Candidate, target: Target) -> float:
    figures = candidate.calibration
    if target.better_by == "dollars":
        return -float(figures.usd_per_1000_prompts)
    quality = float(figures.quality_of_premium)
    return quality if np.isfinite(quality) else -float(figures.under_routing)


def _always(tier: int, rows: TuningRows) -> IntArray:
    return np.full(len(rows), tier, dtype=np.int64)
