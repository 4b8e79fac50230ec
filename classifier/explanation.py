"""Why a tier was chosen: exact contributions of every feature, in words.

The model is additive, so nothing is approximated: the contributions sum to the log-odds between the chosen
tier and the most probable other one.
"""

from dataclasses import dataclass
from itertools import islice
from math import fsum
from typing import Any

from classifier.contribution import Contribution, Feature, Part, Shift
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
        parts: every feature with what it contributes, the largest absolute value first.
        comparison: the policy's own comparison, in numbers.
    """

    decision: Decision
    against: Tier
    log_odds: float
    parts: tuple[Part, ...]
    comparison: str

    @property
    def contributions(self) -> tuple[Contribution, ...]:
        """Every feature's contribution, the largest absolute value first; they sum to `log_odds`."""
        return tuple(map(Contribution._make, self.parts))

    def reasons(self, count: int = 2) -> tuple[str, ...]:
        """Return the names of the strongest features that speak for the chosen tier, at most `count`."""
        speaking = (Contribution(f, v).name for f, v in self.parts if v > 0 and f is not _BASE)
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


def explain_decision(decision: Decision, against: Tier, parts: list[Part], comparison: str) -> Explanation:
    """Order the contributions to the log-odds of the chosen tier, and sum them.

    Args:
        decision: what was decided.
        against: the tier that it is explained against.
        parts: what each feature adds; a feature that stands in several turns comes several times.
        comparison: the policy's comparison.
    """
    ordered = sorted(_merged(parts), key=_size, reverse=True)
    return Explanation(decision, against, fsum([value for _, value in parts]), tuple(ordered), comparison)


def _merged(parts: list[Part]) -> list[Part]:
    """Sum the contributions of a feature that stands in several turns; in one prompt each stands alone."""
    if len(dict(parts)) == len(parts):
        return parts
    sums: dict[Feature, float] = {}
    for feature, value in parts:
        sums[feature] = sums.get(feature, 0.0) + value
    return list(sums.items())


def rival(decision: Decision) -> Tier:
    """Return the most probable tier other than the chosen one."""
    return max((tier for tier in TIERS if tier != decision.tier), key=decision.probabilities.__getitem__)


def base(log_odds: float) -> Part:
    """Return the part of what prompts need on average, whatever they say."""
    return _BASE, log_odds


def _size(part: Part) -> float:
    return abs(part[1])
