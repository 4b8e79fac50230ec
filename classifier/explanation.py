"""Why a tier was chosen: exact contributions of every feature, in words.

The model is additive, so nothing is approximated: the contributions sum to the log-odds between the chosen
tier and the most probable other one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from math import fsum
from typing import Any, NamedTuple

from classifier.conversation import COUNTS
from classifier.decision import Decision
from classifier.prompt_model import Contrast, Feature, Part, Shift
from classifier.prompt_statistics import STATISTICS, Statistic
from classifier.tier import TIERS, Tier

__all__ = ["Contribution", "Explanation", "explain_decision"]

_STATISTICS: Mapping[str, Statistic] = {statistic.name: statistic for statistic in (*STATISTICS, *COUNTS)}
_BASE = Shift("base", False)


class Contribution(NamedTuple):
    """What one feature adds to the log-odds.

    Attributes:
        feature: the feature as the model knows it.
        value: natural logarithm; positive speaks for the chosen tier, negative for the other.
    """

    feature: Feature
    value: float

    @property
    def name(self) -> str:
        """The feature in words, such as "'prove that'" or "many symbols"."""
        return _worded(self.feature)


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
    decision: Decision, intercept: Contrast, parts: list[Part], comparison: str
) -> Explanation:
    """Turn the parts of a contrast into contributions to the log-odds of the chosen tier.

    Args:
        decision: what was decided.
        intercept: contrast of a prompt with no features.
        parts: what each feature adds; a feature that stands in several turns comes several times.
        comparison: the policy's comparison.
    """
    against = max((t for t in TIERS if t != decision.tier), key=decision.probabilities.__getitem__)
    # ln P(chosen) - ln P(against) is the balanced contrast so many times, and the premium one so many times.
    balanced_times = (decision.tier == Tier.BALANCED) - (against == Tier.BALANCED)
    premium_times = (decision.tier == Tier.PREMIUM) - (against == Tier.PREMIUM)
    sums: dict[Feature, float] = {}
    for feature, balanced, premium in [(_BASE, *intercept), *parts]:
        value = balanced_times * balanced + premium_times * premium
        sums[feature] = sums[feature] + value if feature in sums else value
    ordered = sorted(map(Contribution, sums.keys(), sums.values()), key=_size, reverse=True)
    return Explanation(decision, against, fsum(sums.values()), tuple(ordered), comparison)


def _size(contribution: Contribution) -> float:
    return abs(contribution[1])


def _worded(feature: Feature) -> str:
    if feature is _BASE:
        return "what prompts need on average"
    if isinstance(feature, Shift):
        statistic = _STATISTICS[feature.name]
        return statistic.large if feature.is_large else statistic.small
    if isinstance(feature, str):
        return f"'{feature}'"
    return f"'{_joined(*feature)}'"


def _joined(first: str, second: str) -> str:
    spaced = first.isascii() or second.isascii()
    return f"{first} {second}" if spaced else f"{first}{second}"
