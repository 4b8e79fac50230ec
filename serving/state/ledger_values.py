"""A ledger row as the values of its columns, and back; whatever callers and upstreams sent can be stored."""

import math
import re
from typing import Any

from sqlalchemy import RowMapping

from serving.spending.ledger_row import ChosenBy, LedgerRow, Outcome

__all__ = ["from_values", "storable_text", "to_values"]

_LONGEST = 1000  # characters of a model's name, a session or a cause; prompts are kept whole
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")  # PostgreSQL knows no NUL, UTF-8 no lone surrogates
_MOST = {"status": 2**31 - 1, "attempt": 2**31 - 1}
_MOST_BY_DEFAULT = 2**63 - 1
_PROBABILITIES = ("p_cheap", "p_balanced", "p_premium")
_NONE = (None, None, None)


def to_values(row: LedgerRow) -> dict[str, Any]:
    """Return the values of a row's columns; what no column can hold is cut, bounded or replaced."""
    values = {
        name: _storable(name, value) for name, value in row.as_dict().items() if name != "probabilities"
    }
    values["attempt_id"] = row.attempt_id  # never cut: it tells rows apart
    values.update(zip(_PROBABILITIES, map(_finite, row.probabilities or _NONE), strict=True))
    return values


def from_values(values: RowMapping) -> LedgerRow:
    """Return the row that columns hold."""
    fields: dict[str, Any] = {str(name): value for name, value in values.items()}
    cheap, balanced, premium = (fields.pop(name) for name in _PROBABILITIES)
    return LedgerRow(
        **fields
        | {
            "chosen_by": ChosenBy(fields["chosen_by"]),
            "outcome": Outcome(fields["outcome"]),
            "probabilities": None if cheap is None else (cheap, balanced, premium),
        }
    )


def storable_text(text: str, longest: int | None = _LONGEST) -> str:
    """Return a text that either database can hold, at most so many characters long.

    >>> storable_text("a" + chr(0) + "b") == "a" + chr(0xFFFD) + "b"
    True
    """
    cut = text[:longest]
    return cut if cut.isascii() and "\0" not in cut else _UNSTORABLE.sub("\ufffd", cut)


def _storable(name: str, value: Any) -> Any:
    match value:
        case bool() | None:
            return value
        case str():
            return storable_text(value, None if name == "prompt" else _LONGEST)
        case int():
            most = _MOST.get(name, _MOST_BY_DEFAULT)
            return max(-most, min(most, value))
    return _finite(value)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
