"""Outcomes as they stand in files: wide or long, CSV, JSON Lines or Parquet, of any length.

Rules:

- Rows that say `contaminated` are left out and counted.
- A row of a wide table without a score of some chosen tier is left out and counted; of a long one, a prompt.
- Rows with the same normalised prompt become one prompt with the mean of their scores, dollars and tokens.
  However often a prompt is repeated, it counts once.
- A missing cost takes the mean of its tier's; where fewer than half are known, costs are not used.

A file is read twice. The first reading keeps 64 bits of each prompt and its numbers, the second, whenever the
prompts are needed, the texts one by one: memory grows with the numbers, by some hundred bytes a row.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from training.errors import DataError
from training.outcome_cells import UNIT_SCALE, Scale
from training.outcome_columns import (
    DEFAULT_COLUMNS,
    OutcomeColumns,
    OutcomeLayout,
    find_layout,
    nearest_first,
)
from training.outcome_groups import Noise, PromptGroups, group_rows
from training.outcome_prompts import OutcomePrompts, file_state
from training.outcome_scan import ScannedRows, scan_file
from training.outcome_table import OutcomeTable
from training.table_files import find_files

__all__ = [
    "FEWEST_PROMPTS",
    "LeftOut",
    "OutcomeColumns",
    "OutcomeReading",
    "Scale",
    "read_outcome_files",
    "read_outcomes",
]

FloatArray = npt.NDArray[np.float64]

FEWEST_PROMPTS: Final = 20


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Rows that did not become outcomes, by reason.

    Attributes:
        bad: rows that mean nothing, left out on request.
        first_bad: what is wrong with the first twenty of them, a line each.
        contaminated: rows that say that a model was trained on their prompt.
        incomplete: rows (of a wide table) or prompts (of a long one) without a score of some chosen tier.
        unnamed: rows of a long table of models that no tier was named for.
    """

    bad: int
    first_bad: tuple[str, ...]
    contaminated: int
    incomplete: int
    unnamed: int


@dataclass(frozen=True, slots=True, eq=False)
class OutcomeReading:
    """Outcomes, and what was done to read them.

    Attributes:
        table: the outcomes, a row a prompt.
        rows: how many rows stand behind it.
        left_out: the others.
        disagreeing: how many prompts have different scores of one model, which became their mean.
        noise: how far such scores lie apart; None where every prompt was answered once.
        answers: how many scores each tier's mean comes from, shape (n_prompts, n_tiers).
        notes: what else was done, a sentence each.
        source: re-reads each prompt with its id, source, language and domain.
    """

    table: OutcomeTable
    rows: int
    left_out: LeftOut
    disagreeing: int
    noise: Noise | None
    answers: npt.NDArray[np.int64]
    notes: tuple[str, ...]
    source: OutcomePrompts


def read_outcomes(
    path: Path,
    columns: OutcomeColumns = DEFAULT_COLUMNS,
    *,
    scale: Scale = UNIT_SCALE,
    skip_bad_rows: bool = False,
    at_least: int = FEWEST_PROMPTS,
) -> OutcomeTable:
    """Read an outcome table; see `read_outcome_files`, which also tells what was left out."""
    return read_outcome_files(
        path, columns, scale=scale, skip_bad_rows=skip_bad_rows, at_least=at_least
    ).table


def read_outcome_files(
    path: Path,
    columns: OutcomeColumns = DEFAULT_COLUMNS,
    *,
    scale: Scale = UNIT_SCALE,
    skip_bad_rows: bool = False,
    at_least: int = FEWEST_PROMPTS,
) -> OutcomeReading:
    """Read an outcome table from a file, or from a folder of files that name the same models.

    Columns: `prompt` or `messages`; a score column for each tier and, where there are, its dollars and tokens
    (see `OutcomeColumns`), or in a long table `model`, `score`, `cost` and `tokens`; optional `id` or
    `prompt_id`, `source` or `eval_name`, `language`, `domain` and `contaminated`. Others are ignored.

    Args:
        path: the file or folder.
        columns: which tiers to read, and what their columns are called.
        scale: the scale of the scores.
        skip_bad_rows: leave bad rows out and count them, instead of raising for the first.
        at_least: how many prompts there must be.

    Raises:
        DataError: the outcomes cannot be used; the message names file, row, column and what would be right.
    """
    files = find_files(path)
    layouts = _agreeing([find_layout(file, columns) for file in files])
    states = tuple(file_state(file) for file in files)
    scanned = ScannedRows(skip_bad_rows)
    for layout in layouts:
        scan_file(layout, scale, scanned)
    _check_models(path, layouts[0], scanned)
    return _reading(path, layouts, states, scanned, at_least)


def _agreeing(layouts: list[OutcomeLayout]) -> tuple[OutcomeLayout, ...]:
    """Return layouts that all read the same numbers: costs only where every file has them."""
    first = layouts[0]
    for layout in layouts[1:]:
        if (layout.names, layout.is_long) != (first.names, first.is_long):
            raise DataError(
                f"{layout.file}: other models or another form than in {first.file}; read it alone"
            )
    no_usd, no_tokens = (not all(getattr(la, name) for la in layouts) for name in ("usd", "tokens"))
    return tuple(layout.without(usd=no_usd, tokens=no_tokens) for layout in layouts)


def _check_models(path: Path, layout: OutcomeLayout, scanned: ScannedRows) -> None:
    for tier, name in zip(layout.tiers, layout.names, strict=True):
        if layout.is_long and not scanned.models[name]:
            near = nearest_first(name, sorted(scanned.models))
            raise DataError(f"{path}: no row of the model '{name}' (--{tier.label}); the models are: {near}")


