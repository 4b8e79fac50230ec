"""The alias `@champion` in a registry: who holds it, who held it, and moving it so that one can go back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from training.errors import PromotionError
from training.promotion_history import (
    Change,
    champions,
    dump_changes,
    parse_changes,
    settled,
    with_change,
)
from training.tracking import RegisteredVersion, Registry

__all__ = ["CHAMPION", "HISTORY_TAG", "Reign", "former_champion", "move_champion", "reign_of"]

CHAMPION: Final = "champion"
HISTORY_TAG: Final = "champion_changes"


@dataclass(frozen=True, slots=True)
class Reign:
    """The champion of a registered model, and how it came to be.

    Attributes:
        name: The registered model.
        champion: The version that holds the alias; None where nobody does.
        changes: The moves of the alias, oldest first, as far as they are kept.
    """

    name: str
    champion: RegisteredVersion | None
    changes: tuple[Change, ...]

    @property
    def number(self) -> int | None:
        """The champion's version."""
        return None if self.champion is None else self.champion.number


def reign_of(registry: Registry, name: str) -> Reign:
    """Read who is champion.

    Raises:
        RegistryError: There is no such registered model.
        PromotionError: The history was written by somebody else.
    """
    champion = registry.alias(name, CHAMPION)
    written = parse_changes(registry.tags(name).get(HISTORY_TAG, ""))
    return Reign(name, champion, settled(written, None if champion is None else champion.number))


def former_champion(registry: Registry, reign: Reign) -> int:
    """Return the version that a rollback goes back to: the last champion before this one that still exists.

    Raises:
        PromotionError: There is no champion, or none before it.
    """
    if reign.number is None:
        raise PromotionError(f"{reign.name!r} has no @{CHAMPION}: there is nothing to roll back")
    for version in reversed(champions(reign.changes)[:-1]):
        if version != reign.number and registry.has(reign.name, version):
            return version
    raise PromotionError(
        f"{reign.name!r} has no champion before version {reign.number} to go back to: promote another version"
    )


def move_champion(
    registry: Registry, reign: Reign, change: Change, *, parting: Mapping[str, str] | None = None
) -> None:
    """Write the change down, then move the alias.

    Args:
        registry: Where it stands.
        reign: As it was read.
        change: The move.
        parting: Tags for the version that it leaves. They come first: a rollback that was cut short may be
            repeated, but a version whose mark is missing would be promoted again unasked.

    Raises:
        PromotionError: The alias stands elsewhere by now: somebody moved it since `reign` was read, which
            only a store that one cannot hold (a server) lets happen.
    """
    found = registry.alias(reign.name, CHAMPION)
    stands_on = None if found is None else found.number
    if stands_on != reign.number:
        raise PromotionError(
            f"meanwhile @{CHAMPION} of {reign.name!r} was moved from {_version(reign.number)} to"
            f" {_version(stands_on)}: nothing was changed, start again"
        )
    if parting:
        registry.tag(reign.name, parting, version=reign.number)
    registry.tag(reign.name, {HISTORY_TAG: dump_changes(with_change(reign.changes, change))})
    registry.set_alias(reign.name, CHAMPION, change.after)


def _version(number: int | None) -> str:
    return "no version" if number is None else f"version {number}"
