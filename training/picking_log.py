"""A log of prompts to pick from: text, JSON Lines, CSV or Parquet, read row by row."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from classifier import Prompt, Reading
from classifier.excerpt import both_ends
from training.errors import DataError, Place, RowError
from training.labelled_rows import prompt_of, reading_of, word_of
from training.normal_text import normalise
from training.table_files import RawRow, Report, Schema, column_names, find_files, read_rows

__all__ = ["EXCERPT_CHARACTERS", "LONGEST_PROMPT", "LoggedPrompt", "full_rows", "log_files", "read_log"]

LONGEST_PROMPT: Final = 200_000
"""Characters; `python -m serving label` refuses longer prompts."""

EXCERPT_CHARACTERS: Final = 500
"""Prompts are compared by so many characters from each end."""

_TEXT_FILES: Final = (".txt", ".log", ".text")
_PROMPT_COLUMNS: Final = ("prompt", "messages")
_READ: Final = Schema(required=(_PROMPT_COLUMNS,), optional=("language",))


@dataclass(frozen=True, slots=True)
class LoggedPrompt:
    """One row of a log, as far as picking cares.

    Attributes:
        place: Where it stands.
        prompt: The prompt, or the messages of a conversation.
        asked: The human's turns without injected blocks, normalised: what makes two prompts the same.
        language: As given; empty when not given.
        characters: Length of the human's turns.
        problem: Why it cannot be labelled from its text alone; empty when it can.
    """

    place: Place
    prompt: Prompt
    asked: str
    language: str
    characters: int
    problem: str

    @property
    def excerpt(self) -> str:
        """Both ends of what was asked."""
        return both_ends(self.asked, EXCERPT_CHARACTERS)


def log_files(path: Path) -> list[Path]:
    """Return the files of a log: itself, or the CSV, JSON Lines and Parquet files directly in a folder.

    Raises:
        DataError: There is nothing at `path`, or nothing of a known kind.
    """
    if path.is_file() and path.suffix.lower() in _TEXT_FILES:
        return [path]
    try:
        return find_files(path)
    except DataError as error:
        if path.is_file():
            raise DataError(f"{error}, or text with one prompt a line (.txt, .log)") from error
        raise


def read_log(file: Path, report: Report) -> Iterator[LoggedPrompt]:
    """Read a file of a log row by row.

    Args:
        file: One of `log_files`.
        report: Told of rows that hold no prompt.

    Raises:
        DataError: The file as a whole cannot be read.
    """
    for raw in _raw_rows(file, _READ, report):
        try:
            row = _logged(raw)
        except RowError as error:
            report(error)
        else:
            yield row


def full_rows(chosen: Sequence[Place]) -> Iterator[dict[str, Any]]:
    """Read chosen rows again, with all of their columns, an `id` added where a row has none.

    Of the columns `prompt` and `messages` the filled one is kept, as what it was read to be; other columns
    are kept as they are.

    Args:
        chosen: Places that `read_log` gave.

    Yields:
        The rows in the order of `chosen`.

    Raises:
        DataError: A file has changed in between.
    """
    wanted: dict[Path, set[int]] = {}
    for place in chosen:
        wanted.setdefault(place.file, set()).add(place.row)
    found: dict[tuple[Path, int], dict[str, Any]] = {}
    for file, rows in wanted.items():
        schema = Schema(required=(_PROMPT_COLUMNS,), optional=_other_columns(file, rows))
        for raw in _raw_rows(file, schema, _ignore):
            if raw.place.row in rows:
                found[file, raw.place.row] = _full(raw)
    missing = next((place for place in chosen if (place.file, place.row) not in found), None)
    if missing is not None:
        raise DataError(f"{missing}: the file changed while it was being read; run this again")
    for place in chosen:
        yield found[place.file, place.row]


def _logged(raw: RawRow) -> LoggedPrompt:
    prompt = prompt_of(raw)
    reading = reading_of(raw, prompt)
    return LoggedPrompt(
        place=raw.place,
        prompt=prompt,
        asked=normalise("\n".join(reading.turns)),
        language=word_of(raw, "language"),
        characters=sum(len(turn) for turn in reading.turns),
        problem=_problem(prompt, reading),
    )


def _problem(prompt: Prompt, reading: Reading) -> str:
    if reading.images or reading.audios or reading.files:
        return "with pictures, sound or files"
    if reading.ends_with_tool:
        return "that end with a tool's result"
    length = len(prompt) if isinstance(prompt, str) else len(json.dumps(prompt, default=str))
    return f"longer than {LONGEST_PROMPT:,} characters" if length > LONGEST_PROMPT else ""


def _raw_rows(file: Path, schema: Schema, report: Report) -> Iterator[RawRow]:
    return _text_rows(file, report) if file.suffix.lower() in _TEXT_FILES else read_rows(file, schema, report)


def _text_rows(file: Path, report: Report) -> Iterator[RawRow]:
    row = 0
    with file.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            row += 1
            place = Place(file, row, number)
            try:
                yield RawRow(place, {"prompt": line.decode("utf-8-sig").strip()})
            except UnicodeDecodeError as error:
                problem = f"not UTF-8: byte 0x{line[error.start]:02x}; save the file as UTF-8"
                report(RowError(place, "", problem))


def _other_columns(file: Path, rows: set[int]) -> tuple[str, ...]:
    if file.suffix.lower() in _TEXT_FILES:
        return ()
    names = _json_columns(file, rows) if file.suffix.lower() in (".jsonl", ".ndjson") else column_names(file)
    return tuple(name for name in names if name not in _PROMPT_COLUMNS)


def _json_columns(file: Path, rows: set[int]) -> list[str]:
    """The names in the chosen objects: each object of a JSON Lines file may have its own."""
    names: dict[str, None] = {}
    row = 0
    with file.open("rb") as stream:
        for line in stream:
            row += bool(line.strip())
            if row in rows and line.strip():
                names |= dict.fromkeys(json.loads(line.decode("utf-8-sig")))
    return list(names)


def _full(raw: RawRow) -> dict[str, Any]:
    prompt = prompt_of(raw)
    name = "prompt" if isinstance(prompt, str) else "messages"
    others: Mapping[str, Any] = {
        column: value for column, value in raw.cells.items() if column not in _PROMPT_COLUMNS
    }
    named = others.get("id") not in (None, "")
    id_ = {} if named else {"id": f"{raw.place.file.name}:{raw.place.row}"}
    return {**others, **id_, name: prompt}


def _ignore(error: RowError) -> None:
    """The first reading has reported it."""
