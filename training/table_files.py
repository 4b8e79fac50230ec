"""Rows as they stand in CSV, JSON Lines and Parquet files, each with its place, whatever they mean.

The text formats are read with the standard library and Parquet with pyarrow, because pandas' readers guess:
they turn "NA" and "001" into something else, pad short rows and lose the line numbers for messages.
"""

import codecs
import contextlib
import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow
from pyarrow import parquet

from training.errors import DataError, Place, RowError

if TYPE_CHECKING:
    import _csv

__all__ = ["RawRow", "Report", "Schema", "column_names", "find_files", "read_rows"]

Report = Callable[[RowError], None]
"""Told of each bad row; raises it or takes note of it."""


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row as the file has it.

    Attributes:
        place: Where it stands.
        cells: Its values by column name: text from CSV, whatever the file holds from the others.
    """

    place: Place
    cells: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Schema:
    """The columns to read; any others in a file are ignored.

    Attributes:
        required: Groups of column names; of each group at least one has to be there.
        optional: Names of columns that may be absent.
    """

    required: tuple[tuple[str, ...], ...]
    optional: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Every column to read."""
        return (*(name for group in self.required for name in group), *self.optional)

    def check(self, file: Path, header: list[str]) -> None:
        """Raise DataError unless `header` has each name at most once and one of each required group."""
        repeated = [name for name, times in Counter(header).items() if times > 1]
        if repeated:
            raise DataError(f"{file}: column '{repeated[0]}' stands there more than once; keep one of each")
        for group in self.required:
            if not set(group) & set(header):
                wanted = " or ".join(f"'{name}'" for name in group)
                raise DataError(f"{file}: no column {wanted}; the columns are: {', '.join(header)}")


