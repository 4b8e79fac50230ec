import logging
from dataclasses import replace

import pytest

from serving.errors import StateError
from serving.spending.budget_terms import (
    MOST,
    PREMIUM,
    Claim,
    Orphan,
    Overrun,
    Refused,
    Reserved,
    Standing,
    Unit,
    key_scope,
)
from serving.state.budgets import Budgets
from serving.state.database import Database
from serving.state.instances import Instances

DAY, NEXT_DAY = "2026-11-22", "2026-11-23"
PREMIUM_USD = (PREMIUM, Unit.USD)
KEY_TOKENS = (key_scope("4f1d"), Unit.TOKENS)


def claim(amount: int, cap: int = 100, day: str = DAY) -> Claim:
    return Claim(*PREMIUM_USD, day, cap, amount)


def key_claim(amount: int, cap: int = 100) -> Claim:
    return Claim(*KEY_TOKENS, DAY, cap, amount)


@pytest.fixture
def budgets(database: Database) -> Budgets:
    return Budgets(database)


def only(budgets: Budgets, day: str = DAY) -> Standing:
    (standing,) = budgets.standing(day)
    return standing


def test_what_is_reserved_counts_against_the_cap_until_it_is_settled(budgets: Budgets) -> None:
    assert budgets.reserve("a", [claim(60)], "i") == Reserved("a", (claim(60),))
    assert budgets.reserve("b", [claim(41)], "i") == Refused(claim(41), left=40)
    assert budgets.settle("a", {PREMIUM_USD: 25}) == ()
    assert only(budgets) == Standing(*PREMIUM_USD, DAY, cap=100, spent=25, reserved=0, orphaned=0, overrun=0)
    assert isinstance(budgets.reserve("b", [claim(75)], "i"), Reserved)
    assert only(budgets).left == 0


@pytest.mark.parametrize(
    ("amount", "left"), [(101, 100), (MOST, 100)], ids=["just above the cap", "far above the cap"]
)
def test_a_first_claim_above_the_cap_is_refused(budgets: Budgets, amount: int, left: int) -> None:
    assert budgets.reserve("a", [claim(amount)], "i") == Refused(claim(amount), left)
    assert budgets.standing(DAY) == ()


def test_the_whole_cap_can_be_reserved_at_once(budgets: Budgets) -> None:
    assert isinstance(budgets.reserve("a", [claim(100)], "i"), Reserved)
    assert budgets.reserve("b", [claim(1)], "i") == Refused(claim(1), left=0)


def test_a_claim_to_nothing_is_granted_by_an_empty_budget(budgets: Budgets) -> None:
    assert isinstance(budgets.reserve("a", [claim(0, cap=0)], "i"), Reserved)


def test_all_claims_are_granted_or_none(budgets: Budgets) -> None:
    assert budgets.reserve("a", [claim(60), key_claim(101)], "i") == Refused(key_claim(101), left=100)
    assert budgets.standing(DAY) == ()
    both = budgets.reserve("a", [claim(60), key_claim(10)], "i")
    assert isinstance(both, Reserved)
    assert [each.reserved for each in budgets.standing(DAY)] == [10, 60]


def test_an_id_is_not_reserved_twice(budgets: Budgets) -> None:
    budgets.reserve("a", [claim(60)], "i")
    assert budgets.reserve("a", [claim(60)], "i") == Reserved("a", (claim(60),))
    assert only(budgets).reserved == 60


@pytest.mark.parametrize("claims", [[], [claim(1), claim(2)]], ids=["no claim", "two to one budget"])
def test_claims_must_each_be_against_a_budget_of_their_own(budgets: Budgets, claims: list[Claim]) -> None:
    with pytest.raises(StateError, match="reservation 'a': one claim for each budget is needed"):
        budgets.reserve("a", claims, "i")


def test_a_group_that_fits_is_granted_together(budgets: Budgets) -> None:
    asked = {"a": [claim(60)], "b": [key_claim(7), claim(40)], "c": [key_claim(93)]}
    assert budgets.reserve_many(asked, "i") == {name: Reserved(name, tuple(asked[name])) for name in asked}
    assert [each.reserved for each in budgets.standing(DAY)] == [100, 100]
    budgets.settle_many({"a": {PREMIUM_USD: 1}, "b": {PREMIUM_USD: 2, KEY_TOKENS: 3}, "c": {KEY_TOKENS: 4}})
    assert [(each.spent, each.reserved) for each in budgets.standing(DAY)] == [(7, 0), (3, 0)]


