"""Synthetic rows for the tests of evaluation: drawn by Hypothesis, or made with a seed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from classifier import Decision, Policy, Prompt, RiskPolicy
from classifier.policies import risk
from training.costs import sent_bytes
from training.evaluation import Evaluation, Subject, evaluate
from training.policy_choice import chosen_by_risk
from training.routed_rows import IntArray, RoutedRows

laws = settings(deadline=None, max_examples=50)  # two busy cores make any deadline a matter of luck

SHARES = st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0, 3.0])
AT_MOST_30_PERCENT = RiskPolicy(0.3)
TRIPLES = st.tuples(SHARES, SHARES, SHARES).filter(any)
TIER_NUMBERS = st.integers(0, 2)
WEIGHTS = st.sampled_from([0.2, 1.0, 2.5])


@st.composite
def routed_rows(draw: st.DrawFn, max_size: int = 25) -> RoutedRows:
    """Any rows at all; probabilities from a few values, so that ties and repeats are common."""
    drawn = draw(
        st.lists(st.tuples(TRIPLES, TIER_NUMBERS, TIER_NUMBERS, WEIGHTS), min_size=1, max_size=max_size)
    )
    triples, chosen, needed, weights = zip(*drawn, strict=True)
    shares = np.array(triples)
    return RoutedRows.of(
        shares / shares.sum(axis=1, keepdims=True), chosen, needed, weights, [100] * len(drawn)
    )


def noisy_rows(count: int = 400, *, skill: float = 2.0, seed: int = 0, max_risk: float = 0.3) -> RoutedRows:
    """Rows of a model that knows something: the needed tier has `skill` more log-odds than noise alone."""
    random = np.random.default_rng(seed)
    labels = np.random.default_rng(99)
    needed = labels.integers(3, size=count)
    scores = random.normal(size=(count, 3)) + skill * np.eye(3)[needed]
    likelihoods = np.exp(scores)
    probabilities = likelihoods / likelihoods.sum(axis=1, keepdims=True)
    chosen = chosen_by_risk(probabilities, max_risk)
    return RoutedRows.of(
        probabilities, chosen, needed, labels.uniform(0.5, 2, count), labels.uniform(10, 500, count)
    )


@dataclass(frozen=True, slots=True)
class LengthPredictor:
    """A predictor to which longer prompts are likelier to need more: never right by design, never random."""

    policy: Policy = AT_MOST_30_PERCENT
    version: str = "by length"

    def decide(self, prompt: Prompt) -> Decision:
        """Decide by probabilities that move from cheap to premium over 2,000 bytes."""
        full = min(sent_bytes(prompt), 2000) / 2000
        triple = (0.75 * (1 - full), 0.25, 0.75 * full)
        tier = self.policy.choose(triple)
        return Decision(tier, triple, risk(triple, tier), 1.0, self.policy.describe(), self.version)


def perfect_rows(needed: Sequence[int] | IntArray) -> RoutedRows:
    """Rows of a model that is always right and always certain."""
    return RoutedRows.of(np.eye(3)[np.asarray(needed)], needed, needed)


def evaluation_of(
    rows: RoutedRows,
    *,
    domains: Sequence[str] = ("coding", "law"),
    model: str = "a model",
    texts: Sequence[str] | None = None,
    policy: Policy | None = None,
) -> Evaluation:
    """Evaluate rows whose domains go round and round."""
    named = [domains[place % len(domains)] for place in range(len(rows))]
    return evaluate(
        rows,
        Subject(model, AT_MOST_30_PERCENT.describe(), "synthetic", AT_MOST_30_PERCENT.max_risk),
        texts=["what is this?"] * len(rows) if texts is None else texts,
        labels={"domain": named},
        policy=policy,
        resamples=200,
    )
