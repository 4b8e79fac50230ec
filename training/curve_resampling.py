"""Mean quality and dollars of hundreds of ways to route, on all prompts and on bootstrap draws of them.

Prompts come in blocks, so that nothing of the size prompts x settings is ever whole in memory. Within a block
neighbouring settings of a knob differ on few prompts: those differences are summed, as a sparse matrix.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from training.costs import PROMPTS_PER_FIGURE
from training.curve_families import Family
from training.errors import EvaluationError
from training.resampling import Estimate, percentile_interval

__all__ = ["Sums", "estimate_of", "sum_families"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_BLOCK = 4096
Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """One family's means at each setting; the first row is of all prompts, the others of bootstrap draws.

    Attributes:
        settings: of the knob, shape (n_settings,).
        quality: mean score of the chosen tiers' answers, shape (1 + resamples, n_settings), in [0, 1].
        usd: US dollars per 1,000 prompts, likewise.
        dearest: share of prompts that go to the dearest tier, likewise, in [0, 1].
        shares: share of prompts that go to each column, on all prompts, shape (n_settings, n_tiers).
    """

    settings: FloatArray
    quality: FloatArray
    usd: FloatArray
    dearest: FloatArray
    shares: FloatArray


def estimate_of(values: FloatArray) -> Estimate:
    """Return a figure and its interval from its values on all prompts and each draw, shape (1 + draws,)."""
    return Estimate(float(values[0]), *percentile_interval(values[1:]))


def sum_families(
    families: Sequence[Family],
    scores: FloatArray,
    usd: FloatArray,
    *,
    resamples: int,
    seed: int,
    progress: Progress | None = None,
) -> Mapping[str, Sums]:
    """Return the means of every family, by its key, over the same draws: their differences are paired.

    Args:
        families: the ways to route.
        scores: shape (n_prompts, n_tiers).
        usd: US dollars for one answer, likewise.
        resamples: bootstrap draws of the prompts, at least 1; each takes n with replacement.
        seed: same seed, same draws.
        progress: called with the number of prompts done, block by block.

    Raises:
        EvaluationError: when there is not even one draw.
    """
    if resamples < 1:
        raise EvaluationError(f"{resamples} resamples; expected at least 1")
    plans, tiers = sum(map(len, families)), scores.shape[1]
    summed = np.zeros((3, plans, 1 + resamples))
    shares = np.zeros((plans, tiers))
    for part, counts in _blocks(len(scores), resamples, seed):
        columns = np.concatenate([family.columns(part) for family in families])
        for place, values in enumerate((scores[part], usd[part], np.eye(tiers)[-1:])):
            summed[place] += _differences(columns, values) @ counts
        shares += np.stack([(columns == tier).sum(axis=1) for tier in range(tiers)], axis=1)
        if progress is not None:
            progress(part.stop - part.start)
    means = np.cumsum(summed, axis=1).transpose(0, 2, 1) / len(scores)
    means[1] *= PROMPTS_PER_FIGURE
    return dict(_split(families, means, shares / len(scores)))


def _split(families: Sequence[Family], means: FloatArray, shares: FloatArray) -> Iterator[tuple[str, Sums]]:
    start = 0
    for family in families:
        end = start + len(family)
        quality, usd, dearest = means[:, :, start:end]
        yield family.key, Sums(family.settings, quality, usd, dearest, shares[start:end])
        start = end


def _differences(columns: IntArray, values: FloatArray) -> csr_array:
    """What each plan adds to the plan before it, prompt by prompt, shape (n_plans, n_prompts).

    Args:
        columns: the choices, shape (n_plans, n_prompts).
        values: of each column, shape (n_prompts, n_tiers), or (1, n_tiers) where all prompts share them.
    """
    found = np.broadcast_to(values, (columns.shape[1], values.shape[1]))[np.arange(columns.shape[1]), columns]
    return csr_array(np.diff(found, axis=0, prepend=0.0))


def _blocks(rows: int, resamples: int, seed: int) -> Iterator[tuple[slice, FloatArray]]:
    """Runs of prompts, and how often each is drawn, shape (n_prompts_of_block, 1 + resamples).

    The first column is all ones. How many of a draw's prompts fall into a block is multinomial; which they
    are is uniform within it.
    """
    random = np.random.default_rng(seed)
    starts = range(0, rows, _BLOCK)
    sizes = np.array([min(_BLOCK, rows - start) for start in starts])
    shares = random.multinomial(rows, sizes / rows, size=resamples)
    for start, size, drawn in zip(starts, sizes.tolist(), shares.T, strict=True):
        counts = np.ones((size, 1 + resamples))
        counts[:, 1:] = _draw_counts(random, size, drawn).T
        yield slice(start, start + size), counts


def _draw_counts(random: np.random.Generator, rows: int, drawn: IntArray) -> FloatArray:
    """How often each of the rows is drawn, shape (n_draws, rows), when a draw takes that many of them."""
    picks = np.repeat(np.arange(len(drawn)) * rows, drawn) + random.integers(rows, size=drawn.sum())
    return np.bincount(picks, minlength=len(drawn) * rows).reshape(len(drawn), rows).astype(np.float64)
