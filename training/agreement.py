"""How far the annotators of labelled prompts agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy
from sklearn.metrics import cohen_kappa_score, confusion_matrix

from training.errors import DataError, Place
from training.labelled_rows import TIER_NAMES
from training.table_files import Schema, find_files, read_rows

__all__ = ["Agreement", "Votes", "agreement_of", "read_votes"]

Votes = tuple[int, ...]
"""The tiers that a row was given, 0 to 2: its author's first, then one or two blind labels."""

_VOTES: Final = Schema(required=(), optional=("votes",))
_TIERS: Final = range(len(TIER_NAMES))


@dataclass(frozen=True, slots=True)
class Agreement:
    """How the author's tier and the first blind label of the same rows stand to each other.

    Attributes:
        rows: How many rows have both.
        agreed: How many of them have the same tier twice.
        far: How many have cheap and premium.
        kappa: Cohen's kappa: agreement beyond chance, at most 1; NaN where a single tier fills both.
        quadratic_kappa: The same with quadratic weights: an error over two tiers counts four times.
        third_votes: How many rows have a third vote.
        third_votes_on_agreed: How many of these had the same tier twice already.
        confirmed: How many of these had it three times.
        overruled: How many rows have a majority against their author.
        table: Counts, the author's tier down and the first blind label across, both in tier order.
    """

    rows: int
    agreed: int
    far: int
    kappa: float
    quadratic_kappa: float
    third_votes: int
    third_votes_on_agreed: int
    confirmed: int
    overruled: int
    table: tuple[tuple[int, ...], ...]


def read_votes(path: Path) -> list[Votes]:
    """Read the column `votes`, a list of tier names, of a file or folder of labelled prompts.

    Returns:
        One entry for each row that has the column.

    Raises:
        DataError: The data cannot be read, or a row's votes are not two tiers or more.
    """
    rows = [row for file in find_files(path) for row in read_rows(file, _VOTES, _pass_over)]
    return [_votes(row.place, row.cells["votes"]) for row in rows if row.cells.get("votes")]


def agreement_of(votes: Sequence[Votes]) -> Agreement:
    """Return how far the votes of the same rows agree; there has to be at least one row."""
    author, blind = (numpy.array(column) for column in zip(*(vote[:2] for vote in votes), strict=True))
    agreed = author == blind
    third = numpy.array([len(vote) > 2 for vote in votes])
    return Agreement(
        rows=len(votes),
        agreed=int(agreed.sum()),
        far=int((abs(author - blind) == 2).sum()),
        kappa=float(cohen_kappa_score(author, blind, labels=_TIERS)),
        quadratic_kappa=float(cohen_kappa_score(author, blind, labels=_TIERS, weights="quadratic")),
        third_votes=int(third.sum()),
        third_votes_on_agreed=int((third & agreed).sum()),
        confirmed=sum(len(vote) > 2 and len(set(vote)) == 1 for vote in votes),
        overruled=sum(_majority_against_author(vote) for vote in votes),
        table=tuple(tuple(map(int, row)) for row in confusion_matrix(author, blind, labels=_TIERS)),
    )


def _pass_over(_: Exception) -> None:
    """Say nothing of a row that cannot be read: `read_labelled` does, and better."""


def _votes(place: Place, value: object) -> Votes:
    known = isinstance(value, list) and len(value) >= 2 and all(name in TIER_NAMES for name in value)
    if not (known and isinstance(value, list)):
        raise DataError(f"{place}, column 'votes': {value!r} is no list of two tiers or more")
    return tuple(TIER_NAMES.index(name) for name in value)


def _majority_against_author(vote: Votes) -> bool:
    return any(2 * vote.count(tier) > len(vote) for tier in _TIERS if tier != vote[0])
