"""Outcomes by prompt: repeated prompts become one, with the mean of their numbers."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Noise", "PromptGroups", "group_rows"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
HashArray = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class Noise:
    """How far the scores of one model for one and the same prompt lie apart.

    Attributes:
        by_tier: pooled standard deviation of each tier, shape (n_tiers,); NaN where nothing is repeated.
        overall: the same of all tiers together.
        prompts: how many prompts have several scores of some model.
    """

    by_tier: FloatArray
    overall: float
    prompts: int


@dataclass(frozen=True, slots=True, eq=False)
class PromptGroups:
    """Rows grouped by prompt, in the order in which the prompts first stand in the file.

    Attributes:
        hashes: 64 bits of each prompt's normalised text, shape (n_prompts,).
        first: the first row of each, as an index into the rows.
        numbers: means over a prompt's rows, shape (n_prompts, n_numbers); NaN where no row has one.
        counts: how many rows have one, the same shape.
        disagreeing: whether some model has different scores for the prompt, shape (n_prompts,).
        noise: None where every prompt was answered once.
    """

    hashes: HashArray
    first: IntArray
    numbers: FloatArray
    counts: IntArray
    disagreeing: npt.NDArray[np.bool_]
    noise: Noise | None

    def __len__(self) -> int:
        return len(self.first)

    def where(self, kept: npt.NDArray[np.bool_]) -> "PromptGroups":
        """Return the prompts where `kept`, of shape (n_prompts,), is true; the noise stays that of all."""
        return PromptGroups(
            self.hashes[kept],
            self.first[kept],
            self.numbers[kept],
            self.counts[kept],
            self.disagreeing[kept],
            self.noise,
        )


def group_rows(hashes: HashArray, numbers: FloatArray, n_scores: int) -> PromptGroups:
    """Group rows by prompt; two prompts are one when their hashes are.

    Two different prompts of a million share a 64-bit hash with a probability of 3e-8.

    Args:
        hashes: shape (n_rows,).
        numbers: shape (n_rows, n_numbers), scores first; NaN where there is none.
        n_scores: how many of the columns are scores.
    """
    _, first_by_hash, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    order = np.argsort(first_by_hash, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    group = place[inverse]
    first = first_by_hash[order]
    columns = [_means(group, numbers[:, column], len(first)) for column in range(numbers.shape[1])]
    means = np.stack([mean for mean, _ in columns], axis=1)
    counts = np.stack([count for _, count in columns], axis=1)
    disagreeing, noise = _noise(group, numbers[:, :n_scores], means[:, :n_scores], counts[:, :n_scores])
    return PromptGroups(hashes[first], first, means, counts, disagreeing, noise)


def _means(group: IntArray, values: FloatArray, n_groups: int) -> tuple[FloatArray, IntArray]:
    known = np.argsort(values, kind="stable")[: np.count_nonzero(~np.isnan(values))]  # NaN sorts last
    counts = np.bincount(group[known], minlength=n_groups)
    # Summed by size, not as the rows stand: their order must not reach even the last bit of a mean.
    sums = np.bincount(group[known], weights=values[known], minlength=n_groups)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan), counts


def _noise(
    group: IntArray, scores: FloatArray, means: FloatArray, counts: IntArray
) -> tuple[npt.NDArray[np.bool_], Noise | None]:
    deviations = np.nan_to_num(scores - means[group]) ** 2
    squares = [np.bincount(group, weights=column, minlength=len(means)) for column in deviations.T]
    disagreeing = np.stack(squares, axis=1).max(axis=1) > 1e-12  # what rounding leaves of equal scores
    degrees = np.maximum(counts - 1, 0).sum(axis=0)
    if not degrees.any():
        return disagreeing, None
    sums = np.array([column.sum() for column in squares])
    by_tier = np.sqrt(np.where(degrees > 0, sums / np.maximum(degrees, 1), np.nan))
    repeated = int((counts > 1).any(axis=1).sum())
    return disagreeing, Noise(by_tier, float(np.sqrt(sums.sum() / degrees.sum())), repeated)
