"""What else could have been done with the same prompts, in dollars and in under-routing.

Each rival is a table of chances, one row a prompt: how likely each tier is to be asked. A fixed tier or a
rule has one 1 in a row; a random mix has the same three shares in all of them, so its figures are exact
expectations and need no dice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from training.baselines import Baseline
from training.costs import PROMPTS_PER_FIGURE, CostModel
from training.metrics import RoutingRates
from training.routed_rows import TIER_NAMES, TIERS, FloatArray, IntArray, RoutedRows

__all__ = ["Rival", "rivals"]

Kind = Literal["model", "fixed", "random", "rule", "bound"]


@dataclass(frozen=True, slots=True)
class Rival:
    """One way to choose tiers, judged on the evaluated prompts.

    Attributes:
        key: Stable name in JSON.
        title: Name for people.
        kind: "model", "fixed" (one tier), "random", "rule" (a baseline) or "bound" (what nobody can beat).
        description: What it does, in words.
        shares: Weighted share of prompts that each tier gets, in Tier order, summing to 1.
        rates: Under-routing, over-routing and their kin.
        usd_per_1000: US dollars per 1,000 prompts.
    """

    key: str
    title: str
    kind: Kind
    description: str
    shares: tuple[float, float, float]
    rates: RoutingRates
    usd_per_1000: float

    def as_dict(self) -> dict[str, object]:
        """Return the rival under stable keys, ready for JSON."""
        return {
            "key": self.key,
            "kind": self.kind,
            "description": self.description,
            "shares": list(self.shares),
            **self.rates.as_dict(),
            "usd_per_1000_prompts": self.usd_per_1000,
        }


def rivals(
    rows: RoutedRows,
    texts: Sequence[str],
    baselines: Sequence[Baseline],
    cost_model: CostModel,
    *,
    not_abstaining: IntArray | None = None,
) -> tuple[Rival, ...]:
    """Return the model under both readings and everything that it is to be compared with.

    Args:
        rows: The evaluated prompts.
        texts: What a rule on text gets to see of each prompt, as many as there are rows.
        baselines: The rules.
        cost_model: Prices and assumed lengths.
        not_abstaining: What the policy would choose if it never abstained, shape (n,); None where it never
            does.
    """
    plans = [
        *_model_plans(rows, not_abstaining),
        *_fixed_plans(len(rows)),
        *_random_plans(rows),
        *_rule_plans(texts, baselines),
    ]
    plans.append(Plan("needed_tier", "perfect router", "bound", "the needed tier", _certain(rows.needed)))
    return tuple(_judged(rows, plan, cost_model) for plan in plans)


class Plan(NamedTuple):
    """A way to choose tiers, before it is judged; `chances` has shape (n, 3), rows sum to 1."""

    key: str
    title: str
    kind: Kind
    description: str
    chances: FloatArray


def _judged(rows: RoutedRows, plan: Plan, cost_model: CostModel) -> Rival:
    weighted = plan.chances * (rows.weights / rows.weights.sum())[:, None]
    table = np.stack([weighted[rows.needed == tier].sum(axis=0) for tier in range(TIERS)])
    cheap, balanced, premium = weighted.sum(axis=0)
    usd = float((weighted * cost_model.usd_by_tier(rows.needed, rows.input_tokens)).sum())
    return Rival(
        key=plan.key,
        title=plan.title,
        kind=plan.kind,
        description=plan.description,
        shares=(float(cheap), float(balanced), float(premium)),
        rates=RoutingRates.of_confusion(table),
        usd_per_1000=usd * PROMPTS_PER_FIGURE,
    )


def _model_plans(rows: RoutedRows, not_abstaining: IntArray | None) -> Iterator[Plan]:
    words = "what would be called and paid for"
    yield Plan("choice", "model, policy's choice", "model", words, _certain(rows.chosen))
    if not_abstaining is not None:
        words = "the policy as it would be if it never abstained"
        yield Plan("choice_not_abstaining", "model, not abstaining", "model", words, _certain(not_abstaining))
    words = "the model without its policy"
    yield Plan("most_probable", "model, most probable tier", "model", words, _certain(rows.most_probable))


def _fixed_plans(rows: int) -> Iterator[Plan]:
    for tier, name in enumerate(TIER_NAMES):
        fixed = np.full(rows, tier, dtype=np.int64)
        yield Plan(f"always_{name}", f"always {name}", "fixed", f"every prompt to {name}", _certain(fixed))


def _random_plans(rows: RoutedRows) -> Iterator[Plan]:
    shares = np.bincount(rows.chosen, rows.weights, TIERS) / rows.weights.sum()
    words = "the policy's own tier shares, dealt at random"
    yield Plan("random_mix", "random mix, same shares", "random", words, np.tile(shares, (len(rows), 1)))
    premium = _premium_share_for_same_under_routing(rows)
    if premium is not None:
        words = f"premium for {premium * 100:.0f} % of prompts at random, balanced for the rest"
        chances = np.tile([0.0, 1 - premium, premium], (len(rows), 1))
        yield Plan("random_premium", "random, same under-routing", "random", words, chances)


def _premium_share_for_same_under_routing(rows: RoutedRows) -> float | None:
    """Return the share that must go to premium blindly to under-route as little as the policy does.

    None when always-balanced under-routes no more than the policy as it is.
    """
    under = float(np.average(rows.chosen < rows.needed, weights=rows.weights))
    under_of_balanced = float(np.average(rows.needed == TIERS - 1, weights=rows.weights))
    return 1 - under / under_of_balanced if under_of_balanced > under else None


def _rule_plans(texts: Sequence[str], baselines: Sequence[Baseline]) -> Iterator[Plan]:
    for rule in baselines:
        yield Plan(
            rule.key, rule.key.replace("_", " "), "rule", rule.description, _certain(rule.choose(texts))
        )


def _certain(tiers: IntArray) -> FloatArray:
    return np.eye(TIERS)[tiers]
