"""What single features add to log-odds, and in which direction these are taken."""

from collections.abc import Mapping
from typing import NamedTuple

from classifier.statistic import COUNTS, STATISTICS, Statistic
from classifier.tier import Tier
from classifier.tokens import written_together

__all__ = ["Contrast", "Contribution", "Direction", "Feature", "Part", "Shift"]

_STATISTICS: Mapping[str, Statistic] = {statistic.name: statistic for statistic in (*STATISTICS, *COUNTS)}


class Contrast(NamedTuple):
    """Log-odds (natural logarithm) of balanced against cheap and of premium against cheap."""

    balanced: float
    premium: float


class Shift(NamedTuple):
    """A statistic away from its mean in the training data: above it, or below."""

    name: str
    is_large: bool

    @property
    def words(self) -> str:
        """The shift as people would say it."""
        statistic = _STATISTICS.get(self.name)
        if statistic is None:
            return self.name
        return statistic.large if self.is_large else statistic.small


Feature = str | tuple[str, str] | Shift
"""A token, a stem (ends in an ellipsis), a pair of neighbouring tokens, or a statistic away from its mean."""


Part = tuple[Feature, float]
"""A feature and what it adds to some log-odds: a contribution before anybody looks at it."""


class Contribution(NamedTuple):
    """What one feature adds to some log-odds.

    Attributes:
        feature: the feature as the model knows it.
        value: natural logarithm.
    """

    feature: Feature
    value: float

    @property
    def name(self) -> str:
        """The feature in words, such as "'prove that'" or "many symbols"."""
        return _worded(self.feature)


class Direction(NamedTuple):
    """Log-odds between two tiers, as so many times the balanced and so many times the premium contrast."""

    balanced: float
    premium: float

    @classmethod
    def between(cls, tier: Tier, other: Tier) -> "Direction":
        """Return the direction of ln P(tier) - ln P(other)."""
        return cls(
            float((tier == Tier.BALANCED) - (other == Tier.BALANCED)),
            float((tier == Tier.PREMIUM) - (other == Tier.PREMIUM)),
        )

    def times(self, factor: float) -> "Direction":
        """Return the direction, longer by a factor."""
        return Direction(self.balanced * factor, self.premium * factor)

    def along(self, contrast: Contrast) -> float:
        """Return a contrast's log-odds in this direction."""
        return self.balanced * contrast.balanced + self.premium * contrast.premium


def _worded(feature: Feature) -> str:
    if isinstance(feature, str):
        return f"'{feature}'"
    if isinstance(feature, Shift):
        return feature.words
    return f"'{('' if written_together(*feature) else ' ').join(feature)}'"
