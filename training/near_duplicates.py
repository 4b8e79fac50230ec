"""Rows that say nearly the same, found by the rare letter sequences that they share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy
import numpy.typing
from scipy import sparse
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

__all__ = ["NEAR", "Likeness", "find_near_duplicates", "stand_ins"]

IntArray = numpy.typing.NDArray[numpy.int64]

NEAR: Final = 0.5
"""From here on two texts count as nearly the same.

Chosen by looking: in the project's data the pairs from 0.5 to 0.6 ("normal adult resp rate?" and "normal
adult resting heart rate??") share most of their words, those below 0.45 mostly just their subject. With one
letter changed, nearly all prompts of 30 characters and more stay above it, with one word changed nearly all
of 60 and more. Leaving out too many costs training a few rows, leaving in too many would flatter the figures:
it lies on the low side.
"""

_LETTERS: Final = 5
_BUCKETS: Final = 2**21
_BLOCK: Final = 512
_IDF_SAMPLE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Likeness:
    """Two texts that say nearly the same.

    Attributes:
        row: Index of the one.
        other: Index of the most similar text among the others.
        similarity: Cosine of their weighted sets of letter sequences, in [0, 1].
    """

    row: int
    other: int
    similarity: float


def find_near_duplicates(
    texts: Sequence[str], others: Sequence[str], threshold: float = NEAR
) -> list[Likeness]:
    """Return the texts that are nearly the same as one of the others, each with its most similar one.

    Every text is the set of its sequences of five characters, each weighted by how rare it is (inverse
    document frequency over both lists, scikit-learn's formula); the similarity is the cosine. Shorter texts
    resemble nothing. Memory is bounded by the vectors (about 8 bytes a character, twice) and one block of
    products; time grows with the product of both counts, seconds for thousands of texts and minutes for a
    hundred thousand.

    Args:
        texts: Normalised texts (`normal_text`).
        others: The texts that they are compared with.
        threshold: The least similarity, in (0, 1].

    Returns:
        In the order of `texts`.
    """
    if not texts or not others:
        return []
    vectors = _vectors([*texts, *others])
    rows, columns = vectors[: len(texts)], vectors[len(texts) :].T.tocsr()
    return [
        likeness
        for start in range(0, len(texts), _BLOCK)
        for likeness in _likenesses(rows[start : start + _BLOCK] @ columns, start, threshold)
    ]


def stand_ins(texts: Sequence[str], blocks: Sequence[int], threshold: float = NEAR) -> IntArray:
    """Return for each text the one that can stand for it: itself, or one before it that is nearly the same.

    Only texts of the same block are compared, by the similarity of `find_near_duplicates`: near-duplicates
    that fell into different blocks go unnoticed. Within a block a text is compared with those before it that
    stand for themselves, so that one template with ten thousand fillings costs ten thousand comparisons.
    Memory is bounded by the vectors of the largest block.

    Args:
        texts: Normalised texts (`normal_text`).
        blocks: The block of each text, from 0: texts that may be alike share one, shape (n_texts,).
        threshold: The least similarity, in (0, 1].

    Returns:
        Indices of texts, shape (n_texts,); none is above its own place.

    >>> alike = ["how tall is the eiffel tower?", "how do i boil an egg?", "how tall is the eiffel tower ?"]
    >>> stand_ins(alike, [0, 0, 0]).tolist()
    [0, 1, 0]
    """
    found = numpy.arange(len(texts))
    if len(texts) < 2:
        return found
    step = -(-len(texts) // _IDF_SAMPLE)
    weights = TfidfTransformer().fit(_counter().transform(texts[::step]))
    by_block = numpy.argsort(blocks, kind="stable")
    for rows in numpy.split(by_block, numpy.flatnonzero(numpy.diff(numpy.asarray(blocks)[by_block])) + 1):
        vectors = weights.transform(_counter().transform([texts[row] for row in rows]))
        found[rows] = rows[_leaders(vectors, threshold)]
    return found


def _leaders(vectors: sparse.csr_matrix, threshold: float) -> IntArray:
    """The row that each row follows: itself, or an earlier one that follows itself."""
    follows = numpy.arange(vectors.shape[0])
    leading = numpy.empty(0, dtype=numpy.int64)
    for start in range(0, vectors.shape[0], _BLOCK):
        rows = numpy.arange(start, min(start + _BLOCK, vectors.shape[0]))
        if len(leading):
            products = vectors[rows] @ vectors[leading].T.tocsr()
            for likeness in _likenesses(products, start, threshold):
                follows[likeness.row] = leading[likeness.other]
        free = rows[follows[rows] == rows]
        _lead_each_other(vectors[free], free, follows, threshold)
        leading = numpy.concatenate([leading, free[follows[free] == free]])
    return follows


def _lead_each_other(vectors: sparse.csr_matrix, rows: IntArray, follows: IntArray, threshold: float) -> None:
    """Let each of these rows, in order, be followed by the later ones that are near it."""
    near = sparse.triu(vectors @ vectors.T, k=1, format="csr")
    near = near.multiply(near >= threshold).tocsr()
    for place in numpy.unique(near.nonzero()[0]):
        if follows[rows[place]] == rows[place]:
            later = rows[near[place].indices]
            follows[later[follows[later] == later]] = rows[place]


def _likenesses(products: sparse.csr_matrix, start: int, threshold: float) -> Iterator[Likeness]:
    hits = numpy.flatnonzero(products.data >= threshold)
    rows = numpy.searchsorted(products.indptr, hits, side="right") - 1
    best_first = numpy.lexsort((products.indices[hits], -products.data[hits], rows))
    found, firsts = numpy.unique(rows[best_first], return_index=True)
    for row, hit in zip(found, hits[best_first][firsts], strict=True):
        similarity = min(1.0, float(products.data[hit]))
        yield Likeness(start + int(row), int(products.indices[hit]), similarity)


def _vectors(texts: Sequence[str]) -> sparse.csr_matrix:
    return TfidfTransformer().fit_transform(_counter().transform(texts))


def _counter() -> HashingVectorizer:
    return HashingVectorizer(
        analyzer="char",
        ngram_range=(_LETTERS, _LETTERS),
        n_features=_BUCKETS,
        binary=True,
        norm=None,
        alternate_sign=False,
        lowercase=False,
        dtype=numpy.float32,
    )
