"""The prompts of an outcome file, read again whenever they are needed, so that no memory holds them all."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.errors import DataError, RowError
from training.labelled_rows import Messages, word_of
from training.normal_text import normal_text
from training.outcome_cells import outcome_prompt
from training.outcome_columns import DESCRIPTIONS, OutcomeLayout
from training.table_files import RawRow, read_rows

__all__ = [
    "DescribedPrompt",
    "OutcomePrompts",
    "check_descriptions",
    "described_prompt",
    "file_state",
    "prompt_hash",
]

FileState = tuple[int, int]


@dataclass(frozen=True, slots=True)
class DescribedPrompt:
    """One prompt with what its row says of it.

    Attributes:
        prompt: its text, or the messages of a conversation.
        id: its name, from `id` or `prompt_id`; `file name:row` where it has none.
        source: from `source` or RouterBench's `eval_name`; empty when not given.
        language: empty when not given.
        domain: empty when not given.
    """

    prompt: str | Messages
    id: str
    source: str
    language: str
    domain: str


@dataclass(frozen=True, slots=True, eq=False)
class OutcomePrompts:
    """The prompts of chosen rows of outcome files; each iteration reads the files again.

    Attributes:
        layouts: the files, in order.
        rows: which rows of all of them together, ascending, from 0, shape (n_prompts,).
        states: size and time of change of each file when it was first read.
    """

    layouts: tuple[OutcomeLayout, ...]
    rows: npt.NDArray[np.int64]
    states: tuple[FileState, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[str | Messages]:
        for layout, raw in self._chosen():
            yield outcome_prompt(raw, layout)

    def where(self, kept: npt.NDArray[np.int64]) -> "OutcomePrompts":
        """Return the prompts at these places, ascending, shape (n_kept,)."""
        return replace(self, rows=self.rows[kept])

    def described(self) -> Iterator[DescribedPrompt]:
        """Yield each prompt with its id, source, language and domain.

        Raises:
            DataError: a file has changed since it was first read.
        """
        for layout, raw in self._chosen():
            yield described_prompt(raw, layout)

    def _chosen(self) -> Iterator[tuple[OutcomeLayout, RawRow]]:
        wanted = map(int, self.rows)
        row, next_wanted = -1, next(wanted, None)
        for layout, state in zip(self.layouts, self.states, strict=True):
            if file_state(layout.file) != state:
                raise DataError(f"{layout.file}: the file changed while it was being read; run this again")
            for raw in read_rows(layout.file, layout.schema, _ignore):
                row += 1
                if row == next_wanted:
                    yield layout, raw
                    next_wanted = next(wanted, None)
                if next_wanted is None:
                    return


def described_prompt(raw: RawRow, layout: OutcomeLayout) -> DescribedPrompt:
    """Return the prompt of a row with what the row says of it.

    Raises:
        RowError: there is no prompt in it, or a description is no text.
    """
    return DescribedPrompt(
        prompt=outcome_prompt(raw, layout),
        id=_first_word(raw, "id", "prompt_id") or f"{raw.place.file.name}:{raw.place.row}",
        source=_first_word(raw, "source", "eval_name"),
        language=word_of(raw, "language"),
        domain=word_of(raw, "domain"),
    )


def check_descriptions(raw: RawRow) -> None:
    """Check what a row says of its prompt, without reading it.

    Raises:
        RowError: a description is no text.
    """
    for column in DESCRIPTIONS:
        if column in raw.cells:
            word_of(raw, column)


def prompt_hash(prompt: str | Messages) -> int:
    """Return 64 bits of the normalised text, by which repeated prompts are known."""
    text = normal_text(prompt)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8, person=b"tierwise-outc").digest())


def file_state(file: Path) -> FileState:
    """Return the size and the time of change, in nanoseconds, of a file.

    Raises:
        DataError: it is not there any more.
    """
    try:
        found = file.stat()
    except OSError as error:
        raise DataError(f"{file}: cannot be read: {error.strerror or error}") from error
    return found.st_size, found.st_mtime_ns


def _ignore(error: RowError) -> None:
    """The first reading has reported it."""


def _first_word(raw: RawRow, *columns: str) -> str:
    words: Sequence[str] = [word_of(raw, column) for column in columns]
    return next((word for word in words if word), "")
