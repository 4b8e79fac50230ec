"""What was decided for a prompt."""

from dataclasses import dataclass
from typing import Any

from classifier.tier import TIERS, Tier

__all__ = ["Decision"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The tier for a prompt, and what it was decided on.

    Attributes:
        tier: the tier that the policy chose.
        probabilities: P(the prompt needs this tier), shape (3,), Tier order; they sum to 1.
        risk: P(the prompt needs a tier above the chosen one), in [0, 1].
        known_vocabulary: share in [0, 1] of the last ask's distinct tokens that the model knows.
        policy: the policy's rule in words.
        model_version: the first twelve digits of the model file's digest.
    """

    tier: Tier
    probabilities: tuple[float, float, float]
    risk: float
    known_vocabulary: float
    policy: str
    model_version: str

    @property
    def most_probable(self) -> Tier:
        """The tier with the highest probability, the cheaper one on a tie, whatever the policy chose."""
        return max(TIERS, key=self.probabilities.__getitem__)

    def as_dict(self) -> dict[str, Any]:
        """Return the decision for JSON."""
        return {
            "tier": self.tier.label,
            "probabilities": {tier.label: self.probabilities[tier] for tier in TIERS},
            "risk": self.risk,
            "known_vocabulary": self.known_vocabulary,
            "policy": self.policy,
            "model_version": self.model_version,
        }
