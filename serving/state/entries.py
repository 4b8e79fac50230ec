"""What waits to be written: ledger rows and settlements, as values and as lines of the journal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serving.spending.budget_terms import Unit
from serving.spending.ledger_row import LedgerRow
from serving.state.shifts import Amounts

__all__ = ["Entry", "Settlement", "from_line", "to_line"]


@dataclass(frozen=True, slots=True)
class Settlement:
    """A reservation to settle.

    Attributes:
        reservation_id: of the reservation.
        actual: what its call came to, micro-dollars or tokens by scope and unit.
    """

    reservation_id: str
    actual: Amounts


Entry = LedgerRow | Settlement


def to_line(entry: Entry) -> bytes:
    """Return an entry as one line of JSON, without its end."""
    if isinstance(entry, LedgerRow):
        return json.dumps(entry.as_dict(), separators=(",", ":")).encode("ascii")
    actual = [[scope, unit.value, amount] for (scope, unit), amount in entry.actual.items()]
    return json.dumps({"settle": entry.reservation_id, "actual": actual}, separators=(",", ":")).encode(
        "ascii"
    )


def from_line(values: Mapping[str, Any]) -> Entry:
    """Return the entry that a line held.

    Raises:
        ValueError: it holds no entry of this version.
        TypeError: the same.
    """
    if "settle" not in values:
        return LedgerRow.from_dict(values)
    actual = {(str(scope), Unit(unit)): int(amount) for scope, unit, amount in values["actual"]}
    return Settlement(str(values["settle"]), actual)
