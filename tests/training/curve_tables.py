"""Small outcome tables whose curves can be worked out by hand, and one that is drawn with a seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from classifier import Decision, Policy, Prompt, RiskPolicy, Tier
from classifier.policies import risk
from training.outcome_table import OutcomeTable

CHEAP, BALANCED, PREMIUM = Tier
AT_MOST_HALF = RiskPolicy(0.5)
TWO, THREE = (CHEAP, PREMIUM), (CHEAP, BALANCED, PREMIUM)


def outcome_table(
    scores: ArrayLike,
    *,
    tiers: tuple[Tier, ...] | None = None,
    usd: ArrayLike | None = None,
    tokens: ArrayLike | None = None,
    prompts: Sequence[Prompt] | None = None,
) -> OutcomeTable:
    """A table of these scores; prompts are "0", "1", ... and the tiers as many as there are columns."""
    found = np.asarray(scores, dtype=np.float64)
    scored = tiers or (TWO if found.shape[1] == 2 else THREE)
    return OutcomeTable(
        scored,
        tuple(f"model of {tier}" for tier in scored),
        [str(place) for place in range(len(found))] if prompts is None else prompts,
        found,
        None if usd is None else np.broadcast_to(np.asarray(usd, dtype=np.float64), found.shape),
        None if tokens is None else np.broadcast_to(np.asarray(tokens, dtype=np.float64), found.shape),
        np.ones(len(found), dtype=np.int64),
        None,
        "digest of the table",
    )


@dataclass(frozen=True, slots=True)
class ByNumber:
    """A predictor that knows each prompt "0", "1", ... by its number.

    Attributes:
        probabilities: of each prompt, shape (n, 3).
        policy: what it routes by.
        known: share of known vocabulary of each prompt; 1 without it.
    """

    probabilities: Sequence[tuple[float, float, float]]
    policy: Policy = AT_MOST_HALF
    known: Sequence[float] | None = None
    version: str = "by number"

    def decide(self, prompt: Prompt) -> Decision:
        """Look the prompt up."""
        number = int(str(prompt))
        triple = self.probabilities[number]
        known = 1.0 if self.known is None else self.known[number]
        tier = self.policy.choose(triple, known)
        return Decision(tier, triple, risk(triple, tier), known, self.policy.describe(), self.version)


def sure(premium: Sequence[float]) -> list[tuple[float, float, float]]:
    """Probabilities of a model that never thinks of balanced."""
    return [(1 - each, 0.0, each) for each in premium]


def skilled(
    rows: int, *, skill: float = 2.0, tiers: tuple[Tier, ...] = THREE, seed: int = 0
) -> tuple[ByNumber, OutcomeTable]:
    """A model that knows something (nothing at a skill of 0), and outcomes of what it routes."""
    random = np.random.default_rng(seed)
    needed = random.integers(0, 3, size=rows)
    logits = random.normal(size=(rows, 3)) + skill * np.eye(3)[needed]
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    solved = (needed[:, None] <= np.asarray(tiers)) | (random.random((rows, len(tiers))) < 0.2)
    prices = np.asarray([0.001, 0.002, 0.010])[[int(tier) for tier in tiers]]
    usd = prices * random.uniform(0.5, 1.5, size=(rows, 1))
    model = ByNumber([(a, b, c) for a, b, c in shares.tolist()], RiskPolicy(0.3))
    return model, outcome_table(solved.astype(np.float64), tiers=tiers, usd=usd)