def _reading(
    path: Path,
    layouts: tuple[OutcomeLayout, ...],
    states: tuple[tuple[int, int], ...],
    scanned: ScannedRows,
    at_least: int,
) -> OutcomeReading:
    layout, n_tiers = layouts[0], len(layouts[0].tiers)
    groups, places, incomplete = _complete(path, layout, scanned)
    if len(groups) < at_least:
        raise DataError(_too_few(path, len(groups), at_least, scanned, incomplete))
    notes: list[str] = []
    usd = _amounts(groups.numbers, slice(n_tiers, 2 * n_tiers), bool(layout.usd), "cost", notes)
    start = n_tiers * (1 + bool(layout.usd))
    tokens = _amounts(
        groups.numbers, slice(start, start + n_tiers), bool(layout.tokens), "number of tokens", notes
    )
    prompts = OutcomePrompts(layouts, places, states)
    counts = groups.counts[:, :n_tiers]
    table = OutcomeTable(
        tiers=layout.tiers,
        names=layout.names,
        prompts=prompts,
        scores=groups.numbers[:, :n_tiers],
        usd=usd,
        tokens=tokens,
        repeats=counts.max(axis=1),
        noise=None if groups.noise is None else groups.noise.overall,
        digest=_digest(groups, layout),
    )
    left_out = LeftOut(
        scanned.bad, tuple(scanned.first_bad), scanned.contaminated, incomplete, scanned.unnamed
    )
    return OutcomeReading(
        table=table,
        rows=int(counts.sum()) if layout.is_long else int(counts.max(axis=1).sum()),
        left_out=left_out,
        disagreeing=int(groups.disagreeing.sum()),
        noise=groups.noise,
        answers=counts,
        notes=tuple(notes),
        source=prompts,
    )


def _complete(
    path: Path, layout: OutcomeLayout, scanned: ScannedRows
) -> tuple[PromptGroups, npt.NDArray[np.int64], int]:
    """Group the rows, and return the prompts with scores of every tier, their rows, and how many have not.

    Raises:
        DataError: fewer than half have.
    """
    n_tiers = len(layout.tiers)
    hashes, places = scanned.hash_array, scanned.place_array
    numbers = scanned.number_array(n_tiers * (1 + bool(layout.usd) + bool(layout.tokens)))
    if not layout.is_long:
        kept = ~np.isnan(numbers[:, :n_tiers]).any(axis=1)
        _check_half(path, layout, "rows", numbers[:, :n_tiers])
        groups = group_rows(hashes[kept], numbers[kept], n_tiers)
        return groups, places[kept][groups.first], int((~kept).sum())
    groups = group_rows(hashes, numbers, n_tiers)
    whole = np.all(groups.counts[:, :n_tiers] > 0, axis=1)
    _check_half(path, layout, "prompts", groups.numbers[:, :n_tiers])
    found = groups.where(whole)
    return found, places[found.first], int((~whole).sum())


def _check_half(path: Path, layout: OutcomeLayout, what: str, scores: FloatArray) -> None:
    missing = np.isnan(scores)
    complete = int((~missing.any(axis=1)).sum())
    if 2 * complete >= len(scores):
        return
    lacking = ", ".join(
        f"'{name}' lacks {count:,}"
        for name, count in zip(layout.names, missing.sum(axis=0).tolist(), strict=True)
        if count
    )
    raise DataError(
        f"{path}: only {complete:,} of {len(scores):,} {what} have a score of every tier ({lacking}):"
        " fewer than half, and no fair sample; name models that answered more, or complete the table"
    )


def _too_few(path: Path, found: int, at_least: int, scanned: ScannedRows, incomplete: int) -> str:
    counts = {
        "bad": scanned.bad,
        "contaminated": scanned.contaminated,
        "without a score of some tier": incomplete,
    }
    reasons = "; ".join(f"{count:,} {reason}" for reason, count in counts.items() if count)
    left_out = f" (left out: {reasons})" if reasons else ""
    return (
        f"{path}: {found:,} prompts with a score of every tier{left_out};"
        f" give at least {at_least:,}, and a few hundred to learn from"
    )


def _amounts(
    numbers: FloatArray, columns: slice, present: bool, what: str, notes: list[str]
) -> FloatArray | None:
    """Return the dollars or tokens, with the tier's mean for a missing one; None where too few are known."""
    if not present:
        return None
    found = numbers[:, columns]
    missing = np.isnan(found)
    if 2 * missing.sum(axis=0).max() > len(found):
        notes.append(f"fewer than half of the prompts have a {what} of every tier: none is used")
        return None
    if missing.any():
        notes.append(
            f"{int(missing.any(axis=1).sum()):,} prompts lack a {what}: the mean of its tier is taken"
        )
    return np.where(missing, np.nanmean(found, axis=0), found)


def _digest(groups: PromptGroups, layout: OutcomeLayout) -> str:
    """Return the SHA-256 over prompts (by their hashes) and numbers, which no order of rows can change."""
    order = np.argsort(groups.hashes, kind="stable")
    tiers = ",".join(tier.label for tier in layout.tiers)
    found = hashlib.sha256(f"{tiers};{len(layout.usd)};{len(layout.tokens)}".encode())
    found.update(groups.hashes[order].astype("<u8").tobytes())
    for column in groups.numbers.T:  # one at a time: a copy of a million rows of all is felt
        found.update(np.nan_to_num(column[order], nan=-1.0).astype("<f8").tobytes())
    return found.hexdigest()
