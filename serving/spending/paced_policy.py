"""A policy whose premium is rationed, because the day's budget does not reach for all that it wants."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from classifier import Policy, PolicyError, Tier

__all__ = ["PacedPolicy"]


@dataclass(frozen=True, slots=True)
class PacedPolicy:
    """Another policy's choice, but premium only for prompts that need it enough; others go to balanced.

    It never chooses a higher tier than the policy, and a lower one only in place of premium. A momentary
    value, made by a `Pacer`: no model file holds one.

    Attributes:
        policy: whose choice it is.
        threshold: the least P(premium needed) that premium is spent on; 0 withholds nothing. It may lie a
            hair above 1, which withholds everything.

    >>> from classifier import RiskPolicy
    >>> PacedPolicy(RiskPolicy(0.2), 0.6).choose((0.1, 0.4, 0.5))
    <Tier.BALANCED: 1>
    """

    policy: Policy
    threshold: float

    def __post_init__(self) -> None:
        if not self.threshold >= 0.0:
            raise PolicyError(f"threshold is {self.threshold}, but a probability lies in [0, 1]")

    def withholds(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> bool:
        """Return whether the policy wants premium for a prompt, and is not given it."""
        if probabilities[Tier.PREMIUM] >= self.threshold:
            return False
        return self.policy.choose(probabilities, known_vocabulary) is Tier.PREMIUM

    def choose(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> Tier:
        """Return the policy's choice, or balanced where premium is withheld."""
        chosen = self.policy.choose(probabilities, known_vocabulary)
        withheld = chosen is Tier.PREMIUM and probabilities[Tier.PREMIUM] < self.threshold
        return Tier.BALANCED if withheld else chosen

    def describe(self) -> str:
        """Return the rule in words."""
        least = f"premium from P(premium needed) {self.threshold:.3f} on"
        return f"{self.policy.describe()}; the day's premium budget is being rationed: {least}"

    def reason(self, probabilities: Sequence[float]) -> str:
        """Return why premium is withheld from a prompt."""
        needed = f"P(premium needed) {probabilities[Tier.PREMIUM]:.3f} < {self.threshold:.3f}"
        return f"the day's premium budget is being rationed: {needed}"

    def weigh(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> str:
        """Return the policy's comparison, and what was withheld and why."""
        inner = self.policy.weigh(probabilities, known_vocabulary)
        if not self.withholds(probabilities, known_vocabulary):
            return inner
        return f"{inner}; {self.reason(probabilities)}: {Tier.BALANCED}"

    def as_dict(self) -> dict[str, Any]:
        """Return the policy as a mapping, for logs: `policy_from_dict` does not read this kind."""
        return {"kind": "paced", "policy": self.policy.as_dict(), "threshold": self.threshold}
