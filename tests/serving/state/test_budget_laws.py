"""Whatever happens in whatever order: no cap is exceeded, and the books add up."""

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from serving.spending.budget_terms import Claim, Refused, Reserved, Standing, Unit
from serving.state.budgets import Budgets
from serving.state.database import Database
from serving.state.migrate import migrate
from serving.state.schema import budgets as budgets_table
from serving.state.schema import reservations
from serving.state.state import State

DAY, CAP = "2026-11-22", 100

numbers = st.integers(0, 5)
amounts = st.integers(0, 60)
steps = st.lists(
    st.tuples(st.just("reserve"), numbers, st.dictionaries(st.sampled_from("ab"), amounts, min_size=1))
    | st.tuples(st.just("settle"), numbers, st.dictionaries(st.sampled_from("ab"), st.integers(0, 1)))
    | st.tuples(st.sampled_from(["release", "die"]), numbers, st.just({})),
    max_size=30,
)


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path_factory.mktemp('laws') / 'state.db'}"
    migrate(url)
    database = Database.open(url)
    yield database
    database.close()


class Model:
    """What the budgets ought to say, in plain dictionaries."""

    def __init__(self) -> None:
        self.held: dict[int, dict[str, int]] = {}
        self.orphaned: dict[int, dict[str, int]] = {}
        self.spent = {"a": 0, "b": 0}

    def taken(self, scope: str) -> int:
        waiting = [*self.held.values(), *self.orphaned.values()]
        return self.spent[scope] + sum(each.get(scope, 0) for each in waiting)

    def reserve(self, number: int, wanted: dict[str, int]) -> bool:
        if self.standing(number):
            return True
        fits = all(self.taken(scope) + amount <= CAP for scope, amount in wanted.items())
        self.held.update({number: wanted} if fits else {})
        return fits

    def settle(self, number: int, shares: dict[str, int]) -> dict[str, int]:
        """Charge all of a claim, or nothing of it where the share is 0; return the amounts."""
        claimed = self.release(number)
        actual = {scope: claimed.get(scope, 0) * share for scope, share in shares.items()}
        for scope, amount in claimed.items():
            self.spent[scope] += actual.get(scope, amount)
        return actual

    def standing(self, number: int) -> dict[str, int]:
        return self.held.get(number) or self.orphaned.get(number) or {}

    def release(self, number: int) -> dict[str, int]:
        return self.held.pop(number, None) or self.orphaned.pop(number, None) or {}

    def die(self, number: int) -> None:
        self.orphaned.update({number: self.held.pop(number)} if number in self.held else {})


def take(step: tuple[str, int, dict[str, int]], state: State, model: Model) -> None:
    """Take a step in the database and in the model."""
    what, number, values = step
    match what:
        case "reserve":
            wanted = model.standing(number) or values  # an id is only ever given again with the same claims
            claims = [Claim(scope, Unit.USD, DAY, CAP, amount) for scope, amount in wanted.items()]
            granted = isinstance(state.budgets.reserve(f"r{number}", claims, f"i{number}"), Reserved)
            assert granted == model.reserve(number, wanted)
        case "settle":
            actual = model.settle(number, values)
            state.budgets.settle(f"r{number}", {(scope, Unit.USD): each for scope, each in actual.items()})
        case "release":
            model.release(number)
            state.budgets.release(f"r{number}")
        case "die":
            model.die(number)
            state.instances.leave(f"i{number}")
            state.budgets.charge_orphans(alive_since=0.0)
            state.instances.beat(f"i{number}", 0.0)


def as_modelled(model: Model, standing: Standing) -> bool:
    held = sum(each.get(standing.scope, 0) for each in model.held.values())
    orphaned = sum(each.get(standing.scope, 0) for each in model.orphaned.values())
    spent = model.spent[standing.scope] + orphaned
    return (standing.reserved, standing.orphaned, standing.spent, standing.overrun) == (
        held,
        orphaned,
        spent,
        0,
    )


groups = st.lists(st.dictionaries(st.sampled_from("abc"), amounts, min_size=1), max_size=8)


@settings(max_examples=60)
@given(before=groups, together=groups)
def test_a_group_is_decided_as_one_after_another_would_be(
    books: Database, before: list[dict[str, int]], together: list[dict[str, int]]
) -> None:
    found = []
    for grouped in (False, True):
        with books.writing() as connection:
            for table in (reservations, budgets_table):
                connection.execute(delete(table))
        budgets = State.of(books).budgets
        one_by_one(budgets, "before", before)
        answers = (
            budgets.reserve_many(claimed("r", together), "i")
            if grouped
            else one_by_one(budgets, "r", together)
        )
        found.append(([answers[f"r{number}"] for number in range(len(together))], budgets.standing(DAY)))
    (granted, standing), (granted_together, standing_together) = found
    assert list(map(type, granted_together)) == list(map(type, granted))
    assert standing_together == standing


def claimed(name: str, wanted: list[dict[str, int]]) -> dict[str, list[Claim]]:
    return {
        f"{name}{number}": [Claim(scope, Unit.USD, DAY, CAP, amount) for scope, amount in each.items()]
        for number, each in enumerate(wanted)
    }


def one_by_one(budgets: Budgets, name: str, wanted: list[dict[str, int]]) -> dict[str, Reserved | Refused]:
    asked = claimed(name, wanted).items()
    return {reservation_id: budgets.reserve(reservation_id, claims, "i") for reservation_id, claims in asked}


@settings(max_examples=60)
@given(taken=steps)
def test_the_books_are_what_a_simple_model_says(
    books: Database, taken: list[tuple[str, int, dict[str, int]]]
) -> None:
    with books.writing() as connection:
        for table in (reservations, budgets_table):
            connection.execute(delete(table))
    state, model = State.of(books), Model()
    for number in range(6):
        state.instances.beat(f"i{number}", 0.0)
    for step in taken:
        take(step, state, model)
        standings = state.budgets.standing(DAY)
        assert all(as_modelled(model, each) for each in standings)
        assert all(each.spent + each.reserved <= CAP for each in standings)
