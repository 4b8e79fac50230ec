"""Policies turn probabilities into a tier.

The risk of a tier is the probability that the prompt needs a higher one. Policies are values: pure, frozen,
and storable in a model file as a mapping with a `kind`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Protocol

from classifier.errors import PolicyError
from classifier.tier import TIERS, Tier

__all__ = [
    "AbstainingPolicy",
    "BoundedPolicy",
    "ExpectedCostPolicy",
    "FixedPolicy",
    "Policy",
    "RiskPolicy",
    "policy_from_dict",
    "risk",
]


def risk(probabilities: Sequence[float], tier: Tier) -> float:
    """Return P(the needed tier is above `tier`), in [0, 1]; shape of `probabilities`: (3,), Tier order.

    >>> risk((0.5, 0.25, 0.25), Tier.CHEAP)
    0.5
    """
    return min(sum(probabilities[tier + 1 :]), 1.0)  # rounding can lift a sum of all of them above 1


class Policy(Protocol):
    """Chooses a tier from the probabilities of the three, and from how much of the prompt the model knows."""

    def choose(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> Tier:
        """Return the tier for a prompt.

        Args:
            probabilities: P(the prompt needs this tier), shape (3,), Tier order.
            known_vocabulary: share in [0, 1] of the prompt's distinct tokens that the model knows.
        """

    def describe(self) -> str:
        """Return the rule in a few human words."""

    def weigh(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> str:
        """Return the comparison that led to the choice, in numbers."""

    def as_dict(self) -> dict[str, Any]:
        """Return the policy as `policy_from_dict` reads it."""


@dataclass(frozen=True, slots=True)
class RiskPolicy:
    """The cheapest tier whose risk is at most `max_risk`.

    Lowering `max_risk` never makes the tier of any prompt cheaper: 0 sends everything with the least doubt to
    premium, 1 sends everything to cheap.

    Attributes:
        max_risk: a probability in [0, 1].

    >>> RiskPolicy(0.2).choose((0.7, 0.2, 0.1))
    <Tier.BALANCED: 1>
    """

    max_risk: float

    def __post_init__(self) -> None:
        _require(
            0.0 <= self.max_risk <= 1.0, f"max_risk is {self.max_risk}, but a probability lies in [0, 1]"
        )

    def choose(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> Tier:  # noqa: ARG002
        """Return the cheapest tier within the risk."""
        _, balanced, premium = probabilities
        if min(balanced + premium, 1.0) <= self.max_risk:  # as in `risk`
            return Tier.CHEAP
        return Tier.BALANCED if premium <= self.max_risk else Tier.PREMIUM

    def describe(self) -> str:
        """Return the rule in words."""
        return f"risk at most {self.max_risk:.3g}"

    def weigh(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> str:  # noqa: ARG002
        """Return the risks that were compared with `max_risk`."""
        chosen = self.choose(probabilities)
        refused = [f"{tier} {risk(probabilities, tier):.3f} > {self.max_risk:.3g}" for tier in TIERS[:chosen]]
        return ", ".join(["risk of " + text for text in refused] + [self._accepted(probabilities, chosen)])

    def _accepted(self, probabilities: Sequence[float], chosen: Tier) -> str:
        return f"risk of {chosen} {risk(probabilities, chosen):.3f} <= {self.max_risk:.3g}"

    def as_dict(self) -> dict[str, Any]:
        """Return the policy as a mapping."""
        return {"kind": "risk", "max_risk": self.max_risk}


@dataclass(frozen=True, slots=True)
class ExpectedCostPolicy:
    """The tier with the least expected cost: its price plus the risk of a poor answer times what that costs.

    Attributes:
        tier_usd: US dollars for one answer from each tier, shape (3,), Tier order.
        poor_answer_usd: US dollars that an answer from too low a tier costs.

    >>> ExpectedCostPolicy((0.001, 0.002, 0.01), poor_answer_usd=0.05).choose((0.2, 0.75, 0.05))
    <Tier.BALANCED: 1>
    """

    tier_usd: tuple[float, float, float]
    poor_answer_usd: float

    def __post_init__(self) -> None:
        amounts = (*self.tier_usd, self.poor_answer_usd)
        _require(len(self.tier_usd) == len(TIERS), f"tier_usd has {len(self.tier_usd)} prices: give three")
        _require(all(isfinite(usd) and usd >= 0 for usd in amounts), "a cost is negative or not a number")

    def choose(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> Tier:  # noqa: ARG002
        """Return the tier of least expected cost, the cheaper one on a tie."""
        return min(TIERS, key=lambda tier: self._expected_usd(probabilities, tier))

    def _expected_usd(self, probabilities: Sequence[float], tier: Tier) -> float:
        return self.tier_usd[tier] + risk(probabilities, tier) * self.poor_answer_usd

    def describe(self) -> str:
        """Return the rule in words."""
        return f"least expected cost, a poor answer costing ${self.poor_answer_usd:g}"

    def weigh(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> str:  # noqa: ARG002
        """Return the expected cost of each tier."""
        costs = (f"{tier} ${self._expected_usd(probabilities, tier):.3g}" for tier in TIERS)
        return "expected cost of " + ", ".join(costs)

    def as_dict(self) -> dict[str, Any]:
        """Return the policy as a mapping."""
        return {
            "kind": "expected_cost",
            "tier_usd": list(self.tier_usd),
            "poor_answer_usd": self.poor_answer_usd,
        }


@dataclass(frozen=True, slots=True)
class FixedPolicy:
    """Always the same tier."""

    tier: Tier

    def choose(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> Tier:  # noqa: ARG002
        """Return the tier."""
        return self.tier

    def describe(self) -> str:
        """Return the rule in words."""
        return f"always {self.tier}"

    def weigh(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> str:  # noqa: ARG002
        """Return the rule and the risk that it takes."""
        return f"always {self.tier}, at a risk of {risk(probabilities, self.tier):.3f}"

    def as_dict(self) -> dict[str, Any]:
        """Return the policy as a mapping."""
        return {"kind": "fixed", "tier": self.tier.label}


@dataclass(frozen=True, slots=True)
class BoundedPolicy:
    """Another policy's choice, kept between a floor and a ceiling.

    >>> BoundedPolicy(RiskPolicy(0.9), floor=Tier.BALANCED).choose((0.8, 0.1, 0.1))
    <Tier.BALANCED: 1>
    """

    policy: Policy
    floor: Tier = Tier.CHEAP
    ceiling: Tier = Tier.PREMIUM

    def __post_init__(self) -> None:
        _require(self.floor <= self.ceiling, f"the floor, {self.floor}, is above the ceiling, {self.ceiling}")

    def choose(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> Tier:
        """Return the inner choice, moved into the bounds."""
        return min(max(self.policy.choose(probabilities, known_vocabulary), self.floor), self.ceiling)

    def describe(self) -> str:
        """Return the rule in words."""
        return f"{self.policy.describe()}, between {self.floor} and {self.ceiling}"

    def weigh(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> str:
        """Return the inner comparison and the bounds."""
        inner = self.policy.weigh(probabilities, known_vocabulary)
        return f"{inner}; kept between {self.floor} and {self.ceiling}"

    def as_dict(self) -> dict[str, Any]:
        """Return the policy as a mapping."""
        bounds = {"floor": self.floor.label, "ceiling": self.ceiling.label}
        return {"kind": "bounded", "policy": self.policy.as_dict(), **bounds}


@dataclass(frozen=True, slots=True)
class AbstainingPolicy:
    """Another policy's choice where the model has grounds for one, else a safe tier.

    Grounds are lacking where the model knows too few of the prompt's words, or where no tier stands out.

    Attributes:
        policy: the policy where the model has grounds.
        safe_tier: the tier where it has none.
        least_known: the share in [0, 1] of known vocabulary below which it abstains; 0 never does.
        least_top: the highest probability below which it abstains, in [0, 1]; up to 1/3 never does.

    >>> AbstainingPolicy(RiskPolicy(0.5), Tier.PREMIUM, least_known=0.2).choose((0.9, 0.1, 0.0), 0.1)
    <Tier.PREMIUM: 2>
    """

    policy: Policy
    safe_tier: Tier = Tier.BALANCED
    least_known: float = 0.0
    least_top: float = 0.0

    def __post_init__(self) -> None:
        for name in ("least_known", "least_top"):
            value = getattr(self, name)
            _require(0.0 <= value <= 1.0, f"{name} is {value}, but a share or probability lies in [0, 1]")

    def abstains(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> bool:
        """Return whether the model lacks grounds for a choice."""
        return known_vocabulary < self.least_known or max(probabilities) < self.least_top

    def choose(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> Tier:
        """Return the safe tier, or the inner choice."""
        if self.abstains(probabilities, known_vocabulary):
            return self.safe_tier
        return self.policy.choose(probabilities, known_vocabulary)

    def describe(self) -> str:
        """Return the rule in words."""
        known = f"knows less than {self.least_known:.0%} of the words" if self.least_known else ""
        top = f"gives no tier {self.least_top:.0%}" if self.least_top else ""
        when = " or ".join(filter(None, [known, top]))
        return f"{self.policy.describe()}" + (f"; {self.safe_tier} where the model {when}" if when else "")

    def weigh(self, probabilities: Sequence[float], known_vocabulary: float = 1.0) -> str:
        """Return why the model abstained, or the inner comparison."""
        if known_vocabulary < self.least_known:
            return f"known vocabulary {known_vocabulary:.3f} < {self.least_known:.3g}: {self.safe_tier}"
        if max(probabilities) < self.least_top:
            return f"highest probability {max(probabilities):.3f} < {self.least_top:.3g}: {self.safe_tier}"
        return self.policy.weigh(probabilities, known_vocabulary)

    def as_dict(self) -> dict[str, Any]:
        """Return the policy as a mapping."""
        return {
            "kind": "abstaining",
            "policy": self.policy.as_dict(),
            "safe_tier": self.safe_tier.label,
            "least_known": self.least_known,
            "least_top": self.least_top,
        }


def policy_from_dict(mapping: Mapping[str, Any]) -> Policy:
    """Return the policy that `as_dict` wrote.

    Raises:
        PolicyError: if the kind is unknown, or a setting is missing or out of range.
    """
    try:
        build = _KINDS[mapping["kind"]]
    except (KeyError, TypeError) as error:
        raise PolicyError(
            f"unknown policy {mapping!r}: kind is one of {', '.join(sorted(_KINDS))}"
        ) from error
    try:
        return build(mapping)
    except (KeyError, TypeError, ValueError) as error:
        raise PolicyError(f"policy {mapping!r}: {error}") from error


def _bounded(mapping: Mapping[str, Any]) -> Policy:
    inner = policy_from_dict(mapping["policy"])
    return BoundedPolicy(inner, Tier.parse(mapping["floor"]), Tier.parse(mapping["ceiling"]))


def _abstaining(mapping: Mapping[str, Any]) -> Policy:
    inner = policy_from_dict(mapping["policy"])
    thresholds = float(mapping["least_known"]), float(mapping["least_top"])
    return AbstainingPolicy(inner, Tier.parse(mapping["safe_tier"]), *thresholds)


def _expected_cost(mapping: Mapping[str, Any]) -> Policy:
    cheap, balanced, premium = map(float, mapping["tier_usd"])
    return ExpectedCostPolicy((cheap, balanced, premium), float(mapping["poor_answer_usd"]))


_KINDS: Mapping[str, Callable[[Mapping[str, Any]], Policy]] = {
    "risk": lambda mapping: RiskPolicy(float(mapping["max_risk"])),
    "expected_cost": _expected_cost,
    "fixed": lambda mapping: FixedPolicy(Tier.parse(mapping["tier"])),
    "bounded": _bounded,
    "abstaining": _abstaining,
}


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise PolicyError(otherwise)
