"""Who was champion before: the changes of the alias, kept as one tag, and the way back through them.

Alias and tag are two writes to a registry that knows no transactions. The change is written first, then the
alias is moved; a reader who finds the alias where the last change started knows that it never happened.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final, Literal, get_args

from training.errors import PromotionError

__all__ = ["Change", "ChangeKind", "champions", "dump_changes", "parse_changes", "settled", "with_change"]

ChangeKind = Literal["promoted", "rolled back", "set by hand"]

KEPT: Final = 20
"""How many changes are kept: with reasons cut short they fit into the 5,000 characters of older servers."""
LONGEST_REASON: Final = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One move of the alias.

    Attributes:
        kind: What moved it.
        at: When, ISO 8601 in UTC; empty where it was found moved.
        before: The version that it stood on; None where it stood nowhere.
        after: The version that it stands on since.
        reason: Why, in at most 100 characters.
    """

    kind: ChangeKind
    at: str
    before: int | None
    after: int
    reason: str = ""

    def shortened(self) -> Change:
        """Return the change with a reason that fits."""
        return replace(self, reason=self.reason[:LONGEST_REASON])


def champions(changes: Sequence[Change]) -> tuple[int, ...]:
    """Return the champions that one can go back through, the present one last.

    A promotion adds one; a rollback takes the last away.

    >>> champions([Change("promoted", "", None, 1), Change("promoted", "", 1, 4)])
    (1, 4)
    """
    line: list[int] = []
    for change in changes:
        if change.kind == "rolled back":
            line = line[: _last(line, change.after) + 1]
        elif not line and change.before is not None:
            line.append(change.before)  # what came before it is no longer kept
        if not line or line[-1] != change.after:
            line.append(change.after)
    return tuple(line)


def settled(changes: Sequence[Change], stands_on: int | None) -> tuple[Change, ...]:
    """Return the changes as they really happened, given where the alias stands.

    A last change that was written down but never made is dropped; a move that nobody wrote down is added.

    Args:
        changes: As the tag has them, oldest first.
        stands_on: The version that the alias stands on; None where it stands nowhere.
    """
    real = tuple(changes)
    if real and real[-1].after != stands_on and real[-1].before == stands_on:
        real = real[:-1]
    if stands_on is None or (real and real[-1].after == stands_on):
        return real
    return (*real, Change("set by hand", "", real[-1].after if real else None, stands_on))


def with_change(changes: Sequence[Change], change: Change) -> tuple[Change, ...]:
    """Return the changes with one more; the oldest go when there are more than are kept."""
    return (*changes, change.shortened())[-KEPT:]


def dump_changes(changes: Sequence[Change]) -> str:
    """Return the changes as the value of a tag."""
    return json.dumps([asdict(change) for change in changes], ensure_ascii=False, separators=(",", ":"))


def parse_changes(text: str) -> tuple[Change, ...]:
    """Read the value of the tag; an empty one holds no changes.

    Raises:
        PromotionError: It is no list of changes: somebody else wrote it.
    """
    try:
        changes = tuple(Change(**entry) for entry in json.loads(text or "[]"))
        sound = all(
            change.kind in get_args(ChangeKind)
            and isinstance(change.after, int)
            and isinstance(change.before, int | None)
            for change in changes
        )
    except (TypeError, ValueError) as error:
        raise _unreadable() from error
    if not sound:
        raise _unreadable()
    return changes


def _last(line: Sequence[int], version: int) -> int:
    """Return the last place of a version before the end; -1 where it stands nowhere there."""
    return max((place for place, each in enumerate(line[:-1]) if each == version), default=-1)


def _unreadable() -> PromotionError:
    return PromotionError(
        "the tag 'champion_changes' of the registered model is no list of changes as promote writes it:"
        " delete the tag, and the history begins anew"
    )
