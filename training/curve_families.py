"""Ways to route a table of outcomes: what each chooses for each prompt at each setting of its knob.

A family answers for a run of prompts at a time, so that a million prompts at a hundred settings are never in
memory together. Its choices are columns of the outcome table, not tiers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import numpy as np
import numpy.typing as npt

from training.baselines import LengthRule
from training.gap_recovered import decile_thresholds
from training.outcome_labels import label_outcomes
from training.outcome_table import OutcomeTable
from training.policy_choice import tier_risks

__all__ = [
    "SETTINGS",
    "Family",
    "decile_family",
    "expected_cost_family",
    "fixed_family",
    "length_family",
    "marked_family",
    "oracle_family",
    "risk_family",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Choices = Callable[[slice], IntArray]

SETTINGS = 101
"""How many settings a curve has at most: the quantiles of those at which any prompt's choice changes."""

PAST_A_TIE = 1 + 1e-9  # exactly at a tie the last bit of a sum would decide


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """A way to route, over its settings.

    Attributes:
        key: a stable name.
        settings: what the knob is set to, shape (n_settings,); for named points their places.
        columns: from a slice of the prompts to the columns chosen, shape (n_settings, n_prompts_of_slice).
    """

    key: str
    settings: FloatArray
    columns: Choices

    def __len__(self) -> int:
        return len(self.settings)


def risk_family(table: OutcomeTable, probabilities: FloatArray) -> Family:
    """Return the risk policy over `max_risk`, from 0 to 1.

    Args:
        table: the outcomes.
        probabilities: shape (n_prompts, 3), columns in Tier order.
    """
    risks = np.minimum(tier_risks(probabilities), 1.0)  # as `classifier.policies.risk`
    decisive = risks[:, [int(tier) for tier in table.tiers[:-1]]]
    settings = _quantiles(decisive, low=0.0, high=1.0)

    def columns(part: slice) -> IntArray:
        within = risks[part][None] <= settings[:, None, None]
        return table.columns_of(np.argmax(within, axis=-1))

    return Family("risk", settings, columns)


def expected_cost_family(table: OutcomeTable, probabilities: FloatArray, tier_usd: FloatArray) -> Family:
    """Return the expected-cost policy over the US dollars that a poor answer costs, from 0 on.

    Args:
        table: the outcomes.
        probabilities: shape (n_prompts, 3), columns in Tier order.
        tier_usd: US dollars for one answer from each tier, shape (3,), as `ExpectedCostPolicy` has them.
    """
    risks = tier_risks(probabilities)
    settings = _quantiles(_break_even_usd(risks, tier_usd), low=0.0) * PAST_A_TIE

    def columns(part: slice) -> IntArray:
        expected = tier_usd + settings[:, None, None] * risks[part][None]
        return table.columns_of(np.argmin(expected, axis=-1))

    return Family("expected_cost", settings, columns)


def length_family(table: OutcomeTable, characters: IntArray, rule: LengthRule) -> Family:
    """Return the length rule with both thresholds multiplied by a factor, from nothing to everything cheap.

    Args:
        table: the outcomes.
        characters: length of each prompt, shape (n_prompts,).
        rule: the rule at a factor of 1.
    """
    thresholds = np.maximum([rule.balanced_from, rule.premium_from], 1)
    _, first_tiers = np.unique(table.columns_of(np.arange(3)), return_index=True)
    decisive = first_tiers[1:] - 1  # with two tiers one of the thresholds moves nothing
    factors = characters[:, None] / thresholds
    last = float(factors[:, decisive].max())
    settings = _quantiles(factors[:, decisive], low=0.0, high=2 * last + 1)

    def columns(part: slice) -> IntArray:
        reached = factors[part][None] >= settings[:, None, None]
        return table.columns_of(reached.sum(axis=-1))

    return Family("length", settings, columns)