def find_files(path: Path) -> list[Path]:
    """Return the data files at `path`: itself, or the ones directly in a folder, by name.

    In a folder, what is neither CSV, JSON Lines nor Parquet is no data (a README, a licence).

    Raises:
        DataError: There is nothing at `path`, or nothing of a known kind.
    """
    try:
        return _found(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {_reason(error)}") from error


def _found(path: Path) -> list[Path]:
    if path.is_dir():
        found = sorted(file for file in path.iterdir() if _is_data(file))
        if not found:
            raise DataError(f"{path}: no data files in this folder; expected {_KINDS}")
        return found
    if not path.exists():
        raise DataError(f"{path}: no such file or folder")
    if path.suffix.lower() not in _READERS:
        raise DataError(f"{path}: unknown kind of file '{path.suffix}'; expected {_KINDS}")
    return [path]


def read_rows(file: Path, schema: Schema, report: Report) -> Iterator[RawRow]:
    """Read `file` row by row; blank lines are no rows.

    Args:
        file: A CSV, JSON Lines or Parquet file, its text in UTF-8.
        schema: The columns to read. JSON Lines has no header to check: there each row says what it has.
        report: Told of rows that cannot be read at all.

    Raises:
        DataError: The file as a whole cannot be read.
    """
    try:
        yield from _READERS[file.suffix.lower()](file, schema, report)
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {_reason(error)}") from error


def column_names(file: Path) -> list[str]:
    """Return the names of a file's columns, in its order.

    JSON Lines has no header: there they are the names that the first hundred objects have.

    Raises:
        DataError: The file as a whole cannot be read.
    """
    try:
        return _NAMES[file.suffix.lower()](file)
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Return what went wrong in one line: pyarrow's messages have several."""
    return str(getattr(error, "strerror", None) or error).partition("\n")[0]


def _is_data(file: Path) -> bool:
    return file.suffix.lower() in _READERS and file.is_file() and not file.name.startswith(".")


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Yield each line with its number, from 1; only a line feed ends a line."""
    offset = 0
    with file.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            if number == 1 and raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise DataError(f"{file}: the text is in UTF-16; save the file as UTF-8")
            line = raw.removeprefix(codecs.BOM_UTF8) if number == 1 else raw
            try:
                yield number, line.decode("utf-8")
            except UnicodeDecodeError as error:
                at = offset + len(raw) - len(line) + error.start
                raise DataError(
                    f"{file}: line {number} is not UTF-8: byte 0x{line[error.start]:02x} at offset {at};"
                    " save the file as UTF-8"
                ) from error
            offset += len(raw)


# --- CSV


def _csv_rows(file: Path, schema: Schema, report: Report) -> Iterator[RawRow]:
    with _cells_of_any_size():
        reader = csv.reader((line for _, line in _lines(file)), strict=True)
        records = _csv_records(file, reader)
        header = _csv_header(file, records)
        schema.check(file, header)
        wanted = [(index, name) for index, name in enumerate(header) if name in schema.names]
        for row, (line, cells) in enumerate(records, start=1):
            place = Place(file, row, line)
            if len(cells) == len(header):
                yield RawRow(place, {name: cells[index] for index, name in wanted})
            else:
                problem = f"{_count(len(cells), 'cell')} where the header has {_count(len(header), 'column')}"
                report(RowError(place, "", f"{problem}; quote cells that hold commas or line breaks"))


def _csv_names(file: Path) -> list[str]:
    with _cells_of_any_size():
        return _csv_header(
            file, _csv_records(file, csv.reader((line for _, line in _lines(file)), strict=True))
        )


def _csv_header(file: Path, records: Iterator[tuple[int, list[str]]]) -> list[str]:
    header = [name.strip() for name in next(records, (0, []))[1]]
    if not header:
        raise DataError(f"{file}: the file is empty; the first line names the columns")
    _refuse_other_separators(file, header)
    return header


def _csv_records(file: Path, reader: "_csv.Reader") -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank with the line that it begins on."""
    line = 1
    try:
        for cells in reader:
            if cells:
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{file}: broken CSV in the record that begins on line {line}: {error}") from error


@contextlib.contextmanager
def _cells_of_any_size() -> Iterator[None]:
    """Lift the csv module's limit of 131,072 characters a cell for a while: a pasted document passes it."""
    limit = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _refuse_other_separators(file: Path, header: list[str]) -> None:
    if len(header) == 1 and any(separator in header[0] for separator in ";\t"):
        raise DataError(f"{file}: the columns are not separated by commas; save the file with commas")


# --- JSON Lines


def _json_rows(file: Path, schema: Schema, report: Report) -> Iterator[RawRow]:
    row = 0
    for number, line in _lines(file):
        if not line.strip():
            continue
        row += 1
        place = Place(file, row, number)
        try:
            value = _json_object(line, place)
        except RowError as error:
            report(error)
        else:
            yield RawRow(place, {name: value[name] for name in schema.names if name in value})


def _json_names(file: Path) -> list[str]:
    names: dict[str, None] = {}
    broken: list[RowError] = []
    rows = ((number, line) for number, line in _lines(file) if line.strip())
    for row, (number, line) in enumerate(islice(rows, _JSON_HEADER_ROWS), start=1):
        try:
            names |= dict.fromkeys(_json_object(line, Place(file, row, number)))
        except RowError as error:
            broken.append(error)
    if broken and not names:
        raise broken[0]
    return list(names)


def _json_object(line: str, place: Place) -> dict[str, object]:
    try:
        value = json.loads(line, object_pairs_hook=_object_without_repeats)
    except json.JSONDecodeError as error:
        problem = f"broken JSON at character {error.pos + 1}: {error.msg}; expected one JSON object a line"
        raise RowError(place, "", problem) from error
    except (ValueError, RecursionError) as error:
        raise RowError(place, "", f"JSON that cannot be used: {error}") from error
    if not isinstance(value, dict):
        raise RowError(place, "", f"a JSON {type(value).__name__} where one JSON object a line is expected")
    return value


def _object_without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        repeated = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise ValueError(f"'{repeated}' stands more than once in one object; keep one of each")
    return made


# --- Parquet


def _parquet_rows(file: Path, schema: Schema, report: Report) -> Iterator[RawRow]:  # noqa: ARG001 - rows that can be read at all are whole
    row = 0
    try:
        with parquet.ParquetFile(file) as table:
            names = table.schema_arrow.names
            schema.check(file, names)
            wanted = [name for name in schema.names if name in names]
            for batch in table.iter_batches(batch_size=4096, columns=wanted):
                for cells in batch.to_pylist():
                    row += 1
                    yield RawRow(Place(file, row), cells)
    except pyarrow.ArrowException as error:
        raise DataError(f"{file}: not a Parquet file that can be read: {_reason(error)}") from error


def _parquet_names(file: Path) -> list[str]:
    try:
        return list(parquet.read_schema(file).names)
    except pyarrow.ArrowException as error:
        raise DataError(f"{file}: not a Parquet file that can be read: {_reason(error)}") from error


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_READERS: Mapping[str, Callable[[Path, Schema, Report], Iterator[RawRow]]] = {
    ".csv": _csv_rows,
    ".jsonl": _json_rows,
    ".ndjson": _json_rows,
    ".parquet": _parquet_rows,
}
_NAMES: Mapping[str, Callable[[Path], list[str]]] = {
    ".csv": _csv_names,
    ".jsonl": _json_names,
    ".ndjson": _json_names,
    ".parquet": _parquet_names,
}
_JSON_HEADER_ROWS = 100
_KINDS = "CSV (.csv), JSON Lines (.jsonl, .ndjson) or Parquet (.parquet)"
