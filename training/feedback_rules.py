"""From what users did to the tier that a prompt needs, and how much to believe it.

Every sign answers one question: was tier t enough? So it is evidence for all tiers up to t, or for
all above it, never for one tier:

- thumb up at t: t was enough. Of a tier above cheap nobody knows whether a cheaper one would have
  done; at premium nothing is learnt at all, for what can be done premium does.
- thumb down at t: t was not enough. At premium it says that nobody could do it, not which tier is
  needed.
- escalated from t to e: t was not enough; a thumb at e is one at e. Beside a thumb down at t it
  adds nothing.
- retried at t: t was not enough, weakly: people regenerate for many reasons. Beside a thumb down
  or an escalation, which say the same more clearly, it adds nothing.
- silence: nothing, unless it is given odds; then weakly that t was enough.

Each sign has odds: how many times likelier it is where it is true than where it is not. Bayes'
rule multiplies the odds of all signs of all rows of a prompt, so that contradicting signs cancel
and repeated ones add up:

    P(needs k | signs)  is proportional to  prior_k  times  the odds of every sign true of k

The prior is what the router believed when it chose, its logged probabilities to the power of
`trust` (0: all tiers alike), because a log shows only what was chosen: a thumb up at balanced
comes from prompts of which the router thought that cheap would not do. The label is the likeliest
tier; among equally likely ones the least that was said to be enough, else the next above the one
that was not. Its weight is how far the likeliest tier lies above chance, at most `most`. Where
nothing was learnt there is no label.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import exp, log

from classifier import TIERS, Tier
from training.errors import SettingsError
from training.feedback_rows import FeedbackRow, Probabilities

__all__ = ["DEFAULT_RULES", "Evidence", "FeedbackLabel", "FeedbackRules", "Sign", "label_of", "signs_of"]

_UNIFORM: Probabilities = (1 / 3, 1 / 3, 1 / 3)
_LEAST_WEIGHT = 0.02
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class FeedbackRules:
    """How far each sign is believed.

    Attributes:
        up: Odds of a thumb up, at least 1.
        down: Odds of a thumb down.
        escalated: Odds of an escalation without a thumb down.
        retried: Odds of a retry.
        silence: Odds of silence; 1 says nothing.
        trust: Exponent of the logged probabilities in the prior, in [0, 1].
        most: The largest weight, above 0.
    """

    up: float = 9.0
    down: float = 9.0
    escalated: float = 4.0
    retried: float = 2.0
    silence: float = 1.0
    trust: float = 0.5
    most: float = 0.5

    def __post_init__(self) -> None:
        for name in ("up", "down", "escalated", "retried", "silence"):
            if not 1.0 <= getattr(self, name) <= 1e6:
                raise SettingsError(f"odds of {name} are {getattr(self, name)}: they lie in [1, 1000000]")
        if not 0.0 <= self.trust <= 1.0:
            raise SettingsError(f"trust is {self.trust}: it lies in [0, 1]")
        if not 0.0 < self.most <= 1e6:
            raise SettingsError(f"the largest weight is {self.most}: it is above 0")


DEFAULT_RULES = FeedbackRules()
"""Chosen among 108 settings on validation rows, by feedback of simulated users (`tests/training`).

