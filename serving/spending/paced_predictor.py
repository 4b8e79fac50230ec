"""A predictor whose premium is paced: what a router's core asks in place of the predictor itself."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from classifier import Decision, Explanation, Policy, Prompt, Tier, TierPredictor
from classifier.policies import risk
from serving.spending.budget_terms import Unit
from serving.spending.call_size import size_of
from serving.spending.paced_policy import PacedPolicy
from serving.spending.pacing import Pacer

__all__ = ["PacedPredictor"]

Spent = Callable[[], Mapping[Unit, int]]


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
        tier = policy.choose(decision.probabilities, decision.known_vocabulary)
        if tier is decision.tier:
            return decision
        at_stake = risk(decision.probabilities, tier)
        return replace(decision, tier=tier, risk=at_stake, policy=policy.describe())

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
        explained = self.predictor.with_policy(policy).explain(prompt)
        decision = explained.decision
        if not isinstance(policy, PacedPolicy) or not self.rationed(decision):
            return explained
        return _Rationed.of(explained, policy.reason(decision.probabilities))

    def rationed(self, decision: Decision) -> bool:
        """Return whether pacing lowered the tier of a decision."""
        wanted = self.predictor.policy.choose(decision.probabilities, decision.known_vocabulary)
        return decision.tier < wanted

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
    def of(cls, other: Explanation, why: str) -> "_Rationed":
        """Return an explanation with this reason before its own."""
        made = cls(other.decision, other.against, other.log_odds, other.parts, other.comparison)
        object.__setattr__(made, "_why", why)
        return made

    def reasons(self, count: int = 2) -> tuple[str, ...]:
        """Return the rationing, then the strongest features that speak for the chosen tier."""
        return (self._why, *Explanation.reasons(self, count - 1))[:count]