def test_in_a_group_each_is_granted_or_refused_as_it_would_be_alone(budgets: Budgets) -> None:
    asked = {
        "first": [claim(60)],
        "too late": [claim(41), key_claim(5)],
        "small": [claim(40)],
        "too large": [key_claim(101)],
        "another": [key_claim(100)],
        "next day": [claim(100, day=NEXT_DAY)],
    }
    assert budgets.reserve_many(asked, "i") == {
        "first": Reserved("first", (claim(60),)),
        "too late": Refused(claim(41), left=40),
        "small": Reserved("small", (claim(40),)),
        "too large": Refused(key_claim(101), left=100),
        "another": Reserved("another", (key_claim(100),)),
        "next day": Reserved("next day", (claim(100, day=NEXT_DAY),)),
    }
    assert [each.reserved for each in budgets.standing(DAY)] == [100, 100]
    for refused in ("too late", "too large"):
        budgets.settle(refused, {})
    assert [each.spent for each in budgets.standing(DAY)] == [0, 0]


def test_a_group_that_is_refused_leaves_nothing(budgets: Budgets) -> None:
    answers = budgets.reserve_many({"a": [claim(101)], "b": [claim(1, cap=0)]}, "i")
    assert answers == {"a": Refused(claim(101), left=100), "b": Refused(claim(1, cap=0), left=0)}
    assert budgets.standing(DAY) == ()


def test_in_a_group_too_an_id_is_not_reserved_twice(budgets: Budgets) -> None:
    budgets.reserve("a", [claim(60)], "i")
    answers = budgets.reserve_many({"a": [claim(60)], "b": [claim(30)], "c": [claim(20)]}, "i")
    assert [type(each) for each in answers.values()] == [Reserved, Reserved, Refused]
    assert only(budgets).reserved == 90


def test_in_a_group_a_cap_that_changed_holds_from_the_one_that_tells_it(budgets: Budgets) -> None:
    answers = budgets.reserve_many({"a": [claim(100)], "b": [claim(50, cap=150)], "c": [claim(1)]}, "i")
    assert [type(each) for each in answers.values()] == [Reserved, Reserved, Refused]
    assert (only(budgets).cap, only(budgets).reserved) == (100, 150)


def test_nobody_in_a_group_is_no_error(budgets: Budgets) -> None:
    assert budgets.reserve_many({}, "i") == {}


def test_a_group_with_a_wrong_claim_reserves_nothing(budgets: Budgets) -> None:
    with pytest.raises(StateError, match="reservation 'b': one claim for each budget is needed"):
        budgets.reserve_many({"a": [claim(1)], "b": [claim(1), claim(2)]}, "i")
    assert budgets.standing(DAY) == ()


def test_a_cap_that_is_raised_holds_from_the_next_reservation_on(budgets: Budgets) -> None:
    budgets.reserve("a", [claim(100)], "i")
    assert isinstance(budgets.reserve("b", [claim(50, cap=150)], "i"), Reserved)
    assert only(budgets).cap == 150


def test_a_cap_that_is_lowered_holds_from_the_next_reservation_on(budgets: Budgets) -> None:
    budgets.reserve("a", [claim(60)], "i")
    assert budgets.reserve("b", [claim(1, cap=50)], "i") == Refused(claim(1, cap=50), left=0)
    standing = only(budgets)
    assert (standing.cap, standing.reserved, standing.left) == (50, 60, 0)


def test_settling_twice_charges_once(budgets: Budgets) -> None:
    budgets.reserve("a", [claim(60)], "i")
    budgets.settle("a", {PREMIUM_USD: 25})
    assert budgets.settle("a", {PREMIUM_USD: 30}) == ()
    assert only(budgets).spent == 25


def test_settling_what_was_never_reserved_changes_nothing(budgets: Budgets) -> None:
    assert budgets.settle("a", {PREMIUM_USD: 25}) == ()
    assert budgets.standing(DAY) == ()


def test_settling_after_midnight_charges_the_day_of_the_reservation(budgets: Budgets) -> None:
    budgets.reserve("a", [claim(60)], "i")
    budgets.reserve("b", [claim(10, day=NEXT_DAY)], "i")
    budgets.settle("a", {PREMIUM_USD: 25})
    assert (only(budgets).spent, only(budgets, NEXT_DAY).spent) == (25, 0)


def test_a_claim_that_is_not_named_is_charged_at_its_bound(budgets: Budgets) -> None:
    budgets.reserve("a", [claim(60), key_claim(10)], "i")
    budgets.settle("a", {KEY_TOKENS: 3})
    assert [(each.spent, each.reserved) for each in budgets.standing(DAY)] == [(3, 0), (60, 0)]


def test_what_lies_above_the_bound_is_charged_and_told(
    budgets: Budgets, caplog: pytest.LogCaptureFixture
) -> None:
    budgets.reserve("a", [claim(60)], "i")
    with caplog.at_level(logging.WARNING, "serving"):
        assert budgets.settle("a", {PREMIUM_USD: 75}) == (Overrun(*PREMIUM_USD, DAY, bound=60, actual=75),)
    assert "budget premium came to 75 usd, 60 reserved" in caplog.text
    assert (only(budgets).spent, only(budgets).overrun) == (75, 15)


