"""Labelled prompts: read from files, checked as a whole, and kept as one table."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy
import numpy.typing
import pandas

from classifier import TIERS, Tier
from training.errors import DataError, Place, RowError
from training.labelled_rows import LABELLED_COLUMNS, TIER_NAMES, LabelledRow, labelled_row
from training.table_files import Report, find_files, read_rows

__all__ = ["ROWS_PER_TIER", "LabelledData", "SkippedRow", "labelled_data", "read_labelled"]

ROWS_PER_TIER: Final = 5


@dataclass(frozen=True, slots=True)
class SkippedRow:
    """A row that was left out on request, and why.

    Attributes:
        file: The file that it stands in.
        row: Its number among the data rows, from 1.
        line: The line that it begins on, from 1; None in Parquet.
        column: The column at fault; empty when it is the row as a whole.
        problem: What is wrong and what would be right.
    """

    file: Path
    row: int
    line: int | None
    column: str
    problem: str

    def __str__(self) -> str:
        return str(RowError(Place(self.file, self.row, self.line), self.column, self.problem))


@dataclass(frozen=True, slots=True, eq=False)
class LabelledData:
    """Labelled prompts.

    Attributes:
        frame: One row a prompt, indexed from 0, with the columns `id` (text), `prompt` (text, or a list of
            message objects), `text` (normalised, as `normal_text` gives it), `tier` (0, 1 or 2), `weight`
            (above 0), `source`, `language`, `domain` (text, empty when not given), `is_conversation` (bool)
            and `characters` (length of the human's turns).
        skipped: The rows that were left out on request; those with contradicting labels come last.
        digest: SHA-256, in hexadecimal, of the rows' content: all but their ids and their order.
    """

    frame: pandas.DataFrame
    skipped: tuple[SkippedRow, ...] = ()
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "digest", _digest(self.frame))

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def repeated(self) -> int:
        """How many rows repeat an earlier prompt with the same label. They are kept: each counts."""
        return int(self.frame["text"].duplicated().sum())

    def with_rows_of(self, other: "LabelledData") -> "LabelledData":
        """Return these rows, then those of the other."""
        return LabelledData(pandas.concat([self.frame, other.frame], ignore_index=True))

    def where(self, chosen: numpy.typing.NDArray[numpy.bool_]) -> "LabelledData":
        """Return the rows where `chosen`, of shape (n_rows,), is true."""
        return LabelledData(self.frame[chosen].reset_index(drop=True))


def read_labelled(
    path: Path,
    *,
    skip_bad_rows: bool = False,
    rows_per_tier: int = ROWS_PER_TIER,
    tiers: Sequence[Tier] = TIERS,
) -> LabelledData:
    """Read labelled prompts from a CSV, JSON Lines or Parquet file, or from a folder of such files.

    Columns: `prompt` (text) or `messages` (a conversation in OpenAI's form; in CSV as JSON), exactly one
    filled in a row; `tier` (cheap, balanced or premium); optional `weight` (1 when absent), `source`,
    `language`, `domain` and `id`. Others are ignored. Rows that repeat a prompt with the same label are kept,
    and counted in `repeated`.

    Args:
        path: The file or folder. In a folder, files of other kinds are ignored, and folders in it too.
        skip_bad_rows: Leave bad rows out and list them, instead of raising for the first. Every row of a
            prompt that has contradicting labels is bad, for nobody knows which is right. A file that is wrong
            as a whole raises all the same.
        rows_per_tier: How many rows of each tier there must be; 0 for data that is only to be judged on.
        tiers: The tiers that rows may have, ascending: all three, or the two that are chosen between.

    Raises:
        DataError: The data cannot be used; the message names file, row and column and what would be right.
    """
    skipped: list[SkippedRow] = []
    report: Report = _note_in(skipped) if skip_bad_rows else _raise
    rows = _consistent([row for file in find_files(path) for row in _rows_of(file, report)], report)
    _check_tiers(path, rows, skipped, rows_per_tier, tiers)
    return labelled_data(rows, skipped)


def labelled_data(rows: Sequence[LabelledRow], skipped: Sequence[SkippedRow] = ()) -> LabelledData:
    """Return rows as a table, with the rows that were left out."""
    return LabelledData(_frame(rows), tuple(skipped))


def _raise(error: RowError) -> None:
    raise error


def _note_in(skipped: list[SkippedRow]) -> Report:
    def note(error: RowError) -> None:
        place = error.place
        skipped.append(SkippedRow(place.file, place.row, place.line, error.column, error.problem))

    return note


def _rows_of(file: Path, report: Report) -> Iterator[LabelledRow]:
    empty = True
    for raw in read_rows(file, LABELLED_COLUMNS, report):
        empty = False
        try:
            row = labelled_row(raw)
        except RowError as error:
            report(error)
        else:
            yield row
    if empty:
        raise DataError(f"{file}: the file has no rows; expected one labelled prompt a row")


def _consistent(rows: list[LabelledRow], report: Report) -> list[LabelledRow]:
    """Report every row of a prompt that has contradicting labels, and return the others."""
    first: dict[str, LabelledRow] = {}
    other: dict[str, LabelledRow] = {}
    for row in rows:
        if first.setdefault(row.text, row).tier != row.tier:
            other.setdefault(row.text, row)
    for row in rows:
        if row.text in other:
            report(_contradiction(row, first[row.text], other[row.text]))
    return [row for row in rows if row.text not in other]


def _contradiction(row: LabelledRow, first: LabelledRow, other: LabelledRow) -> RowError:
    rival = first if row.tier != first.tier else other
    problem = (
        f"'{TIER_NAMES[row.tier]}', but {rival.place} has '{TIER_NAMES[rival.tier]}' for the same prompt;"
        " keep one label for it"
    )
    return RowError(row.place, "tier", problem)


def _check_tiers(
    path: Path, rows: list[LabelledRow], skipped: list[SkippedRow], at_least: int, tiers: Sequence[Tier]
) -> None:
    if not rows:
        raise DataError(
            f"{path}: no usable row; all {len(skipped)} were skipped, the first because: {skipped[0].problem}"
        )
    counts = Counter(row.tier for row in rows)
    other = next((row for row in rows if row.tier not in tiers), None)
    if other is not None:
        wanted = " and ".join(tier.label for tier in tiers)
        problem = f"'{TIER_NAMES[other.tier]}', but only {wanted} were asked for; leave such rows out"
        raise RowError(other.place, "tier", problem)
    if at_least and len(counts) == 1:
        only, wanted = TIER_NAMES[rows[0].tier], ", ".join(tier.label for tier in tiers)
        told = "all three tiers" if len(tiers) == len(TIERS) else "both tiers"
        raise DataError(f"{path}: every row has the tier '{only}'; give rows of {told}: {wanted}")
    few = [f"{counts[tier]} of '{tier.label}'" for tier in tiers if counts[tier] < at_least]
    if few:
        two = " ".join(TIER_NAMES[tier] for tier in sorted(counts))
        remedy = f", or say --tiers {two} to choose between two" if len(counts) == 2 < len(tiers) else ""
        raise DataError(
            f"{path}: too few rows of a tier ({', '.join(few)}); give at least {at_least} of each{remedy}"
        )


def _frame(rows: Sequence[LabelledRow]) -> pandas.DataFrame:
    def words(values: Iterable[str]) -> pandas.Series:
        return pandas.Series(list(values), dtype="str")

    return pandas.DataFrame(
        {
            "id": words(row.id for row in rows),
            "prompt": pandas.Series([row.prompt for row in rows], dtype=object),
            "text": words(row.text for row in rows),
            "tier": pandas.Series([row.tier for row in rows], dtype="int64"),
            "weight": pandas.Series([row.weight for row in rows], dtype="float64"),
            "source": words(row.source for row in rows),
            "language": words(row.language for row in rows),
            "domain": words(row.domain for row in rows),
            "is_conversation": pandas.Series([not isinstance(row.prompt, str) for row in rows], dtype="bool"),
            "characters": pandas.Series([row.characters for row in rows], dtype="int64"),
        }
    )


def _digest(frame: pandas.DataFrame) -> str:
    """Return the SHA-256 over the sorted hashes of the rows, which no order and no id can change."""
    columns = ("prompt", "tier", "weight", "source", "language", "domain")
    rows = zip(*(frame[name].tolist() for name in columns), strict=True)
    hashes = sorted(
        hashlib.sha256(json.dumps(row, sort_keys=True, default=str).encode()).digest() for row in rows
    )
    return hashlib.sha256(b"".join(hashes)).hexdigest()
