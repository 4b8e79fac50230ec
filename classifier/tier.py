"""The three price tiers, in order."""

from enum import IntEnum

from classifier.errors import TierError

__all__ = ["TIERS", "Tier"]


class Tier(IntEnum):
    """A price tier; a larger one is more capable and dearer.

    >>> Tier.CHEAP < Tier.PREMIUM
    True
    >>> str(Tier.parse("balanced"))
    'balanced'
    """

    CHEAP = 0
    BALANCED = 1
    PREMIUM = 2

    @property
    def label(self) -> str:
        """The tier's name as data, headers and files spell it."""
        return self.name.lower()

    def __str__(self) -> str:
        return self.label

    @classmethod
    def parse(cls, name: str) -> "Tier":
        """Return the tier of that name.

        Raises:
            TierError: if `name` is not exactly "cheap", "balanced" or "premium".
        """
        try:
            return _BY_LABEL[name]
        except (KeyError, TypeError) as error:
            raise TierError(f"{name!r} is no tier: use cheap, balanced or premium") from error


TIERS: tuple[Tier, ...] = tuple(Tier)
"""All tiers, cheapest first: the order of every probability triple."""

_BY_LABEL = {tier.label: tier for tier in TIERS}
