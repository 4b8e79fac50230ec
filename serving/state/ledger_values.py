"""A ledger row as the values of its columns, and back; whatever callers and upstreams sent can be stored."""

import math
import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import RowMapping

from serving.spending.ledger_row import ChosenBy, LedgerRow, Outcome

__all__ = ["from_values", "storable_text", "to_values"]

_LONGEST = 1000  # characters of a model's name, a session or a cause; prompts are kept whole
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL knows no NUL, UTF-8 no lone surrogates
_PROBABILITIES = ("p_cheap", "p_balanced", "p_premium")
_NONE = (None, None, None)


def to_values(row: LedgerRow) -> dict[str, Any]:
    """Return the values of a row's columns; what no column can hold is cut, bounded or replaced."""
    values = {name: convert(getattr(row, name)) for name, convert in _CONVERTERS}
    values.update(zip(_PROBABILITIES, map(_real, row.probabilities or _NONE), strict=True))
    return values


def from_values(values: RowMapping) -> LedgerRow:
    """Return the row that columns hold."""
    fields: dict[str, Any] = {str(name): value for name, value in values.items()}
    cheap, balanced, premium = (fields.pop(name) for name in _PROBABILITIES)
    fields["probabilities"] = None if cheap is None else (cheap, balanced, premium)
    fields["chosen_by"], fields["outcome"] = ChosenBy(fields["chosen_by"]), Outcome(fields["outcome"])
    return LedgerRow(**fields)


def storable_text(text: str, longest: int | None = _LONGEST) -> str:
    """Return a text that either database can hold, at most so many characters long.

    >>> storable_text("a" + chr(0) + "b") == "a" + chr(0xFFFD) + "b"
    True
    """
    cut = text[:longest]
    return cut if cut.isascii() and "\0" not in cut else _UNSTORABLE.sub("\ufffd", cut)


def _text(value: str | None) -> str | None:
    return None if value is None else storable_text(value)


def _whole_text(value: str | None) -> str | None:
    return None if value is None else storable_text(value, None)


def _real(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _integer(value: int | None) -> int | None:
    return None if value is None else max(-(2**31), min(2**31 - 1, value))


def _long_integer(value: int | None) -> int | None:
    return None if value is None else max(-(2**63), min(2**63 - 1, value))


_BY_NAME: dict[str, Callable[[Any], Any]] = {
    "at": _real,
    "risk": _real,
    "status": _integer,
    "attempt": _integer,
    "fell_back": bool,
    "streamed": bool,
    "input_tokens": _long_integer,
    "output_tokens": _long_integer,
    "estimated": bool,
    "usd": _real,
    "saved_usd": _real,
    "routing_seconds": _real,
    "first_token_seconds": _real,
    "total_seconds": _real,
    "chosen_by": str,
    "outcome": str,
    "prompt": _whole_text,
}
_CONVERTERS = [(name, _BY_NAME.get(name, _text)) for name in LedgerRow.__slots__ if name != "probabilities"]
