"""A predictor whose premium is paced: what a router's core asks in place of the predictor itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

from classifier import Decision, Explanation, Policy, Prompt, Tier, TierPredictor
from classifier.policies import risk
from serving.spending.budget_terms import Unit
from serving.spending.call_size import size_of
from serving.spending.paced_policy import PacedPolicy
from serving.spending.pacing import Pacer

__all__ = ["PacedDecision", "PacedPredictor"]

_FIELDS = tuple(field.name for field in fields(Decision))

Spent = Callable[[], Mapping[Unit, int]]


@dataclass(frozen=True, slots=True)
class PacedDecision(Decision):
    """A decision for premium that was lowered by pacing.

    Attributes:
        threshold: the least P(premium needed) that premium was spent on at that moment.
    """

    threshold: float

    @classmethod
    def of(cls, decision: Decision, policy: PacedPolicy, tier: Tier) -> "PacedDecision":
        """Return a decision lowered to a tier."""
        changed = {
            "tier": tier,
            "risk": risk(decision.probabilities, tier),
            "policy": policy.describe(),
            "threshold": policy.threshold,
        }
        return cls(**{**{name: getattr(decision, name) for name in _FIELDS}, **changed})


class PacedPredictor:
    """Decides as its predictor does, but premium is rationed where the day's budget calls for it."""

    def __init__(
        self,
        predictor: TierPredictor,
        pacer: Pacer,
        *,
        clock: Callable[[], float],
        spent: Spent,
        by_size: bool = False,
    ) -> None:
        """Pace a predictor.

        Args:
            predictor: with its own policy, which pacing starts from.
            pacer: of the premium budgets.
            clock: seconds since the epoch.
            spent: what was settled today, by unit, as last seen; asked for every decision: it must not wait.
            by_size: whether a long prompt has to need premium more than a short one, because it costs more:
                the budget then serves more of the prompts that need premium, and fewer of the long ones.
        """
        self.predictor = predictor
        self._by_size = by_size
        self.pacer = pacer
        self._clock = clock
        self._spent = spent

    def decide(self, prompt: Prompt, /) -> Decision:
        """Return the tier for a prompt, at this moment's price; nothing is counted.

        Raises:
            PromptError: as the predictor.
        """
        decision = self.predictor.decide(prompt)
        if decision.tier is not Tier.PREMIUM:
            return decision
        policy = self._policy(prompt)
        if not isinstance(policy, PacedPolicy):
            return decision
        tier = policy.choose(decision.probabilities, decision.known_vocabulary)
        return decision if tier is decision.tier else PacedDecision.of(decision, policy, tier)

    def began(self, prompt: Prompt, decision: Decision | None, tier: Tier | None) -> None:
        """Count a request that is about to be sent; the demand is learnt from this.

        Call it once for every request whose caller may use premium, and for no other.

        Args:
            prompt: that is sent.
            decision: of `decide`, or None where the caller chose, or where the classifier failed.
            tier: that it goes to in the end, floors included; None for a model of no tier.
        """
        now, spent, size = self._clock(), self._spent(), self._size(prompt)
        if tier is Tier.PREMIUM and (decision is None or decision.tier is not Tier.PREMIUM):
            self.pacer.forced(now, spent, size)
        elif decision is not None and (decision.tier is Tier.PREMIUM or self.rationed(decision)):
            score = decision.probabilities[Tier.PREMIUM]
            self.pacer.wanted(now, spent, score, admitted=tier is Tier.PREMIUM, size=size)

    def explain(self, prompt: Prompt, /) -> Explanation:
        """Return why, at this moment's price; the rationing is the first reason where it lowered the tier.

        Raises:
            PromptError: as the predictor.
        """
        policy = self._policy(prompt)
        return self._explain(prompt, policy if isinstance(policy, PacedPolicy) else None)

    def explain_decision(self, prompt: Prompt, decision: Decision) -> Explanation:
        """Return why a decision of `decide` was made, at the price of its moment.

        Raises:
            PromptError: as the predictor.
        """
        policy = self.predictor.policy
        if isinstance(decision, PacedDecision):
            return self._explain(prompt, PacedPolicy(policy, decision.threshold))
        return self._explain(prompt, None)

    def _explain(self, prompt: Prompt, policy: PacedPolicy | None) -> Explanation:
        if policy is None:
            return self.predictor.explain(prompt)
        explained = self.predictor.with_policy(policy).explain(prompt)
        decision = explained.decision
        return _Rationed.of(explained, policy) if self.rationed(decision) else explained

    def rationed(self, decision: Decision) -> bool:
        """Return whether pacing lowered the tier of a decision."""
        wanted = self.predictor.policy.choose(decision.probabilities, decision.known_vocabulary)
        return decision.tier < wanted

    def rations(self, prompt: Prompt) -> bool:
        """Return whether premium is withheld from some prompts of this one's size at this moment."""
        return isinstance(self._policy(prompt), PacedPolicy)

    def _policy(self, prompt: Prompt) -> Policy:
        policy = self.predictor.policy
        return self.pacer.policy_for(self._clock(), self._spent(), policy, self._size(prompt))

    def _size(self, prompt: Prompt) -> float:
        return size_of(prompt) if self._by_size else 1.0


class _Rationed(Explanation):
    """An explanation whose first reason is the rationing."""

    __slots__ = ("_why",)
    _why: str

    @classmethod
    def of(cls, other: Explanation, policy: PacedPolicy) -> "_Rationed":
        """Return an explanation of a lowered decision with the rationing before its own reasons."""
        decision = PacedDecision.of(other.decision, policy, other.decision.tier)
        made = cls(decision, other.against, other.log_odds, other.parts, other.comparison)
        object.__setattr__(made, "_why", policy.reason(decision.probabilities))
        return made

    def reasons(self, count: int = 2) -> tuple[str, ...]:
        """Return the rationing, then the strongest features that speak for the chosen tier."""
        return (self._why, *Explanation.reasons(self, count - 1))[:count]
