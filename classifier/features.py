"""What the model sees of a text: which n-grams stand in it, and its statistics.

Defined here once. `training` builds its scikit-learn transformers on these functions, so that the pipeline
which is fitted and the predictor that is shipped cannot drift apart.
"""

from itertools import pairwise
from typing import NamedTuple

from classifier.prompt_statistics import measure
from classifier.tokens import both_ends, ngrams, stems_of, tokenise

__all__ = ["WINDOW", "TextFeatures", "list_ngrams", "list_statistics", "text_features"]

WINDOW = 800
"""Characters read from each end of a long text. Everything but the length comes from these."""


class TextFeatures(NamedTuple):
    """The features of one text.

    Dictionaries rather than sets, because their order, and so the order of floating-point sums over them, is
    the same in every process. Pairs stay tuples: hashing one costs a third of joining it.

    Attributes:
        words: the distinct tokens, by first sight.
        stems: the distinct beginnings of long tokens, by first sight.
        pairs: the distinct pairs of neighbouring tokens, by first sight.
        statistics: shape (len(STATISTICS),), see `classifier.prompt_statistics`.
    """

    words: dict[str, None]
    stems: dict[str, None]
    pairs: dict[tuple[str, str], None]
    statistics: tuple[float, ...]


def text_features(text: str, window: int = WINDOW) -> TextFeatures:
    """Return the features of a text of any length; reads `window` characters from each end."""
    sample = both_ends(text, window)
    tokens = tokenise(sample)
    words = dict.fromkeys(tokens)
    statistics = measure(sample, len(text), len(tokens), len(words))
    return TextFeatures(words, stems_of(words), dict.fromkeys(pairwise(tokens)), statistics)


def list_ngrams(text: str, window: int = WINDOW, longest: int = 2) -> list[str]:
    """Return the names of the n-grams that stand in the text, each once; `longest` as in `ngrams`."""
    return ngrams(tokenise(both_ends(text, window)), longest)


def list_statistics(text: str, window: int = WINDOW) -> tuple[float, ...]:
    """Return the text's statistics, in the order of `STATISTICS`."""
    return text_features(text, window).statistics
