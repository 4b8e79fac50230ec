"""What a transaction moves between the columns of budgets, so that each row is changed once, in order."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, bindparam, update

from serving.spending.budget_terms import MOST, Claim, Overrun, Unit
from serving.state.schema import HELD, budgets

__all__ = ["Amounts", "Shifts"]

Amounts = Mapping[tuple[str, Unit], int]  # micro-dollars or tokens, by scope and unit

_MOVE = (
    update(budgets)
    .where(
        budgets.c.day == bindparam("day_"),
        budgets.c.scope == bindparam("scope_"),
        budgets.c.unit == bindparam("unit_"),
    )
    .values(
        spent=budgets.c.spent + bindparam("spent_"),
        reserved=budgets.c.reserved + bindparam("reserved_"),
        orphaned=budgets.c.orphaned + bindparam("orphaned_"),
        overrun=budgets.c.overrun + bindparam("overrun_"),
    )
)


@dataclass(slots=True)
class _Shift:
    spent: int = 0
    reserved: int = 0
    orphaned: int = 0
    overrun: int = 0


class Shifts:
    """The movements of one transaction."""

    def __init__(self) -> None:
        """Begin with none."""
        self._shifts: defaultdict[tuple[str, str, str], _Shift] = defaultdict(_Shift)
        self._overruns: list[Overrun] = []

    @property
    def overruns(self) -> tuple[Overrun, ...]:
        """The charges above what had been reserved."""
        return tuple(self._overruns)

    def give_back(self, row: RowMapping) -> None:
        """Undo a reservation that was held, or charged as an orphan."""
        shift = self._of(row)
        if row["state"] == HELD:
            shift.reserved -= row["amount"]
        else:
            shift.spent -= row["amount"]
            shift.orphaned -= row["amount"]

    def charge(self, row: RowMapping, actual: Amounts) -> None:
        """Charge what a reservation came to: its bound where `actual` does not say."""
        unit, bound = Unit(row["unit"]), row["amount"]
        amount = max(0, min(MOST, actual.get((row["scope"], unit), bound)))
        shift = self._of(row)
        shift.spent += amount
        if amount > bound:
            shift.overrun += amount - bound
            self._overruns.append(Overrun(row["scope"], unit, row["day"], bound, amount))

    def orphan(self, row: RowMapping) -> None:
        """Charge a held reservation at its bound, and mark that amount as unknown."""
        shift = self._of(row)
        shift.reserved -= row["amount"]
        shift.spent += row["amount"]
        shift.orphaned += row["amount"]

    def spend(self, claim: Claim) -> None:
        """Charge an amount that nothing was reserved for."""
        self._shifts[claim.day, claim.scope, claim.unit.value].spent += claim.amount

    def apply(self, connection: Connection) -> None:
        """Move the amounts: one statement a budget, in the order in which reservations take them."""
        for (day, scope, unit), shift in sorted(self._shifts.items(), key=lambda each: each[0]):
            values = {
                "day_": day,
                "scope_": scope,
                "unit_": unit,
                "spent_": shift.spent,
                "reserved_": shift.reserved,
                "orphaned_": shift.orphaned,
                "overrun_": shift.overrun,
            }
            connection.execute(_MOVE, values)

    def _of(self, row: RowMapping) -> _Shift:
        return self._shifts[row["day"], row["scope"], row["unit"]]
