"""A threshold for the semantic cache, chosen on pairs, and what it comes to on others.

The rule: among the calibration pairs, no look-alike that the guard lets pass, and no more than one in a
hundred asks about something else, may be as near as the threshold less a margin of 0.02; the least such
threshold gives the most hits.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from serving.cache.differences import difference
from serving.cache.indexed_ask import Vector
from serving.cache.pairs import Pair

__all__ = ["MARGIN", "Calibration", "Judged", "Rate", "calibrate", "judged", "upper_bound"]

MARGIN = 0.02  # cosine
_BLIND = 0.7  # chance that a same pair is nearer than a look-alike, below which similarity tells little
_LEAST = 0.01
_FEW_STRANGERS = 0.99


@dataclass(frozen=True, slots=True)
class Judged:
    """A pair as the cache sees it.

    Attributes:
        pair: of asks.
        similarity: cosine of their embeddings, in [-1, 1].
        refusal: the kind of difference that the guard sees, or empty where it lets them pass.
    """

    pair: Pair
    similarity: float
    refusal: str

    def hits(self, threshold: float, *, guarded: bool) -> bool:
        """Return whether one ask would get the other's answer; never in another conversation."""
        passes = not (guarded and self.refusal) and not self.pair.apart
        return passes and self.similarity >= threshold


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of some pairs were hits.

    Attributes:
        hits: of them.
        pairs: all.
    """

    hits: int
    pairs: int

    @property
    def share(self) -> float:
        """Fraction in [0, 1]; 0 of no pairs."""
        return self.hits / self.pairs if self.pairs else 0.0

    @property
    def at_most(self) -> float:
        """The exact one-sided 95 % bound of the true share."""
        return self.bound(0.05)

    def bound(self, doubt: float) -> float:
        """Return the exact upper bound of the true share; see `upper_bound`."""
        return upper_bound(self.hits, self.pairs, doubt)

    @classmethod
    def of(cls, pairs: Sequence[Judged], threshold: float, *, guarded: bool) -> "Rate":
        """Count the hits."""
        return cls(sum(each.hits(threshold, guarded=guarded) for each in pairs), len(pairs))


@dataclass(frozen=True, slots=True)
class Calibration:
    """A threshold and what it comes to.

    Attributes:
        threshold: the least cosine of a hit, above 0 and at most 1.
        separation: chance that a same pair of the calibration half is nearer than a look-alike of it; 0.5 is
            none, 1 perfect.
        hits: of held-out pairs that are the same, with the guard.
        false_hits: of held-out look-alikes, with the guard.
        unguarded_hits: the first without the guard.
        unguarded_false_hits: the second without the guard.
        guard_only: of held-out look-alikes, what the guard lets pass, however far they are.
        chosen_on: hits and false hits of the calibration half, with the guard.
        by_kind: false hits of held-out look-alikes by kind, with the guard and without.
        refusals: held-out look-alikes by the difference that the guard sees.
    """

    threshold: float
    separation: float
    hits: Rate
    false_hits: Rate
    unguarded_hits: Rate
    unguarded_false_hits: Rate
    guard_only: Rate
    chosen_on: tuple[Rate, Rate]
    by_kind: Mapping[str, tuple[Rate, Rate]]
    refusals: Mapping[str, int]

    @property
    def separates(self) -> bool:
        """Whether similarity tells the same from look-alikes at all."""
        return self.separation >= _BLIND

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {**asdict(self), "margin": MARGIN, "false_hits_at_most": self.false_hits.at_most}


def judged(pairs: Sequence[Pair], vector_of: Callable[[str], Vector]) -> list[Judged]:
    """Return how alike pairs are, and what the guard says."""
    return [_judged(pair, vector_of) for pair in pairs]


def calibrate(pairs: Sequence[Judged], vector_of: Callable[[str], Vector]) -> Calibration:
    """Choose a threshold on one half of pairs, and judge it on the other.

    Args:
        pairs: of both halves, each with pairs that are the same and pairs that are not.
        vector_of: the embedding of an ask.
    """
    chosen_on = [each for each in pairs if not each.pair.held_out]
    held_out = [each for each in pairs if each.pair.held_out]
    threshold = _threshold(chosen_on, vector_of)
    same, others = _split(held_out)
    kinds = sorted({each.pair.kind for each in others})
    refusals = sorted({each.refusal for each in others if each.refusal})
    return Calibration(
        threshold=threshold,
        separation=_separation(*_split([each for each in chosen_on if not each.pair.apart])),
        hits=Rate.of(same, threshold, guarded=True),
        false_hits=Rate.of(others, threshold, guarded=True),
        unguarded_hits=Rate.of(same, threshold, guarded=False),
        unguarded_false_hits=Rate.of(others, threshold, guarded=False),
        guard_only=Rate.of(others, -2.0, guarded=True),
        chosen_on=tuple(Rate.of(part, threshold, guarded=True) for part in _split(chosen_on)),  # type: ignore[arg-type]
        by_kind={
            kind: _both([each for each in others if each.pair.kind == kind], threshold) for kind in kinds
        },
        refusals={kind: sum(each.refusal == kind for each in others) for kind in refusals},
    )


def upper_bound(hits: int, pairs: int, doubt: float = 0.05) -> float:
    """Return the exact (Clopper-Pearson) one-sided upper bound of a share; 1 where there are no pairs.

    Args:
        hits: seen.
        pairs: looked at.
        doubt: chance that the true share is above it, at most.

    >>> round(upper_bound(0, 300), 4), round(upper_bound(1, 300), 4), upper_bound(0, 0)
    (0.0099, 0.0157, 1.0)
    """
    if hits >= pairs:
        return 1.0
    low, high = hits / pairs, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        likely = _chance_of_at_most(hits, pairs, middle) > doubt
        low, high = (middle, high) if likely else (low, middle)
    return high


def _chance_of_at_most(hits: int, pairs: int, share: float) -> float:
    if share >= 1:
        return 0.0
    logs = (
        math.lgamma(pairs + 1) - math.lgamma(k + 1) - math.lgamma(pairs - k + 1)
        + k * math.log(share or 1e-300) + (pairs - k) * math.log1p(-share)
        for k in range(hits + 1)
    )  # fmt: skip
    return math.fsum(map(math.exp, logs))


def _judged(pair: Pair, vector_of: Callable[[str], Vector]) -> Judged:
    found = difference(pair.first, pair.second)
    alike = _cosine(vector_of(pair.first), vector_of(pair.second))
    return Judged(pair, alike, "" if found is None else found.kind.value)


def _cosine(one: Vector, other: Vector) -> float:
    return math.fsum(x * y for x, y in zip(one, other, strict=True))


def _threshold(pairs: Sequence[Judged], vector_of: Callable[[str], Vector]) -> float:
    nearest = max(
        (each.similarity for each in _split(pairs)[1] if each.hits(-2.0, guarded=True)), default=0.0
    )
    strangers = sorted(_cosine(vector_of(one), vector_of(other)) for one, other in _strangers(pairs))
    near_stranger = strangers[int(_FEW_STRANGERS * len(strangers))] if strangers else 0.0
    return min(1.0, max(_LEAST, math.ceil((max(nearest, near_stranger) + MARGIN) * 1000) / 1000))


def _strangers(pairs: Sequence[Judged]) -> Iterator[tuple[str, str]]:
    """Yield asks about different things: each with those of some pairs further on."""
    for step in (1, 7, 31):
        for one, other in zip(pairs, [*pairs[step:], *pairs[:step]], strict=True):
            if one.pair.subject != other.pair.subject and one.pair.first != other.pair.first:
                yield one.pair.first, other.pair.first


def _split(pairs: Sequence[Judged]) -> tuple[list[Judged], list[Judged]]:
    """Return the pairs that are the same, and those that are not."""
    return [each for each in pairs if each.pair.same], [each for each in pairs if not each.pair.same]


def _both(pairs: Sequence[Judged], threshold: float) -> tuple[Rate, Rate]:
    return Rate.of(pairs, threshold, guarded=True), Rate.of(pairs, threshold, guarded=False)


def _separation(same: Sequence[Judged], others: Sequence[Judged]) -> float:
    nearer = sum(
        (one.similarity > other.similarity) + 0.5 * (one.similarity == other.similarity)
        for one in same
        for other in others
    )
    return nearer / (len(same) * len(others)) if same and others else 0.5
