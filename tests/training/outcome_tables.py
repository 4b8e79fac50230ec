"""Small outcome tables that several test modules read."""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pandas as pd

from training.outcome_files import OutcomeColumns

PAIR = OutcomeColumns(cheap="small", premium="large")


class Write(Protocol):
    """Writes rows to a file, and returns it."""

    __name__: str

    def __call__(self, file: Path, rows: Sequence[Mapping[str, object]], /) -> Path: ...


def rows_of(count: int = 30) -> list[dict[str, object]]:
    """Return prompts of which the large model solves all and the small one every other."""
    return [{"prompt": f"question {place}", "small": place % 2, "large": 1} for place in range(count)]


def write_csv(file: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(dict.fromkeys(name for row in rows for name in row)))
        writer.writeheader()
        writer.writerows(rows)
    return file


def write_jsonl(file: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def write_parquet(file: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    pd.DataFrame(rows).to_parquet(file)
    return file
