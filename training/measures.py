"""The headline measures, each defined once: on rows, and on sums over rows.

Resampling needs each measure thousands of times, and scikit-learn takes a millisecond or so each time. But
every measure here is a function of a few weighted sums (two confusion tables, log loss, dollars), and the
sums of all resamples come out of one matrix product. So a measure states both: `of_rows`, scikit-learn's
figure, is what is printed; `of_totals`, the same formula on a stack of sums, gives the intervals. A test
holds them equal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from training import metrics
from training.costs import PROMPTS_PER_FIGURE, CostModel
from training.routed_rows import TIERS, FloatArray, IntArray, RoutedRows

__all__ = ["MEASURES", "Measure", "measure_of", "summed_columns"]

View = Literal["most_probable", "choice"]

CELLS = TIERS * TIERS
MOST_PROBABLE_CELLS = slice(0, CELLS)
CHOICE_CELLS = slice(CELLS, 2 * CELLS)
LOG_LOSS, DOLLARS, WEIGHT = 2 * CELLS, 2 * CELLS + 1, 2 * CELLS + 2
SQUARED_DISTANCE = np.subtract.outer(np.arange(TIERS), np.arange(TIERS)) ** 2
SMALLEST_PROBABILITY = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure about a model on labelled rows.

    Attributes:
        key: Stable name in JSON, unique within its view.
        title: Name for people.
        view: Whether it is about the most probable tier (or the probabilities) or about the policy's choice.
        higher_is_better: Its direction.
        of_rows: The figure of some rows at given prices.
        of_totals: The same from sums, shape (..., 21) to (...); NaN where it is not defined.
    """

    key: str
    title: str
    view: View
    higher_is_better: bool
    of_rows: Callable[[RoutedRows, CostModel], float]
    of_totals: Callable[[FloatArray], FloatArray]

    @property
    def is_share(self) -> bool:
        """Whether the figure is a share of rows, to be shown as a percentage."""
        return self.key not in ("macro_f1", "quadratic_kappa", "log_loss", "usd_per_1000_prompts")


def summed_columns(rows: RoutedRows, cost_model: CostModel) -> FloatArray:
    """Return the columns, shape (n, 21), whose sums over any rows determine every measure on those rows."""
    top, needed = rows.most_probable, rows.needed
    columns = np.zeros((len(rows), 2 * CELLS + 3))
    each = np.arange(len(rows))
    columns[each, needed * TIERS + top] = rows.weights
    columns[each, CELLS + needed * TIERS + rows.chosen] = rows.weights
    likelihood = np.maximum(rows.probabilities[each, needed], SMALLEST_PROBABILITY)
    columns[:, LOG_LOSS] = -np.log(likelihood) * rows.weights
    columns[:, DOLLARS] = cost_model.usd(rows.chosen, needed, rows.input_tokens) * rows.weights
    columns[:, WEIGHT] = rows.weights
    return columns


def measure_of(view: View, key: str) -> Measure:
    """Return the measure of that name."""
    return next(measure for measure in MEASURES if (measure.view, measure.key) == (view, key))


def _usd_per_1000(rows: RoutedRows, cost_model: CostModel) -> float:
    usd = cost_model.usd(rows.chosen, rows.needed, rows.input_tokens)
    return float(np.average(usd, weights=rows.weights)) * PROMPTS_PER_FIGURE


def _predicted(rows: RoutedRows, view: View) -> IntArray:
    return rows.chosen if view == "choice" else rows.most_probable


def _tables(totals: FloatArray, view: View) -> FloatArray:
    cells = CHOICE_CELLS if view == "choice" else MOST_PROBABLE_CELLS
    return totals[..., cells].reshape(*totals.shape[:-1], TIERS, TIERS)


def _macro_f1_of(tables: FloatArray) -> FloatArray:
    hits = np.diagonal(tables, axis1=-2, axis2=-1)
    occurring = tables.sum(axis=-1) + tables.sum(axis=-2)
    occurs = occurring > 0
    each = np.divide(2 * hits, occurring, out=np.zeros_like(occurring), where=occurs)
    return np.asarray(each.sum(axis=-1) / occurs.sum(axis=-1), dtype=np.float64)


def _kappa_of(tables: FloatArray) -> FloatArray:
    by_chance = tables.sum(axis=-1)[..., :, None] * tables.sum(axis=-2)[..., None, :]
    expected = (by_chance * SQUARED_DISTANCE).sum(axis=(-2, -1)) / tables.sum(axis=(-2, -1))
    observed = (tables * SQUARED_DISTANCE).sum(axis=(-2, -1))
    disagreement = np.divide(observed, expected, out=np.full_like(observed, np.nan), where=expected > 0)
    return np.asarray(1 - disagreement, dtype=np.float64)


def _mean_of(column: int, scale: float = 1.0) -> Callable[[FloatArray], FloatArray]:
    return lambda totals: scale * totals[..., column] / totals[..., WEIGHT]


def _share_measure(
    view: View, key: str, title: str, cells: FloatArray, higher_is_better: bool = False
) -> Measure:
    """Build the measure that is the share of some cells of the view's confusion table."""

    def of_rows(rows: RoutedRows, _: CostModel) -> float:
        rates = metrics.routing_rates(_predicted(rows, view), rows.needed, rows.weights).as_dict()
        return rates["right_tier" if key == "accuracy" else key]

    def of_totals(totals: FloatArray) -> FloatArray:
        shares = (_tables(totals, view) * cells).sum(axis=(-2, -1)) / totals[..., WEIGHT]
        return np.asarray(shares, dtype=np.float64)

    return Measure(key, title, view, higher_is_better, of_rows, of_totals)


RIGHT, UNDER, OVER = np.eye(TIERS), np.tril(np.ones((TIERS, TIERS)), -1), np.triu(np.ones((TIERS, TIERS)), 1)
FAR = np.where(SQUARED_DISTANCE == 4, 1.0, 0.0)

MEASURES: tuple[Measure, ...] = (
    _share_measure("most_probable", "accuracy", "accuracy", RIGHT, higher_is_better=True),
    Measure(
        "macro_f1",
        "macro-F1",
        "most_probable",
        True,
        lambda rows, _: metrics.macro_f1(rows.most_probable, rows.needed, rows.weights),
        lambda totals: _macro_f1_of(_tables(totals, "most_probable")),
    ),
    Measure(
        "quadratic_kappa",
        "quadratic kappa",
        "most_probable",
        True,
        lambda rows, _: metrics.quadratic_kappa(rows.most_probable, rows.needed, rows.weights),
        lambda totals: _kappa_of(_tables(totals, "most_probable")),
    ),
    Measure(
        "log_loss",
        "log loss",
        "most_probable",
        False,
        lambda rows, _: metrics.log_loss(rows.probabilities, rows.needed, rows.weights),
        _mean_of(LOG_LOSS),
    ),
    _share_measure("most_probable", "cheap_premium_errors", "cheap-premium errors", FAR),
    _share_measure("choice", "right_tier", "right tier", RIGHT, higher_is_better=True),
    _share_measure("choice", "under_routing", "under-routing", UNDER),
    _share_measure("choice", "over_routing", "over-routing", OVER),
    _share_measure("choice", "cheap_premium_errors", "cheap-premium errors", FAR),
    Measure(
        "usd_per_1000_prompts",
        "USD per 1,000 prompts",
        "choice",
        False,
        _usd_per_1000,
        _mean_of(DOLLARS, PROMPTS_PER_FIGURE),
    ),
)
