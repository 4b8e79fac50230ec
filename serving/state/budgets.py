"""Budgets: what is reserved before a call and settled after it, so that no cap is ever exceeded.

A reservation is one transaction of one conditional statement a claim, `spent + reserved + amount <= cap`
where the row is changed, so that no two clients can both take the last dollar, in whatever process or
database. Claims are taken in one fixed order of budgets, so that reservations never wait for each other in a
circle. Every step may be repeated: a reservation is a row, and whoever deletes or changes that row is the one
who moves its amount.

Reservations that wait together are first tried as one: each budget is asked once, in the same fixed order and
in one transaction, for the sum of what they claim of it. Where there is room for all, which is nearly always,
each has what it would have got alone. Where a sum does not fit, nothing is written, and those who claim of
that budget are decided on alone, in turn.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, RowMapping, bindparam, delete, select, update

from serving.errors import StateError
from serving.spending.budget_terms import (
    Claim,
    Orphan,
    Overrun,
    Refused,
    Reserved,
    Standing,
    Unit,
)
from serving.state.database import Database
from serving.state.schema import CHARGED, HELD, ORPHANED, budgets, instances, reservations
from serving.state.shifts import Amounts, Shifts

__all__ = ["Budgets"]

_log = logging.getLogger("serving")

_ids = reservations.c.reservation_id
_claimed = (
    reservations.c.scope,
    reservations.c.unit,
    reservations.c.day,
    reservations.c.amount,
    reservations.c.state,
)
_TAKE_BACK = (
    delete(reservations)
    .where(_ids.in_(bindparam("ids", expanding=True)), reservations.c.state.in_([HELD, ORPHANED]))
    .returning(_ids, *_claimed)
)
_ORPHAN = (
    update(reservations)
    .where(_ids == bindparam("id"), reservations.c.state == HELD)
    .values(state=ORPHANED)
    .returning(reservations.c.instance, *_claimed)
)
_ROW = select(budgets.c.cap, budgets.c.spent, budgets.c.reserved).where(
    budgets.c.day == bindparam("day_"),
    budgets.c.scope == bindparam("scope_"),
    budgets.c.unit == bindparam("unit_"),
)
_CAP = (
    update(budgets)
    .where(
        budgets.c.day == bindparam("day_"),
        budgets.c.scope == bindparam("scope_"),
        budgets.c.unit == bindparam("unit_"),
    )
    .values(cap=bindparam("cap_"))
)


class Budgets:
    """The budgets of a database; any number of threads and processes may share them.

    Every method raises `StateUnavailableError` when the database does not answer in time. It is then unknown
    whether the step was taken, and it may be repeated as it was; a reservation that is not wanted any more is
    released, which does no harm where there is none.
    """

    def __init__(self, database: Database) -> None:
        """Keep them in a database."""
        self._database = database
        self._hold = (
            database.insert(reservations)
            .on_conflict_do_nothing(index_elements=["reservation_id", "scope", "unit"])
            .returning(reservations.c.scope, reservations.c.unit)
        )
        add = database.insert(budgets)
        taken = budgets.c.spent + budgets.c.reserved + add.excluded.reserved
        self._take = add.on_conflict_do_update(
            index_elements=["day", "scope", "unit"],
            set_={"reserved": budgets.c.reserved + add.excluded.reserved, "cap": add.excluded.cap},
            where=taken <= add.excluded.cap,
        ).returning(budgets.c.cap)
        self._ensure = database.insert(budgets).on_conflict_do_nothing(
            index_elements=["day", "scope", "unit"]
        )

    def reserve(self, reservation_id: str, claims: Sequence[Claim], instance: str) -> Reserved | Refused:
        """Reserve every claim or none.

        A cap counts as the claim tells it, so that one that changed in the configuration holds from the next
        reservation on. A reservation that stands already is not made twice: an id goes with the same claims
        always.

        Args:
            reservation_id: chosen by the caller, unique.
            claims: at least one, each against another budget.
            instance: the calling process, whose heart beats in `Instances`.

        Raises:
            StateError: two claims are against one budget, or there is none.
        """
        ordered = _ordered(reservation_id, claims)
        with self._database.writing() as connection:
            if len(self._note(connection, reservation_id, ordered, instance, HELD)) < len(ordered):
                connection.rollback()
                return Reserved(reservation_id, tuple(claims))
            short = next((claim for claim in ordered if not self._taken(connection, [claim])), None)
            if short is None:
                return Reserved(reservation_id, tuple(claims))
            connection.rollback()
        return self._refused(short)

    def reserve_many(
        self, asked: Mapping[str, Sequence[Claim]], instance: str
    ) -> dict[str, Reserved | Refused]:
        """Reserve several times, each time every claim or none, as `reserve` does it one after another.

        Args:
            asked: the claims, by the reservation's id.
            instance: the calling process, whose heart beats in `Instances`.

        Raises:
            StateError: two claims of one reservation are against one budget, or there is none.
            StateUnavailableError: it is unknown which of them stand: all are to be released.
        """
        left = {name: _ordered(name, claims) for name, claims in asked.items()}
        answers: dict[str, Reserved | Refused] = {}
        while len(left) > 1:
            short = self._short_for(left, instance)
            if not short:
                return answers | {name: Reserved(name, tuple(asked[name])) for name in left}
            for name in [name for name in left if not short.isdisjoint(map(_place, left[name]))]:
                answers[name] = self.reserve(name, asked[name], instance)
                del left[name]
        return answers | {name: self.reserve(name, asked[name], instance) for name in left}

    def settle(self, reservation_id: str, actual: Amounts) -> tuple[Overrun, ...]:
        """Charge what a call came to, to the day of its reservation, and give back the rest.

        May be called again, and after midnight, and after the reservation was charged as an orphan, which it
        then corrects. What lies above the bound is charged as it is.

        Args:
            reservation_id: of the reservation; one that does not stand (any more) changes nothing.
            actual: micro-dollars or tokens by scope and unit; a claim that it leaves out counts in full.

        Returns:
            The claims that came to more than was reserved; they are logged, and the budget's `overrun` adds
            them up.
        """
        return self.settle_many({reservation_id: actual})

    def settle_many(self, actuals: Mapping[str, Amounts]) -> tuple[Overrun, ...]:
        """Settle several reservations in one transaction, as `settle` does one."""
        with self._database.writing() as connection:
            shifts = Shifts()
            for row in self._taken_back(connection, actuals):
                shifts.give_back(row)
                shifts.charge(row, actuals[row["reservation_id"]])
            shifts.apply(connection)
        for each in shifts.overruns:
            _log.warning(
                "budget %s came to %d %s, %d reserved", each.scope, each.actual, each.unit, each.bound
            )
        return shifts.overruns

    def release(self, reservation_id: str) -> None:
        """Give back a reservation whose call was never made; one that does not stand changes nothing."""
        with self._database.writing() as connection:
            shifts = Shifts()
            for row in self._taken_back(connection, [reservation_id]):
                shifts.give_back(row)
            shifts.apply(connection)

    def charge(self, reservation_id: str, claims: Sequence[Claim]) -> None:
        """Charge what was spent without a reservation (while failing open), whatever the caps say.

        May be called again: an id is charged once. A reservation of that id, whose granting nobody heard of,
        is given back.

        Args:
            reservation_id: unique; the one that was to be reserved.
            claims: with what was spent as their amounts.
        """
        ordered = sorted(claims, key=_place)
        with self._database.writing() as connection:  # on its own: rows are locked in the order of budgets
            connection.execute(self._ensure, [_row(claim, 0) for claim in ordered])
        with self._database.writing() as connection:
            shifts = Shifts()
            for row in self._taken_back(connection, [reservation_id]):
                shifts.give_back(row)
            new = self._note(connection, reservation_id, ordered, "", CHARGED)
            for claim in ordered:
                if (claim.scope, claim.unit) in new:
                    shifts.spend(claim)
            shifts.apply(connection)

    def charge_orphans(self, alive_since: float) -> tuple[Orphan, ...]:
        """Charge, at their bounds, the reservations of processes that were last heard of before a moment.

        Any number of processes may do so at once: each orphan is charged by one of them, and told to that
        one.

        Args:
            alive_since: seconds since the epoch; some heartbeats ago, and more than the clocks differ by.
        """
        alive = select(instances.c.instance).where(instances.c.beat_at >= alive_since)
        held = (
            select(_ids)
            .distinct()
            .where(reservations.c.state == HELD, reservations.c.instance.not_in(alive))
            .order_by(_ids)
        )
        with self._database.reading() as connection:
            ids = connection.scalars(held).all()
        found = (self._orphan(each) for each in ids)
        return tuple(orphan for orphan in found if orphan is not None)

    def standing(self, day: str) -> tuple[Standing, ...]:
        """Return how every budget of a day stands that anything was reserved of, by scope and unit."""
        query = select(budgets).where(budgets.c.day == day).order_by(budgets.c.scope, budgets.c.unit)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(Standing(**{**row, "unit": Unit(row["unit"])}) for row in rows)

    def prune(self, before_day: str) -> None:
        """Forget the budgets of days before one, and what was reserved of them."""
        with self._database.writing() as connection:
            connection.execute(delete(reservations).where(reservations.c.day < before_day))
            connection.execute(delete(budgets).where(budgets.c.day < before_day))

    def _short_for(self, left: Mapping[str, Sequence[Claim]], instance: str) -> set[tuple[str, str, str]]:
        """Reserve all of several reservations, or none; return the budgets that kept them from it."""
        claims: defaultdict[tuple[str, str, str], list[Claim]] = defaultdict(list)
        for each in left.values():
            for claim in each:
                claims[_place(claim)].append(claim)
        rows = [row for name in sorted(left) for row in _held(name, left[name], instance, HELD)]
        with self._database.writing() as connection:
            if len(connection.execute(self._hold, rows).all()) < len(rows):  # one of them stands already
                connection.rollback()
                return set(claims)
            short = {place for place in sorted(claims) if not self._taken(connection, claims[place])}
            if short:
                connection.rollback()
        return short

    def _taken(self, connection: Connection, claims: Sequence[Claim]) -> bool:
        """Take what is claimed of one budget, or nothing: too little is left, or claims differ on its cap."""
        first, total = claims[0], sum(claim.amount for claim in claims)
        if any(claim.cap != first.cap for claim in claims):
            return False
        if total > first.cap:  # the statement checks rows that stand, not the first one of a day
            return False
        return connection.execute(self._take, _row(first, total)).first() is not None

    def _note(
        self, connection: Connection, reservation_id: str, claims: Iterable[Claim], instance: str, state: str
    ) -> set[tuple[str, str]]:
        """Note the claims of a reservation that do not stand yet; return their scopes and units."""
        rows = _held(reservation_id, claims, instance, state)
        return {(row.scope, row.unit) for row in connection.execute(self._hold, rows)}

    def _refused(self, claim: Claim) -> Refused:
        place = {"day_": claim.day, "scope_": claim.scope, "unit_": claim.unit.value}
        with self._database.reading() as connection:
            row = connection.execute(_ROW, place).mappings().first()
        if row is None:
            return Refused(claim, claim.cap)
        if row["cap"] != claim.cap:
            with self._database.writing() as connection:
                connection.execute(_CAP, {**place, "cap_": claim.cap})
        return Refused(claim, max(0, claim.cap - row["spent"] - row["reserved"]))

    def _taken_back(self, connection: Connection, ids: Iterable[str]) -> Sequence[RowMapping]:
        return connection.execute(_TAKE_BACK, {"ids": sorted(ids)}).mappings().all()

    def _orphan(self, reservation_id: str) -> Orphan | None:
        with self._database.writing() as connection:
            rows = connection.execute(_ORPHAN, {"id": reservation_id}).mappings().all()
            shifts = Shifts()
            for row in rows:
                shifts.orphan(row)
            shifts.apply(connection)
        if not rows:
            return None
        charged = {(row["scope"], Unit(row["unit"])): row["amount"] for row in rows}
        return Orphan(reservation_id, rows[0]["instance"], charged)


def _place(claim: Claim) -> tuple[str, str, str]:
    return claim.day, claim.scope, claim.unit.value


def _ordered(reservation_id: str, claims: Sequence[Claim]) -> list[Claim]:
    ordered = sorted(claims, key=_place)
    if not ordered or len({_place(claim) for claim in ordered}) < len(ordered):
        raise StateError(
            f"reservation {reservation_id!r}: one claim for each budget is needed, got {claims!r}"
        )
    return ordered


def _held(reservation_id: str, claims: Iterable[Claim], instance: str, state: str) -> list[dict[str, object]]:
    return [
        {
            "reservation_id": reservation_id,
            "scope": claim.scope,
            "unit": claim.unit.value,
            "day": claim.day,
            "amount": claim.amount,
            "instance": instance,
            "state": state,
        }
        for claim in claims
    ]


def _row(claim: Claim, reserved: int) -> dict[str, object]:
    return {
        "day": claim.day,
        "scope": claim.scope,
        "unit": claim.unit.value,
        "cap": claim.cap,
        "spent": 0,
        "reserved": reserved,
        "orphaned": 0,
        "overrun": 0,
    }
