"""Whether routing pays: what it all costs once a poor answer has a price too.

Whoever knows what a poor answer costs (a refund, a second call, a lost customer) can add it to the bill:
dollars for tokens, plus that price times the quality that was missed, a score of 0 missing all of it. Then
each way to route is one sum, and the smallest wins.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.cost_quality_result import CostQuality, Mark
from training.costs import PROMPTS_PER_FIGURE
from training.errors import EvaluationError

__all__ = ["TotalCosts", "break_even_usd", "total_costs"]

FloatArray = npt.NDArray[np.float64]


def break_even_usd(dearer: Mark, cheaper: Mark) -> float:
    """Return the US dollars per poor answer from which the dearer way to route costs less in all.

    0 where it is not even dearer; infinity where it is dearer and no better.
    """
    extra = dearer.usd_per_1000.value - cheaper.usd_per_1000.value
    gained = (dearer.quality.value - cheaper.quality.value) * PROMPTS_PER_FIGURE
    if gained > 0:
        return max(extra / gained, 0.0)
    return float("inf") if extra > 0 or gained < 0 else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class TotalCosts:
    """Tokens and poor answers together, over the price of a poor answer.

    Attributes:
        poor_answer_usd: US dollars that an answer of score 0 costs beside its tokens, shape (n,), ascending.
        fixed: US dollars per 1,000 prompts of each tier for everything, by key such as "always_cheap",
            shape (n,) each.
        routed: the same of a model whose expected-cost policy is told that price, shape (n,).
    """

    poor_answer_usd: FloatArray
    fixed: dict[str, FloatArray]
    routed: FloatArray

    @property
    def best_fixed(self) -> FloatArray:
        """The least that one tier for everything costs, shape (n,)."""
        return np.asarray(np.min(list(self.fixed.values()), axis=0), dtype=np.float64)

    @property
    def saved(self) -> FloatArray:
        """What routing saves over that per 1,000 prompts; negative where it costs more, shape (n,)."""
        return self.best_fixed - self.routed

    def pays_between(self, least: float = 0.0) -> tuple[float, float] | None:
        """Return the lowest and highest price at which routing saves more than a share of the best fixed sum.

        Args:
            least: the share, 0 or more; prices between the two may still fall short of it.

        Returns:
            Two of `poor_answer_usd`; None where there is no such price.
        """
        paying = self.poor_answer_usd[self.saved > least * self.best_fixed]
        return (float(paying[0]), float(paying[-1])) if len(paying) else None


def total_costs(found: CostQuality, poor_answer_usd: FloatArray) -> TotalCosts:
    """Return what each way to route costs in all.

    The routed one is not picked with the outcomes known: at each price the expected-cost policy is set to
    that price, or to the nearest one below it on the curve.

    Args:
        found: a curve of three tiers.
        poor_answer_usd: US dollars, shape (n,), ascending, 0 or more.

    Raises:
        EvaluationError: when there is no expected-cost curve, as with two tiers.
    """
    if all(curve.key != "expected_cost" for curve in found.curves):
        raise EvaluationError("two tiers have no expected-cost curve: give outcomes of three")
    curve = found.curve("expected_cost")
    places = np.searchsorted(curve.settings, poor_answer_usd, side="right") - 1
    at = np.maximum(places, 0)
    fixed = {mark.key: mark for mark in found.marks if mark.kind == "fixed"}
    return TotalCosts(
        poor_answer_usd,
        {
            key: _total(mark.usd_per_1000.value, mark.quality.value, poor_answer_usd)
            for key, mark in fixed.items()
        },
        _total(curve.usd_per_1000[at], curve.quality[at], poor_answer_usd),
    )


def _total(
    usd_per_1000: float | FloatArray, quality: float | FloatArray, poor_answer_usd: FloatArray
) -> FloatArray:
    missed = (1.0 - np.asarray(quality)) * PROMPTS_PER_FIGURE
    return np.asarray(usd_per_1000 + missed * poor_answer_usd, dtype=np.float64)
