"""What the model sees of a text: which n-grams stand in it and where, and its statistics.

Defined here once. `training` builds its scikit-learn transformers on these functions, so that the pipeline
which is fitted and the predictor that is shipped cannot drift apart.
"""

from typing import NamedTuple

from classifier.excerpt import ask_and_middle, both_ends
from classifier.prompt_statistics import measure
from classifier.tokens import Ngrams, ngrams, tokenise

__all__ = ["EXCERPT", "Excerpt", "TextFeatures", "text_features"]


class Excerpt(NamedTuple):
    """How much of a text is read, and how much what is read counts.

    Attributes:
        window: characters read from each end; what lies between is not looked at.
        ask: characters that the lines counted in full, at each end, hold at least.
        middle_weight: how much an n-gram counts that stands only between those lines, in (0, 1].
    """

    window: int
    ask: int
    middle_weight: float


EXCERPT = Excerpt(window=500, ask=40, middle_weight=0.3)
"""What models are trained with unless their settings say otherwise."""


class TextFeatures(NamedTuple):
    """The features of one text.

    Attributes:
        ask: the n-grams of the lines at both ends.
        middle: the n-grams that stand only between these; None where nothing does.
        statistics: shape (len(STATISTICS),), see `classifier.prompt_statistics`.
    """

    ask: Ngrams
    middle: Ngrams | None
    statistics: tuple[float, ...]


def text_features(text: str, excerpt: Excerpt) -> TextFeatures:
    """Return the features of a text of any length."""
    sample = both_ends(text, excerpt.window)
    ask, middle = ask_and_middle(sample, excerpt.ask)
    tokens = tokenise(ask)
    asked = ngrams(tokens)
    rest = ngrams(tokenise(middle)).without(asked) if middle else None
    return TextFeatures(asked, rest, measure(sample, len(tokens), len(asked.words)))
