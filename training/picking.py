"""Choose which prompts of a log to label, and tell how they compare with the log."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from training.errors import DataError, Place
from training.near_duplicates import stand_ins
from training.picking_pool import Candidate, Pool
from training.picking_space import SpaceArray, cluster, text_space
from training.picking_strategies import choose
from training.slices import LENGTH_NAMES, length_name

__all__ = ["Picked", "Share", "pick"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_BLOCK_SIZE: Final = 400
_MOST_BLOCKS: Final = 400


@dataclass(frozen=True, slots=True)
class Share:
    """How many distinct prompts of the log, and how many of the picked, have something in common."""

    name: str
    log: int
    picked: int

    def as_dict(self) -> dict[str, object]:
        """Return the counts under stable keys, ready for JSON."""
        return {"name": self.name, "log": self.log, "picked": self.picked}


@dataclass(frozen=True, slots=True)
class Picked:
    """What was chosen, and from what.

    Attributes:
        places: The rows of the log, in its order.
        asked: How many were asked for.
        strategy: How they were chosen.
        seed: Of everything random.
        model: Version of the current model.
        pool: The prompts of the log.
        near_duplicates: How many candidates were dropped because another says nearly the same.
        topics: In how many groups of like prompts the log falls.
        topics_picked: How many of them the picked prompts come from.
        uncertainty_log: Mean over the distinct prompts of 1 less the margin, in [0, 1].
        uncertainty_picked: The same of the picked.
        languages: Languages, or scripts, by falling count in the log.
        lengths: Buckets of length, rising.
    """

    places: tuple[Place, ...]
    asked: int
    strategy: str
    seed: int
    model: str
    pool: Pool
    near_duplicates: int
    topics: int
    topics_picked: int
    uncertainty_log: float
    uncertainty_picked: float
    languages: tuple[Share, ...]
    lengths: tuple[Share, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the choice under stable keys, ready for JSON."""
        return {
            "picked": len(self.places),
            "asked": self.asked,
            "strategy": self.strategy,
            "seed": self.seed,
            "model_version": self.model,
            "rows": self.pool.read,
            "repeats": self.pool.repeats,
            "near_duplicates": self.near_duplicates,
            "set_aside": dict(self.pool.set_aside),
            "not_drawn": self.pool.not_drawn,
            "distinct": len(self.pool.candidates) - self.near_duplicates,
            "topics": {"log": self.topics, "picked": self.topics_picked},
            "mean_uncertainty": {"log": self.uncertainty_log, "picked": self.uncertainty_picked},
            "languages": [share.as_dict() for share in self.languages],
            "lengths": [share.as_dict() for share in self.lengths],
        }


def pick(
    pool: Pool,
    n: int,
    *,
    strategy: str,
    seed: int = 0,
    model: str = "",
    step: Callable[[str], None] = lambda name: None,  # noqa: ARG005
) -> Picked:
    """Drop near-duplicates from the pool and choose `n` of what is left.

    Args:
        pool: The distinct prompts.
        n: How many to choose, at least 1; all where there are no more.
        strategy: One of `picking_strategies.STRATEGIES`.
        seed: Of the groups and of the choice.
        model: The version of the model that `pool` was judged by, for the report.
        step: Told of each step.

    Raises:
        DataError: The pool is empty.
    """
    if not pool.candidates:
        raise DataError(f"no prompt of the log can be picked: {_why_none(pool)}")
    with threadpool_limits(limits=1):
        step("grouping")
        excerpts = [candidate.excerpt for candidate in pool.candidates]
        points = text_space(excerpts, seed)
        topics = _topics(points, seed)
        step("dropping near-duplicates")
        kept = np.flatnonzero(stand_ins(excerpts, topics.tolist()) == np.arange(len(excerpts)))
        step("choosing")
        chosen = kept[_distinct_choice(excerpts, points, pool.uncertainty, kept, topics, n, strategy, seed)]
    return _told(pool, kept, chosen, topics, (n, strategy, seed, model))


def _topics(points: SpaceArray, seed: int) -> IntArray:
    wanted = min(_MOST_BLOCKS, max(1, len(points) // _BLOCK_SIZE))
    return np.zeros(len(points), dtype=np.int64) if wanted == 1 else cluster(points, wanted, seed)[0]


def _distinct_choice(
    excerpts: Sequence[str],
    points: SpaceArray,
    uncertainty: FloatArray,
    kept: IntArray,
    topics: IntArray,
    n: int,
    strategy: str,
    seed: int,
) -> IntArray:
    """Choose among the kept, once more if some of the chosen turn out to be alike across groups.

    Within a group they have been compared: among fewer texts the same sequences are rarer or more common, and
    another comparison would find others alike.
    """
    left = np.arange(len(kept))
    while True:
        chosen = left[choose(strategy, points[kept[left]], uncertainty[kept[left]], n, seed=seed)]
        follows = stand_ins([excerpts[row] for row in kept[chosen]], [0] * len(chosen))
        groups = topics[kept[chosen]]
        alike = chosen[groups != groups[follows]]
        if not len(alike):
            return chosen
        left = np.setdiff1d(left, alike)


def _told(
    pool: Pool, kept: IntArray, chosen: IntArray, topics: IntArray, asked: tuple[int, str, int, str]
) -> Picked:
    n, strategy, seed, model = asked
    log, picked = ([pool.candidates[row] for row in rows] for rows in (kept, chosen))
    uncertainty = pool.uncertainty
    return Picked(
        places=tuple(sorted((one.place for one in picked), key=lambda place: (place.file, place.row))),
        asked=n,
        strategy=strategy,
        seed=seed,
        model=model,
        pool=pool,
        near_duplicates=len(pool.candidates) - len(kept),
        topics=len(set(topics[kept].tolist())),
        topics_picked=len(set(topics[chosen].tolist())),
        uncertainty_log=float(uncertainty[kept].mean()),
        uncertainty_picked=float(uncertainty[chosen].mean()),
        languages=_shares(log, picked, lambda one: one.language),
        lengths=_by_length(_shares(log, picked, lambda one: length_name(one.characters))),
    )


def _shares(
    log: Sequence[Candidate], picked: Sequence[Candidate], name: Callable[[Candidate], str]
) -> tuple[Share, ...]:
    there, taken = Counter(map(name, log)), Counter(map(name, picked))
    ordered = sorted(there.items(), key=lambda entry: (-entry[1], entry[0]))
    return tuple(Share(key, count, taken[key]) for key, count in ordered)


def _by_length(shares: Sequence[Share]) -> tuple[Share, ...]:
    return tuple(sorted(shares, key=lambda share: LENGTH_NAMES.index(share.name)))


def _why_none(pool: Pool) -> str:
    if not pool.read:
        return "it holds none"
    return ", ".join(f"{count:,} {reason}" for reason, count in pool.set_aside.most_common())