There they added 2.0 points of accuracy to a model of 1,300 labelled prompts, among the best of many and so
flattered: on the test rows it was 0.3 points (six draws, 95 % interval -1.1 to +1.7) from 571 labels of 2,849
decisions, where the true tiers of the same prompts gave 1.7. Frank users are worth more: with three thumbs in
four, three in a hundred of them wrong, a model of 350 prompts gained 3 to 5 points on validation rows.
"""


@dataclass(frozen=True, slots=True)
class Sign:
    """One piece of evidence.

    Attributes:
        name: "thumb up", "thumb down", "escalated", "retried" or "silence".
        tier: The tier it is about.
        enough: Whether it says that the tier was enough.
        odds: How many times likelier it is where it is true.
    """

    name: str
    tier: Tier
    enough: bool
    odds: float

    @property
    def says_nothing(self) -> bool:
        """Whether it holds for all tiers alike: premium is enough for everything that can be done."""
        return self.tier is Tier.PREMIUM or self.odds == 1.0

    def holds_for(self, needed: Tier) -> bool:
        """Whether it is to be expected of a prompt that needs this tier."""
        return (needed <= self.tier) == self.enough


@dataclass(frozen=True, slots=True)
class FeedbackLabel:
    """What the signs of one prompt come to.

    Attributes:
        tier: The likeliest tier.
        weight: How much to believe it, above 0.
        probabilities: P(needs this tier | signs), in Tier order.
    """

    tier: Tier
    weight: float
    probabilities: Probabilities


class Evidence:
    """The signs of one prompt, added up as they come.

    Attributes:
        signs: How many signs there were that say something.
    """

    __slots__ = ("_enough", "_log_odds", "_priors", "_too_low", "signs")

    def __init__(self) -> None:
        self.signs = 0
        self._log_odds = [0.0, 0.0, 0.0]
        self._priors: list[Probabilities] = []
        self._enough: Tier | None = None
        self._too_low: Tier | None = None

    def add(self, signs: Iterable[Sign], prior: Probabilities | None) -> None:
        """Add the signs of one row, and what the router believed then."""
        for sign in signs:
            if sign.odds > 1.0:
                self._note(sign)
            if not sign.says_nothing:
                self.signs += 1
                for tier in TIERS:
                    self._log_odds[tier] += log(sign.odds) * sign.holds_for(tier)
        if prior is not None:
            self._priors.append(prior)

    @property
    def contradicts(self) -> bool:
        """Whether a tier was said to be enough that, or one above which, was said not to be."""
        return self._too_low is not None and self._enough is not None and self._enough <= self._too_low

    @property
    def nearest(self) -> Tier:
        """The tier to choose among equally likely ones: the least that was said to be enough, or the next."""
        if self._enough is not None:
            return self._enough
        return Tier(min(self._too_low + 1, Tier.PREMIUM)) if self._too_low is not None else Tier.BALANCED

    def _note(self, sign: Sign) -> None:
        if sign.enough:
            self._enough = sign.tier if self._enough is None else min(self._enough, sign.tier)
        else:
            self._too_low = sign.tier if self._too_low is None else max(self._too_low, sign.tier)

    def prior(self, trust: float) -> Probabilities:
        """Return the mean of what the router believed, to the power of `trust`; uniform where unknown."""
        if not self._priors:
            return _UNIFORM
        means = [sum(column) / len(self._priors) for column in zip(*self._priors, strict=True)]
        return _normalised([max(mean, 1e-6) ** trust for mean in means])

    def posterior(self, trust: float) -> Probabilities:
        """Return P(needs this tier | signs), in Tier order."""
        top = max(self._log_odds)
        likelihoods = [exp(value - top) for value in self._log_odds]
        return _normalised([p * q for p, q in zip(self.prior(trust), likelihoods, strict=True)])


def signs_of(row: FeedbackRow, rules: FeedbackRules) -> Iterator[Sign]:
    """Yield what one row says."""
    if row.thumb > 0:
        yield Sign("thumb up", row.tier, True, rules.up)
    elif row.thumb < 0:
        yield Sign("thumb down", row.tier, False, rules.down)
    if row.escalated_to is not None:
        if row.thumb >= 0:
            yield Sign("escalated", row.tier, False, rules.escalated)
        if row.escalated_thumb:
            up = row.escalated_thumb > 0
            yield Sign(
                "thumb up" if up else "thumb down", row.escalated_to, up, rules.up if up else rules.down
            )
    elif row.retried and row.thumb >= 0:
        yield Sign("retried", row.tier, False, rules.retried)
    if row.is_silent:
        yield Sign("silence", row.tier, True, rules.silence)


def label_of(evidence: Evidence, rules: FeedbackRules) -> FeedbackLabel | None:
    """Return the label that the signs come to; None where they say next to nothing."""
    if not evidence.signs:
        return None
    found = evidence.posterior(rules.trust)
    tier = max(TIERS, key=lambda each: found[each] + _ROUNDING * (each is evidence.nearest))
    weight = rules.most * settled(found)
    return FeedbackLabel(tier, weight, found) if weight >= _LEAST_WEIGHT else None


def settled(probabilities: Probabilities) -> float:
    """Return how far the likeliest tier is above chance, in [0, 1].

    >>> settled((1.0, 0.0, 0.0)), settled((1 / 3, 1 / 3, 1 / 3))
    (1.0, 0.0)
    """
    return max(0.0, (max(probabilities) - 1 / 3) * 1.5)


def _normalised(values: list[float]) -> Probabilities:
    total = sum(values)
    cheap, balanced, premium = (value / total for value in values)
    return cheap, balanced, premium
