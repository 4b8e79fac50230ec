"""Draws that depend on a seed and a prompt alone, so that a resumed run makes the same ones."""

import hashlib

from classifier import TIERS, Tier

__all__ = ["fence_of", "is_judged_twice", "order_of"]


def order_of(digest: str, seed: int, judging: int) -> tuple[Tier, ...]:
    """Return the order in which the judge sees the tiers' answers.

    Args:
        digest: of the prompt.
        seed: of the run.
        judging: 0 for the first judgement; 1 for the second, which has the first one's order reversed.

    >>> order_of("ab", 0, 0) == tuple(reversed(order_of("ab", 0, 1)))
    True
    """
    order = sorted(TIERS, key=lambda tier: _draw(f"order:{seed}:{digest}:{tier}"))
    return tuple(order if judging == 0 else reversed(order))


def is_judged_twice(digest: str, seed: int, share: float) -> bool:
    """Whether a prompt is among the share that is judged twice; a larger share holds every smaller one."""
    return _draw(f"twice:{seed}:{digest}") < share


def fence_of(digest: str, seed: int) -> str:
    """Return a mark for the fences around a prompt's texts, which no answer to it can know."""
    return hashlib.sha256(f"fence:{seed}:{digest}".encode()).hexdigest()[:12]


def _draw(text: str) -> float:
    """Return a number in [0, 1)."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6]) / 2**48
