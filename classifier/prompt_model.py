"""TF-IDF and logistic regression over three tiers, folded into dictionaries.

With the n-gram weights w_jk of the regression, presence as term frequency and Euclidean normalisation, the
logit of tier k for a text that holds the n-grams J is

    b_k + sum_{j in J} idf_j w_jk / sqrt(sum_{j in J} idf_j^2) + sum_s c_sk (x_s - mean_s) / scale_s.

Probabilities depend on differences of logits alone, so everything is kept as a contrast against the cheap
tier, and each n-gram needs three numbers: idf^2 and idf times its two contrasts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, sqrt
from operator import mul
from typing import NamedTuple

from classifier.contribution import Contrast, Direction, Feature, Part, Shift
from classifier.features import Excerpt, TextFeatures, text_features
from classifier.tokens import ELLIPSIS, Ngrams

__all__ = ["PromptModel", "Row", "Score", "StatisticWeight", "shifts", "softmax"]

Row = tuple[float, float, float]


class Score(NamedTuple):
    """What the prompt model says of one text: the contrast, and the share of its tokens that it knows."""

    contrast: Contrast
    known_vocabulary: float


class StatisticWeight(NamedTuple):
    """How a standardised prompt statistic, (value - mean) / scale, moves the contrasts."""

    name: str
    mean: float
    scale: float
    balanced: float
    premium: float


def softmax(contrast: tuple[float, float]) -> tuple[float, float, float]:
    """Return the probabilities in Tier order; they sum to 1.

    >>> softmax((0.0, 0.0))[0] == 1 / 3
    True
    """
    balanced, premium = contrast
    top = max(0.0, balanced, premium)
    e_cheap, e_balanced, e_premium = exp(-top), exp(balanced - top), exp(premium - top)
    total = e_cheap + e_balanced + e_premium
    return e_cheap / total, e_balanced / total, e_premium / total


@dataclass(frozen=True, slots=True)
class PromptModel:
    """The compiled model of one text.

    Attributes:
        excerpt: how much of a text is read.
        intercept: contrasts of a text with average statistics and no known n-gram.
        statistics: one weight for each of `classifier.prompt_statistics.STATISTICS`, in that order.
        words: token -> (idf^2, idf * balanced contrast, idf * premium contrast).
        stems: the same for beginnings of long tokens.
        pairs: the same for pairs of neighbouring tokens.
    """

    excerpt: Excerpt
    intercept: Contrast
    statistics: tuple[StatisticWeight, ...]
    words: Mapping[str, Row]
    stems: Mapping[str, Row]
    pairs: Mapping[tuple[str, str], Row]
    _offset: Contrast = field(init=False, repr=False, compare=False)
    _slopes: tuple[tuple[float, ...], tuple[float, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Standardisation is folded once, so that scoring takes two dot products.
        slopes = (
            tuple(w.balanced / w.scale for w in self.statistics),
            tuple(w.premium / w.scale for w in self.statistics),
        )
        means = [w.mean for w in self.statistics]
        offset = (b - sum(map(mul, slope, means)) for b, slope in zip(self.intercept, slopes, strict=True))
        object.__setattr__(self, "_slopes", slopes)
        object.__setattr__(self, "_offset", Contrast(*offset))

    def features(self, text: str) -> TextFeatures:
        """Return what the model reads of a text of any length and content."""
        return text_features(text, self.excerpt)

    def score(self, features: TextFeatures) -> Score:
        """Return the contrasts of a text."""
        ask, middle, statistics = features
        for_balanced, for_premium = self._slopes
        balanced = self._offset[0] + sum(map(mul, for_balanced, statistics))
        premium = self._offset[1] + sum(map(mul, for_premium, statistics))
        rows, known = self._rows(ask)
        squares, to_balanced, to_premium = _sum(rows)
        if middle:
            weight = self.excerpt.middle_weight
            more_squares, more_balanced, more_premium = _sum(self._rows(middle)[0])
            squares += weight * weight * more_squares
            to_balanced += weight * more_balanced
            to_premium += weight * more_premium
        norm = sqrt(squares) or 1.0
        contrast = Contrast(balanced + to_balanced / norm, premium + to_premium / norm)
        return Score(contrast, known / (len(ask.words) or 1))

    def contributions(self, features: TextFeatures, direction: Direction) -> list[Part]:
        """Return what each feature of a text adds to the log-odds in a direction.

        Together with `direction.along(intercept)` they sum to `direction.along(contrast)` of its score.
        """
        ask, middle, statistics = features
        rows = self._named_rows(ask)
        weight = self.excerpt.middle_weight
        more = self._named_rows(middle) if middle else []
        norm = (
            sqrt(sum([row[0] for _, row in rows]) + weight * weight * sum([row[0] for _, row in more])) or 1.0
        )
        found = _contributions(rows, direction.times(1.0 / norm))
        found += _contributions(more, direction.times(weight / norm))
        return found + shifts(self.statistics, statistics, direction)

    def _rows(self, found: Ngrams) -> tuple[list[Row], int]:
        """The rows of the n-grams that the model knows, and how many tokens are among them."""
        rows = list(filter(None, map(self.words.get, found.words)))
        known = len(rows)
        rows += filter(None, map(self.stems.get, found.stems))
        rows += filter(None, map(self.pairs.get, found.pairs))
        return rows, known

    def _named_rows(self, found: Ngrams) -> list[tuple[Feature, Row]]:
        rows: list[tuple[Feature, Row]] = [
            (word, self.words[word]) for word in found.words if word in self.words
        ]
        rows += [(stem + ELLIPSIS, self.stems[stem]) for stem in found.stems if stem in self.stems]
        rows += [(pair, self.pairs[pair]) for pair in found.pairs if pair in self.pairs]
        return rows


def _contributions(rows: list[tuple[Feature, Row]], direction: Direction) -> list[Part]:
    balanced, premium = direction
    return [(name, balanced * row[1] + premium * row[2]) for name, row in rows]


def _sum(rows: list[Row]) -> Row:
    if not rows:
        return 0.0, 0.0, 0.0
    squares, balanced, premium = zip(*rows, strict=False)  # rows are triples; checking it costs a microsecond
    return sum(squares), sum(balanced), sum(premium)


def shifts(weights: Sequence[StatisticWeight], values: Sequence[float], direction: Direction) -> list[Part]:
    """Return what each statistic or count adds to the log-odds in a direction."""
    balanced, premium = direction
    return [
        (Shift(name, amount > 0), amount * (balanced * to_balanced + premium * to_premium))
        for (name, mean, scale, to_balanced, to_premium), value in zip(weights, values, strict=True)
        for amount in [(value - mean) / scale]
    ]
