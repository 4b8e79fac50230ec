"""When a policy abstains, and what it would do if it did not."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from classifier import AbstainingPolicy, BoundedPolicy, Policy, Tier
from training.errors import EvaluationError
from training.routed_rows import BoolArray, FloatArray

__all__ = ["AbstentionRule", "abstaining_rows", "without_abstaining"]


@dataclass(frozen=True, slots=True)
class AbstentionRule:
    """Which prompts go to a safe tier, whatever a policy would choose.

    Attributes:
        safe_tier: Where they go.
        least_known: The share of known vocabulary below which a prompt goes there, in [0, 1].
        least_top: The highest probability below which it does, in [0, 1].

    Raises:
        EvaluationError: When no prompt could ever go there.
    """

    safe_tier: Tier = Tier.BALANCED
    least_known: float = 0.0
    least_top: float = 0.0

    def __post_init__(self) -> None:
        if self.least_known <= 0 and self.least_top <= 1 / len(Tier):
            raise EvaluationError(
                f"nothing is ever below {self.least_known:g} known vocabulary or a highest probability of "
                f"{self.least_top:g}: of three, the highest is at least 1/3; raise one of them"
            )

    def around(self, policy: Policy) -> AbstainingPolicy:
        """Return the policy with this abstention around it."""
        return AbstainingPolicy(policy, self.safe_tier, self.least_known, self.least_top)

    def abstains(self, probabilities: FloatArray, known_vocabulary: FloatArray) -> BoolArray:
        """Return which rows go to the safe tier, shape (n,), as `AbstainingPolicy.abstains` does.

        >>> rule = AbstentionRule(least_known=0.2)
        >>> rule.abstains(np.eye(3)[:2], np.array([0.1, 0.2])).tolist()
        [True, False]
        """
        flat = probabilities.max(axis=1) < self.least_top
        return np.asarray((known_vocabulary < self.least_known) | flat)


def abstaining_rows(policy: Policy, probabilities: FloatArray, known_vocabulary: FloatArray) -> BoolArray:
    """Return on which rows a policy abstains, wherever in it that is decided, shape (n,)."""
    parts = _abstaining_parts(policy)
    rows = zip(probabilities.tolist(), known_vocabulary.tolist(), strict=True)
    return np.array(
        [any(part.abstains(triple, known) for part in parts) for triple, known in rows], dtype=bool
    )


def _abstaining_parts(policy: Policy) -> tuple[AbstainingPolicy, ...]:
    if isinstance(policy, AbstainingPolicy):
        return (policy, *_abstaining_parts(policy.policy))
    return _abstaining_parts(policy.policy) if isinstance(policy, BoundedPolicy) else ()


def without_abstaining(policy: Policy) -> Policy | None:
    """Return the policy as it would be if it never abstained; None where it never does.

    >>> from classifier import RiskPolicy
    >>> without_abstaining(AbstainingPolicy(RiskPolicy(0.1), least_known=0.2))
    RiskPolicy(max_risk=0.1)
    """
    if isinstance(policy, AbstainingPolicy):
        return without_abstaining(policy.policy) or policy.policy
    if isinstance(policy, BoundedPolicy):
        inner = without_abstaining(policy.policy)
        return inner if inner is None else replace(policy, policy=inner)
    return None