def oracle_family(table: OutcomeTable, usd: FloatArray) -> Family:
    """Return what nobody can beat: for each prompt the tier of the best score less its price.

    The knob is the quality that a dollar must buy. Its points are the corners of what the outcomes allow,
    known only afterwards.

    Args:
        table: the outcomes.
        usd: US dollars for one answer, shape (n_prompts, n_tiers).
    """
    gains = [
        _ratio(table.scores[:, better] - table.scores[:, worse], usd[:, better] - usd[:, worse])
        for better, worse in permutations(range(len(table.tiers)), 2)
    ]
    settings = _quantiles(np.stack(gains), low=0.0)[::-1] / PAST_A_TIE
    beyond = np.append(settings[:1] * 2 + 1, settings)

    def columns(part: slice) -> IntArray:
        worth = table.scores[part][None] - beyond[:, None, None] * usd[part][None]
        return np.asarray(np.argmax(worth, axis=-1), dtype=np.int64)

    return Family("oracle", beyond, columns)


def fixed_family(table: OutcomeTable) -> Family:
    """Return each scored tier for everything, in the order of the columns."""
    places = np.arange(len(table.tiers))

    def columns(part: slice) -> IntArray:
        return np.repeat(places[:, None], len(range(*part.indices(len(table)))), axis=1)

    return Family("fixed", places.astype(np.float64), columns)


def marked_family(table: OutcomeTable, chosen: tuple[IntArray, ...]) -> Family:
    """Return choices without a knob, each shape (n_prompts,), tiers 0 to 2; and last the oracle's.

    The oracle's is the cheapest tier among those of the best score.
    """
    best = label_outcomes(table.scores, table.tiers).tiers
    stacked = table.columns_of(np.stack([*chosen, best])).astype(np.int8)  # a million prompts, six choices
    return Family(
        "marked", np.arange(len(stacked), dtype=np.float64), lambda part: stacked[:, part].astype(np.int64)
    )


def decile_family(key: str, win_rate: FloatArray) -> Family:
    """Return RouteLLM's eleven points of a router between two tiers, fewest strong calls first.

    Args:
        key: a stable name.
        win_rate: how probably the dearer tier is needed, shape (n_prompts,); only its order counts.
    """
    thresholds = decile_thresholds(win_rate)

    def columns(part: slice) -> IntArray:
        rates = win_rate[part]
        calls = [rates > thresholds[:1, None], rates >= thresholds[1:, None]]
        return np.concatenate(calls).astype(np.int64)

    return Family(key, thresholds, columns)


def _break_even_usd(risks: FloatArray, tier_usd: FloatArray) -> FloatArray:
    """What a poor answer must cost for a prompt to go from one tier to a higher one, all pairs."""
    pairs = [(0, 1), (0, 2), (1, 2)]
    return np.stack(
        [_ratio(tier_usd[high] - tier_usd[low], risks[:, low] - risks[:, high]) for low, high in pairs]
    )


def _ratio(numerator: FloatArray | float, denominator: FloatArray) -> FloatArray:
    """A ratio where both are above 0; elsewhere NaN: no price makes that difference."""
    top, bottom = np.broadcast_arrays(np.asarray(numerator, dtype=np.float64), denominator)
    ratio = np.divide(top, bottom, out=np.full(bottom.shape, np.nan), where=(bottom > 0) & (top > 0))
    return np.asarray(ratio, dtype=np.float64)


def _quantiles(values: FloatArray, *, low: float, high: float | None = None) -> FloatArray:
    """The distinct values where they are few, else their quantiles; with `low`, and `high` or a bit more."""
    distinct = np.unique(values[np.isfinite(values)])
    if len(distinct) > SETTINGS - 2:
        pooled = values[np.isfinite(values)]
        distinct = np.unique(np.quantile(pooled, np.linspace(0.0, 1.0, SETTINGS - 2), method="higher"))
    end = (distinct[-1] * 1.001 if len(distinct) else 0.0) if high is None else high
    return np.unique(np.concatenate([[low], distinct, [end]]))
