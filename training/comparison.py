"""Two models on the same labelled prompts: which is better, and whether the data can tell.

Both are resampled with the same draws, so that what makes a draw easy or hard cancels out of the difference:
a paired bootstrap. The verdict rests on one measure named beforehand, the accuracy of the most probable tier;
the other lines show where the models differ, and ten lines at 95 % hold an accidental one now and then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.costs import CostModel
from training.errors import EvaluationError
from training.labelled import LabelledData
from training.measures import MEASURES, Measure, measure_of, summed_columns
from training.predictors import Predictor, route_rows
from training.resampling import Estimate, json_number, percentile_interval, resampled_sums
from training.routed_rows import RoutedRows

__all__ = ["Comparison", "Difference", "compare", "compare_models"]

FORMAT = 1
RESAMPLES = 10_000
HEADLINE = measure_of("most_probable", "accuracy")
Verdict = Literal["better", "worse", "not told apart"]


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure of both models.

    Attributes:
        measure: What is measured.
        first: The figure of A.
        second: The figure of B.
        difference: B minus A, with the 95 % interval of the paired bootstrap.
    """

    measure: Measure
    first: float
    second: float
    difference: Estimate

    @property
    def verdict(self) -> Verdict:
        """Whether B is better; told apart only where the interval leaves 0 out."""
        if self.difference.low > 0:
            return "better" if self.measure.higher_is_better else "worse"
        if self.difference.high < 0:
            return "worse" if self.measure.higher_is_better else "better"
        return "not told apart"

    def as_dict(self) -> dict[str, object]:
        """Return both figures, the difference and the verdict under stable keys, ready for JSON."""
        return {
            "a": json_number(self.first),
            "b": json_number(self.second),
            "b_minus_a": self.difference.as_dict(),
            "b_is": self.verdict,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two models on the same rows.

    Attributes:
        first: Name of A.
        second: Name of B.
        rows: How many labelled prompts.
        differences: One for each headline measure.
        resamples: How many paired draws.
        seed: Of the draws.
    """

    first: str
    second: str
    rows: int
    differences: tuple[Difference, ...]
    resamples: int
    seed: int

    @property
    def headline(self) -> Difference:
        """The difference that the verdict rests on: accuracy of the most probable tier."""
        return next(found for found in self.differences if found.measure is HEADLINE)

    @property
    def verdict(self) -> Verdict:
        """Whether B is better than A, by accuracy of the most probable tier."""
        return self.headline.verdict

    def sentence(self) -> str:
        """Return the verdict in one sentence for people."""
        found, gap = self.headline, self.headline.difference
        words = (
            "B and A are not told apart"
            if self.verdict == "not told apart"
            else f"B is {self.verdict} than A"
        )
        return (
            f"{words}: accuracy of the most probable tier {found.second:.1%} against {found.first:.1%}, "
            f"a difference of {gap.value * 100:+.1f} points "
            f"(95 % interval {gap.low * 100:+.1f} to {gap.high * 100:+.1f}) on {self.rows:,} prompts."
        )

    def as_dict(self) -> dict[str, object]:
        """Return everything under stable keys, ready for JSON; None stands for what is not defined."""
        views: dict[str, dict[str, object]] = {"most_probable": {}, "choice": {}}
        for found in self.differences:
            views[found.measure.view][found.measure.key] = found.as_dict()
        return {
            "format": FORMAT,
            "a": self.first,
            "b": self.second,
            "rows": self.rows,
            "b_is": self.verdict,
            "judged_by": f"{HEADLINE.view}.{HEADLINE.key}",
            "sentence": self.sentence(),
            **views,
            "intervals": {
                "level": 0.95,
                "method": "paired percentile bootstrap",
                "resamples": self.resamples,
                "seed": self.seed,
            },
        }


def compare_models(
    first: Predictor,
    second: Predictor,
    data: LabelledData,
    *,
    cost_model: CostModel | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Let two models judge the same labelled prompts, each under its own policy, and compare them.

    Raises:
        EvaluationError: When there are no prompts, or a model's answers are no probabilities.
    """
    return compare(
        route_rows(first, data),
        route_rows(second, data),
        names=(first.version, second.version),
        cost_model=cost_model,
        resamples=resamples,
        seed=seed,
    )


def compare(
    first: RoutedRows,
    second: RoutedRows,
    *,
    names: tuple[str, str] = ("A", "B"),
    cost_model: CostModel | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Comparison:
    """Compare two models on the same rows with a paired bootstrap.

    Args:
        first: What A made of the rows.
        second: What B made of the same rows, in the same order.
        names: Of A and of B.
        cost_model: Prices and assumed lengths; the mission's prices without it.
        resamples: How many paired draws.
        seed: Of the draws.

    Raises:
        EvaluationError: When the rows are not the same: other labels, weights or lengths.
    """
    _check_same_rows(first, second)
    costs = cost_model or CostModel()
    sums_of_first, sums_of_second = (
        resampled_sums(summed_columns(rows, costs), resamples=resamples, seed=seed)
        for rows in (first, second)
    )
    differences = []
    for measure in MEASURES:
        before, after = measure.of_rows(first, costs), measure.of_rows(second, costs)
        interval = percentile_interval(measure.of_totals(sums_of_second) - measure.of_totals(sums_of_first))
        differences.append(Difference(measure, before, after, Estimate(after - before, *interval)))
    return Comparison(*names, len(first), tuple(differences), resamples, seed)


def _check_same_rows(first: RoutedRows, second: RoutedRows) -> None:
    for name in ("needed", "weights", "input_tokens"):
        if not np.array_equal(getattr(first, name), getattr(second, name)):
            raise EvaluationError(
                f"A ({len(first)} rows) and B ({len(second)} rows) differ in {name}; "
                "expected both to have judged the same prompts in the same order"
            )
