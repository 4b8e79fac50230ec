"""Why a tier was chosen: exact contributions of every feature, in words.

The model is additive, so nothing is approximated: the contributions sum to the log-odds between the chosen
tier and the most probable other one.
"""

from dataclasses import dataclass
from itertools import islice
from math import fsum
from typing import Any

from classifier.contribution import Contribution, Feature, Shift
from classifier.decision import Decision
from classifier.tier import TIERS, Tier

__all__ = ["Explanation", "base", "explain_decision", "rival"]

_BASE = Shift("what prompts need on average", False)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why `decision` came out as it did.

    Attributes:
        decision: what was decided.
        against: the most probable tier other than the chosen one.
        log_odds: ln P(chosen) - ln P(against), the sum of all contributions.
        contributions: every feature, the largest absolute value first.
        comparison: the policy's own comparison, in numbers.
    """

    decision: Decision
    against: Tier
    log_odds: float
    contributions: tuple[Contribution, ...]
    comparison: str

    def reasons(self, count: int = 2) -> tuple[str, ...]:
        """Return the names of the strongest features that speak for the chosen tier, at most `count`."""
        speaking = (c.name for c in self.contributions if c.value > 0 and c.feature is not _BASE)
        return tuple(islice(speaking, count))

    def as_dict(self) -> dict[str, Any]:
        """Return the explanation for JSON."""
        return {
            **self.decision.as_dict(),
            "against": self.against.label,
            "log_odds": self.log_odds,
            "comparison": self.comparison,
            "contributions": [{"name": c.name, "value": c.value} for c in self.contributions],
        }


def explain_decision(
    decision: Decision, against: Tier, parts: list[Contribution], comparison: str
) -> Explanation:
    """Order the contributions to the log-odds of the chosen tier, and sum them.

    Args:
        decision: what was decided.
        against: the tier that it is explained against.
        parts: what each feature adds; a feature that stands in several turns comes several times.
        comparison: the policy's comparison.
    """
    sums: dict[Feature, float] = {}
    for feature, value in parts:
        sums[feature] = sums[feature] + value if feature in sums else value
    merged = parts if len(sums) == len(parts) else list(map(Contribution, sums.keys(), sums.values()))
    ordered = sorted(merged, key=_size, reverse=True)
    return Explanation(decision, against, fsum(sums.values()), tuple(ordered), comparison)


def rival(decision: Decision) -> Tier:
    """Return the most probable tier other than the chosen one."""
    return max((tier for tier in TIERS if tier != decision.tier), key=decision.probabilities.__getitem__)


def base(log_odds: float) -> Contribution:
    """Return the contribution of what prompts need on average, whatever they say."""
    return Contribution(_BASE, log_odds)


def _size(contribution: Contribution) -> float:
    return abs(contribution[1])