@pytest.mark.parametrize(("actual", "spent"), [(10**30, MOST), (-5, 0)], ids=["absurdly much", "negative"])
def test_an_absurd_amount_cannot_break_the_books(budgets: Budgets, actual: int, spent: int) -> None:
    budgets.reserve("a", [claim(60)], "i")
    budgets.settle("a", {PREMIUM_USD: actual})
    assert only(budgets).spent == spent


def test_many_are_settled_in_one_go(budgets: Budgets) -> None:
    for each in "abc":
        budgets.reserve(each, [claim(10)], "i")
    budgets.settle_many({"a": {PREMIUM_USD: 1}, "b": {}, "unknown": {}})
    assert (only(budgets).spent, only(budgets).reserved) == (11, 10)


def test_nothing_to_settle_is_no_error(budgets: Budgets) -> None:
    assert budgets.settle_many({}) == ()


def test_a_released_reservation_leaves_nothing(budgets: Budgets) -> None:
    budgets.reserve("a", [claim(60)], "i")
    budgets.release("a")
    budgets.release("a")
    budgets.settle("a", {PREMIUM_USD: 25})
    assert (only(budgets).spent, only(budgets).reserved) == (0, 0)


def test_a_charge_without_reservation_counts_once_and_may_pass_the_cap(budgets: Budgets) -> None:
    budgets.charge("a", [claim(130), key_claim(7)])
    budgets.charge("a", [claim(130), key_claim(7)])
    assert [(each.spent, each.left) for each in budgets.standing(DAY)] == [(7, 93), (130, 0)]


def test_a_charge_replaces_the_reservation_that_nobody_heard_of(budgets: Budgets) -> None:
    budgets.reserve("a", [claim(60)], "i")
    for _ in range(2):
        budgets.charge("a", [claim(25)])
    assert (only(budgets).spent, only(budgets).reserved) == (25, 0)


@pytest.fixture
def orphaned(database: Database, budgets: Budgets) -> Budgets:
    """Two processes with a reservation each; one of them is dead at 100."""
    heartbeats = Instances(database)
    heartbeats.beat("dead", 10.0)
    heartbeats.beat("alive", 95.0)
    budgets.reserve("d", [claim(30), key_claim(5)], "dead")
    budgets.reserve("a", [claim(40)], "alive")
    return budgets


def test_orphans_are_charged_at_their_bound_and_marked(orphaned: Budgets) -> None:
    assert orphaned.charge_orphans(alive_since=90.0) == (
        Orphan("d", "dead", {KEY_TOKENS: 5, PREMIUM_USD: 30}),
    )
    premium = orphaned.standing(DAY)[1]
    assert (premium.spent, premium.reserved, premium.orphaned) == (30, 40, 30)
    assert orphaned.charge_orphans(alive_since=90.0) == ()


def test_a_process_that_never_beat_is_dead(budgets: Budgets) -> None:
    budgets.reserve("a", [claim(30)], "unheard of")
    assert [each.reservation_id for each in budgets.charge_orphans(alive_since=0.0)] == ["a"]


def test_a_process_that_left_is_dead(database: Database, orphaned: Budgets) -> None:
    Instances(database).leave("alive")
    assert [each.reservation_id for each in orphaned.charge_orphans(alive_since=0.0)] == ["a"]


@pytest.mark.parametrize(("actual", "spent"), [(10, 10), (45, 45)], ids=["below the bound", "above it"])
def test_an_orphan_that_is_settled_after_all_is_corrected(orphaned: Budgets, actual: int, spent: int) -> None:
    orphaned.charge_orphans(alive_since=90.0)
    orphaned.settle("d", {PREMIUM_USD: actual})
    premium = orphaned.standing(DAY)[1]
    assert (premium.spent, premium.reserved, premium.orphaned) == (spent, 40, 0)


def test_an_orphan_that_is_released_after_all_costs_nothing(orphaned: Budgets) -> None:
    orphaned.charge_orphans(alive_since=90.0)
    orphaned.release("d")
    assert [(each.spent, each.orphaned) for each in orphaned.standing(DAY)] == [(0, 0), (0, 0)]


def test_past_days_are_forgotten(budgets: Budgets) -> None:
    budgets.reserve("a", [claim(60)], "i")
    budgets.reserve("b", [claim(10, day=NEXT_DAY)], "i")
    budgets.prune(NEXT_DAY)
    assert budgets.standing(DAY) == ()
    assert only(budgets, NEXT_DAY) == replace(only(budgets, NEXT_DAY), reserved=10)
    budgets.settle("a", {PREMIUM_USD: 1})
    assert budgets.standing(DAY) == ()
