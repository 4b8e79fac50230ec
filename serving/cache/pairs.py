"""Pairs of asks of which somebody has said whether one's answer serves the other."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serving.errors import ConfigError

__all__ = ["Pair", "pairs_file", "read_pairs"]

_INSTALLED = Path(__file__).with_name("pairs.jsonl")  # the wheel brings data/cache/pairs.jsonl along
_IN_A_CHECKOUT = Path("data", "cache", "pairs.jsonl")
_PARTS = ("calibration", "held_out")


@dataclass(frozen=True, slots=True)
class Pair:
    """Two asks.

    Attributes:
        name: of the pair.
        first: an ask.
        second: another one.
        same: whether the answer to each is right for the other.
        kind: how they are the same, or what sets them apart.
        subject: pairs of one subject are about the same thing; the pair's name where none is told.
        held_out: whether it judges a threshold, and does not choose it.
        apart: whether different conversations lead up to them, which never share answers.
    """

    name: str
    first: str
    second: str
    same: bool
    kind: str
    subject: str
    held_out: bool
    apart: bool


def pairs_file(given: Path | None) -> Path:
    """Return the file of pairs: the given one, that which was installed, or that of the checkout we are in.

    Raises:
        ConfigError: there is none.
    """
    if given is not None:
        return given
    for path in (_INSTALLED, _IN_A_CHECKOUT):
        if path.is_file():
            return path
    raise ConfigError(
        f"{_IN_A_CHECKOUT} is not in this folder: run this in a checkout of Tierwise, or give --pairs FILE"
    )


def read_pairs(path: Path) -> list[Pair]:
    """Read pairs from JSON lines; the keys are told in `data/README.md`.

    Raises:
        ConfigError: the file cannot be read, or a line holds no pair; in one line that says which.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 at byte {error.start}: save the file as UTF-8") from error
    pairs = list(_pairs(path, lines))
    for held_out in (False, True):
        labels = {pair.same for pair in pairs if pair.held_out is held_out}
        if labels != {False, True}:
            part = _PARTS[held_out]
            raise ConfigError(
                f"{path}: the part {part!r} needs pairs that are the same and pairs that are not"
            )
    return pairs


def _pairs(path: Path, lines: list[str]) -> Iterator[Pair]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"{path}, line {number}: not JSON") from error
        problem = _problem(row)
        if problem:
            raise ConfigError(f"{path}, line {number}: {problem}")
        yield _pair(row, number)


def _problem(row: Any) -> str:
    if not isinstance(row, dict):
        return "not an object"
    for name in ("a", "b"):
        if not isinstance(row.get(name), str) or not row[name].strip():
            return f"{name!r} must be a text"
    if not isinstance(row.get("same"), bool):
        return "'same' must be true or false"
    if row.get("part") not in _PARTS:
        return f"'part' must be {_PARTS[0]!r} or {_PARTS[1]!r}"
    return ""


def _pair(row: dict[str, Any], number: int) -> Pair:
    name = f"{row.get('id', number)}"
    return Pair(
        name=name,
        first=row["a"],
        second=row["b"],
        same=row["same"],
        kind=f"{row.get('kind') or ('same' if row['same'] else 'look-alike')}",
        subject=f"{row.get('subject') or name}",
        held_out=row["part"] == _PARTS[1],
        apart=row.get("context_a") != row.get("context_b"),
    )
