"""One evaluation of a model and its policy on labelled prompts: every figure that the reports show.

Figures of the most probable tier and figures of the policy's choice stand apart, here as in every report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from classifier import Policy, RiskPolicy, read
from training import metrics
from training.abstained import Abstained, abstained, choices_without_abstaining
from training.baselines import Baseline, default_baselines
from training.costs import CostModel
from training.errors import EvaluationError
from training.labelled import LabelledData
from training.measures import MEASURES, Measure, View, measure_of, summed_columns
from training.policy_choice import RiskCurve, chosen_by_expected_cost, chosen_by_risk, risk_curve
from training.predictors import Predictor, route_rows
from training.reliability import Calibration, calibration_of
from training.resampling import Estimate, percentile_interval, resampled_sums
from training.rivals import Rival, rivals
from training.routed_rows import TIER_NAMES, FloatArray, RoutedRows
from training.slices import SliceTable, slice_labels, slice_tables

__all__ = [
    "CostPoint",
    "Evaluation",
    "Measured",
    "Subject",
    "evaluate",
    "evaluate_model",
]

FORMAT = 1
RESAMPLES = 2000
POOR_ANSWER_USD = np.geomspace(1e-5, 1.0, 101)
Confusion = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Subject:
    """What was evaluated, and on what.

    Attributes:
        model: The model's version or path.
        policy: Its policy in words.
        data: Digest or name of the labelled data.
        max_risk: The setting of a risk policy; None for another policy.
    """

    model: str
    policy: str
    data: str
    max_risk: float | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure with its figure and 95 % interval."""

    measure: Measure
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class CostPoint:
    """The expected-cost policy at one setting.

    Attributes:
        poor_answer_usd: The setting: what a poor answer costs, in US dollars.
        usd_per_1000: US dollars per 1,000 prompts.
        under_routing: A share of all prompts.
    """

    poor_answer_usd: float
    usd_per_1000: float
    under_routing: float

    def as_dict(self) -> dict[str, float]:
        """Return the point under stable keys, ready for JSON."""
        return {
            "poor_answer_usd": self.poor_answer_usd,
            "usd_per_1000_prompts": self.usd_per_1000,
            "under_routing": self.under_routing,
        }


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything that an evaluation found.

    Attributes:
        subject: What was evaluated, and on what.
        rows: How many labelled prompts.
        weight: Their summed weights.
        measured: The headline figures of both views, with intervals.
        confusions: Summed weights by view, needed tiers down, predicted or chosen tiers across.
        calibration: Of the probabilities.
        rivals: The model under both readings and what it competes with.
        slices: The same prompts by domain, language, length and kind.
        abstained: The prompts on which the policy abstains, and how they fare; None where it never does.
        curve: The risk policy at every setting from 0 to 1 (whatever the model's own policy).
        curve_usd_per_1000: US dollars per 1,000 prompts at each point of the curve.
        cost_curve: The expected-cost policy over poor answers from a thousandth of a cent to a dollar.
        cost_model: Prices and assumed lengths.
        resamples: How many bootstrap draws stand behind the intervals.
        seed: Of the draws.
    """

    subject: Subject
    rows: int
    weight: float
    measured: tuple[Measured, ...]
    confusions: Mapping[View, Confusion]
    calibration: Calibration
    rivals: tuple[Rival, ...]
    slices: tuple[SliceTable, ...]
    abstained: Abstained | None
    curve: RiskCurve
    curve_usd_per_1000: tuple[float, ...]
    cost_curve: tuple[CostPoint, ...]
    cost_model: CostModel
    resamples: int
    seed: int

    def estimate(self, view: View, key: str) -> Estimate:
        """Return the figure of that name in that view, as `Evaluation.measured` lists them."""
        measure = measure_of(view, key)
        return next(found.estimate for found in self.measured if found.measure is measure)

    def rival(self, key: str) -> Rival:
        """Return the rival of that key, such as "always_balanced"."""
        return next(rival for rival in self.rivals if rival.key == key)

    def flat_metrics(self) -> dict[str, float]:
        """Return the headline figures as one flat mapping, for a run tracker; undefined ones are left out."""
        named = {f"{found.measure.view}.{found.measure.key}": found.estimate.value for found in self.measured}
        named["expected_calibration_error"] = self.calibration.error
        named["classwise_calibration_error"] = self.calibration.classwise
        return {name: value for name, value in named.items() if np.isfinite(value)}

    def as_dict(self) -> dict[str, object]:
        """Return everything under stable keys, ready for JSON; None stands for what is not defined."""
        return {
            "format": FORMAT,
            "model": self.subject.model,
            "policy": self.subject.policy,
            "max_risk": self.subject.max_risk,
            "data": self.subject.data,
            "rows": self.rows,
            "weight": self.weight,
            "tiers": list(TIER_NAMES),
            "most_probable": self._view("most_probable"),
            "choice": self._view("choice"),
            "calibration": self.calibration.as_dict(),
            "rivals": [rival.as_dict() for rival in self.rivals],
            "abstained": self.abstained and self.abstained.as_dict(),
            "slices": {table.by: table.as_dict() for table in self.slices},
            "risk_curve": [
                {**point.as_dict(), "usd_per_1000_prompts": usd}
                for point, usd in zip(self.curve.points, self.curve_usd_per_1000, strict=True)
            ],
            "expected_cost_curve": [point.as_dict() for point in self.cost_curve],
            "costs": self.cost_model.as_dict(),
            "intervals": {
                "level": 0.95,
                "method": "percentile bootstrap",
                "resamples": self.resamples,
                "seed": self.seed,
            },
        }

    def _view(self, view: View) -> dict[str, object]:
        figures = {
            found.measure.key: found.estimate.as_dict()
            for found in self.measured
            if found.measure.view == view
        }
        return {**figures, "confusion": [list(row) for row in self.confusions[view]]}


def evaluate_model(
    predictor: Predictor,
    data: LabelledData,
    *,
    cost_model: CostModel | None = None,
    baselines: Sequence[Baseline] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Let a model and its policy judge labelled prompts, and evaluate what they say.

    Args:
        predictor: The model with its policy.
        data: The labelled prompts, all of which are used.
        cost_model: Prices and assumed lengths; the mission's prices without it.
        baselines: The rules to compare with; keyword, length and majority without it.
        resamples: Bootstrap draws behind the intervals.
        seed: Of the draws.

    Raises:
        EvaluationError: When there are no prompts, or the model's answers are no probabilities.
    """
    rows = route_rows(predictor, data)
    return evaluate(
        rows,
        Subject(predictor.version, predictor.policy.describe(), data.digest, _max_risk(predictor.policy)),
        texts=[read(prompt).turns[-1] for prompt in data.frame["prompt"]],
        labels=slice_labels(data.frame),
        cost_model=cost_model,
        baselines=baselines,
        policy=predictor.policy,
        resamples=resamples,
        seed=seed,
    )


def evaluate(
    rows: RoutedRows,
    subject: Subject,
    *,
    texts: Sequence[str],
    labels: Mapping[str, Sequence[str]],
    cost_model: CostModel | None = None,
    baselines: Sequence[Baseline] | None = None,
    policy: Policy | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Evaluation:
    """Evaluate what a model and its policy made of labelled prompts.

    Args:
        rows: Probabilities, choices, labels, weights and input tokens.
        subject: What they come from.
        texts: What a rule on text gets to see of each prompt (in a conversation the last ask), shape (n,).
        labels: For each property ("domain", ...) the slice that every row belongs to, shape (n,).
        cost_model: Prices and assumed lengths; the mission's prices without it.
        baselines: The rules to compare with; keyword, length and majority without it.
        policy: What made the choices; where it abstains, it is also judged as it would be if it did not.
        resamples: Bootstrap draws behind the intervals.
        seed: Of the draws.

    Raises:
        EvaluationError: When texts or labels are not as many as the rows, or there are no resamples.
    """
    costs = cost_model or CostModel()
    for name, values in (("texts", texts), *labels.items()):
        if len(values) != len(rows):
            raise EvaluationError(f"{name} has {len(values)} entries for {len(rows)} rows; expected as many")
    curve = risk_curve(rows.probabilities, rows.needed, rows.weights)
    return Evaluation(
        subject=subject,
        rows=len(rows),
        weight=float(rows.weights.sum()),
        measured=_measured(rows, costs, resamples, seed),
        confusions={
            "most_probable": _confusion(rows.with_choice(rows.most_probable)),
            "choice": _confusion(rows),
        },
        calibration=calibration_of(rows.probabilities, rows.needed, rows.weights, seed=seed),
        rivals=rivals(
            rows,
            texts,
            default_baselines() if baselines is None else baselines,
            costs,
            not_abstaining=choices_without_abstaining(rows, policy) if policy else None,
        ),
        slices=slice_tables(rows, labels, costs),
        abstained=abstained(rows, policy, costs) if policy else None,
        curve=curve,
        curve_usd_per_1000=tuple(_usd_at(rows, point.max_risk, costs) for point in curve.points),
        cost_curve=tuple(_cost_point(rows, float(usd), costs) for usd in POOR_ANSWER_USD),
        cost_model=costs,
        resamples=resamples,
        seed=seed,
    )


def _measured(rows: RoutedRows, cost_model: CostModel, resamples: int, seed: int) -> tuple[Measured, ...]:
    sums = resampled_sums(summed_columns(rows, cost_model), resamples=resamples, seed=seed)
    return tuple(
        Measured(
            measure,
            Estimate(measure.of_rows(rows, cost_model), *percentile_interval(measure.of_totals(sums))),
        )
        for measure in MEASURES
    )


def _confusion(rows: RoutedRows) -> Confusion:
    table: FloatArray = metrics.confusion(rows.chosen, rows.needed, rows.weights)
    return tuple(tuple(float(cell) for cell in line) for line in table)


def _usd_at(rows: RoutedRows, max_risk: float, cost_model: CostModel) -> float:
    return _usd_per_1000(rows.with_choice(chosen_by_risk(rows.probabilities, max_risk)), cost_model)


def _cost_point(rows: RoutedRows, poor_answer_usd: float, cost_model: CostModel) -> CostPoint:
    by_tier = cost_model.usd_by_tier(rows.needed, rows.input_tokens)
    cheap, balanced, premium = np.average(by_tier, axis=0, weights=rows.weights)
    prices = (float(cheap), float(balanced), float(premium))
    chosen = chosen_by_expected_cost(rows.probabilities, prices, poor_answer_usd)
    under = metrics.routing_rates(chosen, rows.needed, rows.weights).under
    return CostPoint(poor_answer_usd, _usd_per_1000(rows.with_choice(chosen), cost_model), under)


def _usd_per_1000(rows: RoutedRows, cost_model: CostModel) -> float:
    return measure_of("choice", "usd_per_1000_prompts").of_rows(rows, cost_model)


def _max_risk(policy: Policy) -> float | None:
    return policy.max_risk if isinstance(policy, RiskPolicy) else None
