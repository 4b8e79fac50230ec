"""The first reading of outcome files: a few bytes of each prompt, and its numbers."""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Final

import numpy as np
import numpy.typing as npt

from training.errors import DataError, RowError
from training.outcome_cells import Scale, is_contaminated, outcome_numbers, outcome_prompt
from training.outcome_columns import OutcomeLayout
from training.outcome_prompts import check_descriptions, prompt_hash
from training.table_files import RawRow, read_rows

__all__ = ["ScannedRows", "scan_file"]

_MOST_REMEMBERED: Final = 20
_MOST_MODELS: Final = 10_000


@dataclass(slots=True)
class ScannedRows:
    """What the first reading keeps of the rows of all files.

    Attributes:
        skip_bad_rows: whether bad rows are counted instead of raised.
        places: which row each kept one is, from 0, across all files.
        hashes: 64 bits of its prompt.
        numbers: its numbers, one row after the other; in a long table with NaN in the other tiers' places.
        rows: how many rows were read.
        bad: how many of them were left out as bad.
        first_bad: what is wrong with the first twenty.
        contaminated: how many say that a model was trained on their prompt.
        unnamed: how many are of models that no tier was named for.
        models: the rows of each model of a long table.
    """

    skip_bad_rows: bool
    places: "array[int]" = field(default_factory=lambda: array("q"))
    hashes: "array[int]" = field(default_factory=lambda: array("Q"))
    numbers: "array[float]" = field(default_factory=lambda: array("d"))
    rows: int = 0
    bad: int = 0
    first_bad: list[str] = field(default_factory=list)
    contaminated: int = 0
    unnamed: int = 0
    models: Counter[str] = field(default_factory=Counter)

    @property
    def hash_array(self) -> npt.NDArray[np.uint64]:
        """The hashes, shape (n_rows,)."""
        return np.frombuffer(self.hashes, dtype=np.uint64)

    @property
    def place_array(self) -> npt.NDArray[np.int64]:
        """The places, shape (n_rows,)."""
        return np.frombuffer(self.places, dtype=np.int64)

    def number_array(self, width: int) -> npt.NDArray[np.float64]:
        """The numbers, shape (n_rows, width)."""
        return np.frombuffer(self.numbers, dtype=np.float64).reshape(-1, width)

    def report(self, error: RowError) -> None:
        """Raise what is wrong with a row, or count it."""
        if not self.skip_bad_rows:
            raise error
        self.bad += 1
        if len(self.first_bad) < _MOST_REMEMBERED:
            self.first_bad.append(str(error))

    def keep(self, place: int, key: int, numbers: Sequence[float]) -> None:
        """Remember a row."""
        self.places.append(place)
        self.hashes.append(key)
        self.numbers.extend(numbers)


def scan_file(layout: OutcomeLayout, scale: Scale, found: ScannedRows) -> None:
    """Read every row of one file.

    Raises:
        DataError: a row is bad and may not be skipped, or there is none.
    """
    empty = True
    for raw in read_rows(layout.file, layout.schema, found.report):
        empty = False
        place = found.rows
        found.rows += 1
        try:
            _read_row(raw, layout, scale, found, place)
        except RowError as error:
            found.report(error)
    if empty and not found.bad:
        raise DataError(f"{layout.file}: the file has no rows; expected the outcomes of one prompt a row")


def _read_row(raw: RawRow, layout: OutcomeLayout, scale: Scale, found: ScannedRows, place: int) -> None:
    column = _model_column(raw, layout, found) if layout.is_long else 0
    if column is None:
        found.unnamed += 1
        return
    if is_contaminated(raw):
        found.contaminated += 1
        return
    numbers = outcome_numbers(raw, layout, scale)
    check_descriptions(raw)
    key = prompt_hash(outcome_prompt(raw, layout))
    found.keep(place, key, _spread(numbers, column, len(layout.tiers)) if layout.is_long else numbers)


def _model_column(raw: RawRow, layout: OutcomeLayout, found: ScannedRows) -> int | None:
    """Return which tier a row of a long table is of; None where none was named for its model."""
    value = raw.cells.get("model")
    if not isinstance(value, str) or not value.strip():
        raise RowError(raw.place, "model", "no model; give the name of the one that answered")
    name = value.strip()
    if len(found.models) < _MOST_MODELS or name in found.models:
        found.models[name] += 1
    return layout.names.index(name) if name in layout.names else None


def _spread(numbers: Sequence[float], column: int, n_tiers: int) -> list[float]:
    """Return a long row's numbers in the places of a wide one's."""
    spread = [nan] * (len(numbers) * n_tiers)
    spread[column::n_tiers] = numbers
    return spread
