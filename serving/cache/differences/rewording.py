"""Whether two asks say what they say in other words, or in the same ones but for some.

Asks that stand word by word beside each other and differ in one word differ on purpose: "renew" for "cancel".
Where most of the wording is another, a word that only one of them holds says less, and how near the asks
are is for the embedding to tell. The bounds below were chosen on the calibration half of the pairs.
"""

from collections.abc import Sequence
from difflib import SequenceMatcher

from serving.cache.differences.items import Item
from serving.cache.differences.kinds import Kind

__all__ = ["is_reworded"]

_MOST_ALIKE = 0.6  # share of both asks that stands in the same order, from which on they are the same wording
_LEAST_SHARED = 2  # items that both must hold
_LEAST_SHARE = 0.4  # of the smaller ask's items, which the other one must hold


def is_reworded(one: Sequence[Item], other: Sequence[Item]) -> bool:
    """Return whether two asks share what they are about and little of their wording."""
    keys = [[item.key for item in items if item.kind is not Kind.DIRECTION] for items in (one, other)]
    shared = set(keys[0]) & set(keys[1])
    smaller = min(len(set(keys[0])), len(set(keys[1])))
    if len(shared) < _LEAST_SHARED or len(shared) < _LEAST_SHARE * smaller:
        return False
    return SequenceMatcher(None, keys[0], keys[1], autojunk=False).ratio() < _MOST_ALIKE
