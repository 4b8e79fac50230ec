"""The rules that a learned model must beat, all behind one method: `choose(texts) -> tiers`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from classifier import Tier
from training.errors import EvaluationError
from training.routed_rows import TIER_NAMES, TIERS, FloatArray, IntArray

__all__ = ["Baseline", "KeywordRule", "LengthRule", "MajorityRule", "default_baselines", "fitted_baselines"]


class Baseline(Protocol):
    """A rule that picks a tier from a prompt's text alone."""

    @property
    def key(self) -> str:
        """A stable name for tables and JSON."""

    @property
    def description(self) -> str:
        """The whole rule in words."""

    def choose(self, texts: Sequence[str]) -> IntArray:
        """Return the tier of each text, shape (n,), values 0 to 2 in Tier order."""


@dataclass(frozen=True, slots=True)
class KeywordRule:
    """The mission's rule, read as hand-written routers read theirs: in this order, words found anywhere.

    >>> KeywordRule().choose(["Capital of Peru?", "Compare the two designs.", "Write a haiku."]).tolist()
    [0, 2, 1]
    """

    characters: int = 500
    premium_words: tuple[str, ...] = ("analyze", "compare", "reason")

    @property
    def key(self) -> str:
        """A stable name for tables and JSON."""
        return "keyword_rule"

    @property
    def description(self) -> str:
        """The whole rule in words."""
        words = "/".join(self.premium_words)
        return (
            f"under {self.characters} characters with a question mark: cheap; {words}: premium; else balanced"
        )

    def choose(self, texts: Sequence[str]) -> IntArray:
        """Return the tier of each text, shape (n,)."""
        return np.array([self._tier(text) for text in texts], dtype=np.int64)

    def _tier(self, text: str) -> int:
        if len(text) < self.characters and "?" in text:
            return Tier.CHEAP
        lowered = text.lower()
        return Tier.PREMIUM if any(word in lowered for word in self.premium_words) else Tier.BALANCED


@dataclass(frozen=True, slots=True)
class LengthRule:
    """Longer means dearer. The default thresholds are the tertiles of the single prompts in `data/`.

    Attributes:
        balanced_from: Characters from which a prompt goes to balanced.
        premium_from: Characters from which it goes to premium; not below `balanced_from`.

    Raises:
        EvaluationError: When the thresholds are out of order.
    """

    balanced_from: int = 115
    premium_from: int = 380

    def __post_init__(self) -> None:
        if not 0 <= self.balanced_from <= self.premium_from:
            raise EvaluationError(
                f"length thresholds are {self.balanced_from} and {self.premium_from} characters; "
                "expected both at least 0 and in rising order"
            )

    @classmethod
    def fit(cls, texts: Sequence[str]) -> LengthRule:
        """Return the rule that sends a third of these texts to each tier.

        Raises:
            EvaluationError: When there are no texts.
        """
        if not texts:
            raise EvaluationError("the length rule needs at least one text to take its thresholds from")
        low, high = np.quantile([len(text) for text in texts], [1 / 3, 2 / 3])
        return cls(round(float(low)), round(float(high)))

    @property
    def key(self) -> str:
        """A stable name for tables and JSON."""
        return "length_rule"

    @property
    def description(self) -> str:
        """The whole rule in words."""
        return (
            f"under {self.balanced_from} characters: cheap; from {self.premium_from}: premium; else balanced"
        )

    def choose(self, texts: Sequence[str]) -> IntArray:
        """Return the tier of each text, shape (n,)."""
        lengths = np.array([len(text) for text in texts], dtype=np.int64)
        thresholds = [self.balanced_from, self.premium_from]
        return np.asarray(np.searchsorted(thresholds, lengths, side="right"), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class MajorityRule:
    """One tier for everything: the one that most labels name. In `data/` that is cheap.

    Attributes:
        tier: 0 to 2 in Tier order.
    """

    tier: int = Tier.CHEAP

    @classmethod
    def fit(cls, needed: IntArray, weights: FloatArray) -> MajorityRule:
        """Return the rule for the tier of the largest summed weight, the cheaper one on a tie."""
        return cls(int(np.argmax(np.bincount(needed, weights, TIERS))))

    @property
    def key(self) -> str:
        """A stable name for tables and JSON."""
        return "majority"

    @property
    def description(self) -> str:
        """The whole rule in words."""
        return f"the most frequent label in training for everything: {TIER_NAMES[self.tier]}"

    def choose(self, texts: Sequence[str]) -> IntArray:
        """Return the tier of each text, shape (n,)."""
        return np.full(len(texts), self.tier, dtype=np.int64)


def default_baselines() -> tuple[Baseline, ...]:
    """Return the keyword, length and majority rules with the settings that `data/` gave them."""
    return (KeywordRule(), LengthRule(), MajorityRule())


def fitted_baselines(texts: Sequence[str], needed: IntArray, weights: FloatArray) -> tuple[Baseline, ...]:
    """Return the same rules with length and majority taken from training data, shapes (n,).

    Raises:
        EvaluationError: When there is no training data.
    """
    return (KeywordRule(), LengthRule.fit(texts), MajorityRule.fit(needed, weights))
