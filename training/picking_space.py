"""A space in which prompts about the same things lie close together, and clusters in it."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer

from classifier.tokens import tokenise

__all__ = ["cluster", "text_space"]

SpaceArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

_DIMENSIONS: Final = 64
_BUCKETS: Final = 2**18
_CHUNK: Final = 4096
_SAMPLE: Final = 20_000
_FEW: Final = 10_000


def text_space(texts: Sequence[str], seed: int = 0) -> SpaceArray:
    """Return a point for each text: latent semantic analysis of its hashed tokens.

    Tokens count by whether they stand there and how rare they are; a truncated singular value decomposition,
    found on at most 20,000 of the texts, keeps 64 directions (Deerwester and others 1990). Memory is bounded
    by the sample and the points.

    Args:
        texts: Normalised texts, at least one.
        seed: Of the decomposition.

    Returns:
        Shape (n_texts, n_dimensions), at most 64; rows have length 1, or 0 where nothing is known of a text.
    """
    counter = _counter()
    step = -(-len(texts) // _SAMPLE)
    counts = counter.transform(texts[::step])
    used = np.unique(counts.indices)  # the others of a quarter of a million would cost memory for nothing
    counts = counts[:, used]
    wide = min(_DIMENSIONS, len(used) - 1, counts.shape[0] - 1)
    if wide < 1:
        return np.zeros((len(texts), 1), dtype=np.float32)
    weights = TfidfTransformer().fit(counts)
    sample = weights.transform(counts)
    decomposition = TruncatedSVD(wide, random_state=seed, n_iter=3).fit(sample)
    chunks = (weights.transform(chunk[:, used]) for chunk in _counted(counter, texts))
    return np.concatenate([_unit(decomposition.transform(chunk)) for chunk in chunks])


def cluster(points: SpaceArray, clusters: int, seed: int = 0) -> tuple[IntArray, SpaceArray]:
    """Return the cluster of each point and its squared distance to the centre, by k-means.

    Args:
        points: Shape (n_points, n_dimensions).
        clusters: From 1 to n_points.
        seed: Of the first centres.

    Returns:
        Two arrays of shape (n_points,).
    """
    if len(np.unique(points, axis=0)) <= clusters:
        _, own = np.unique(points, axis=0, return_inverse=True)
        return own.astype(np.int64), np.zeros(len(points), dtype=np.float32)
    if len(points) <= _FEW:
        means = KMeans(clusters, n_init=1, max_iter=20, random_state=seed)
    else:
        means = MiniBatchKMeans(clusters, n_init=1, batch_size=_CHUNK, max_iter=20, random_state=seed)
    labels = means.fit_predict(points).astype(np.int64)
    return labels, ((points - means.cluster_centers_[labels]) ** 2).sum(axis=1)


def _counter() -> HashingVectorizer:
    return HashingVectorizer(
        analyzer=tokenise,
        n_features=_BUCKETS,
        binary=True,
        norm=None,
        alternate_sign=False,
        dtype=np.float32,
    )


def _counted(counter: HashingVectorizer, texts: Sequence[str]) -> Iterator[sparse.csr_matrix]:
    return (counter.transform(texts[start : start + _CHUNK]) for start in range(0, len(texts), _CHUNK))


def _unit(points: SpaceArray) -> SpaceArray:
    lengths = np.linalg.norm(points, axis=1, keepdims=True)
    return (points / np.where(lengths > 0, lengths, 1.0)).astype(np.float32)
