from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.spending.budget_terms import (
    MOST,
    PREMIUM,
    Budget,
    Claim,
    Standing,
    Unit,
    day_of,
    dollars,
    micro_dollars,
    next_day_at,
)

ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland")]


def moment(*parts: int, zone: str = "Europe/Berlin") -> float:
    return datetime(*parts, tzinfo=ZoneInfo(zone)).timestamp()  # type: ignore[misc,arg-type]


def test_a_budget_makes_claims_in_its_own_terms() -> None:
    assert Budget(PREMIUM, Unit.USD, 5_000_000).claim("2026-11-22", 1200) == Claim(
        PREMIUM, Unit.USD, "2026-11-22", 5_000_000, 1200
    )


@pytest.mark.parametrize("amount", [-1, MOST + 1])
def test_an_amount_out_of_range_is_refused(amount: int) -> None:
    with pytest.raises(ValueError, match=f"amount is {amount}: it must lie between 0 and"):
        Budget(PREMIUM, Unit.USD, 0).claim("2026-11-22", amount)
    with pytest.raises(ValueError, match=f"cap is {amount}: it must lie between 0 and"):
        Budget(PREMIUM, Unit.USD, amount)


@pytest.mark.parametrize(
    ("usd", "micro"),
    [(0, 0), (0.29, 290_000), (1e-7, 1), (0.0000010000001, 2), (1e-300, 1), (12_345.678901, 12_345_678_901)],
)
def test_dollars_become_micro_dollars_rounded_up(usd: float, micro: int) -> None:
    assert micro_dollars(usd) == micro


@given(st.integers(0, 10**12))
def test_whole_micro_dollars_survive_the_way_through_dollars(micro: int) -> None:
    assert micro_dollars(dollars(micro)) == micro


@pytest.mark.parametrize(
    ("spent", "reserved", "left"),
    [(3, 2, 5), (8, 2, 0), (8, 9, 0)],
    ids=["some is left", "nothing is left", "the cap was lowered"],
)
def test_what_is_left_is_never_negative(spent: int, reserved: int, left: int) -> None:
    assert Standing(PREMIUM, Unit.USD, "2026-11-22", 10, spent, reserved, 0, 0).left == left


@pytest.mark.parametrize(
    ("at", "hours"),
    [
        (moment(2026, 11, 22), 24),
        (moment(2026, 3, 29), 23),
        (moment(2026, 10, 25), 25),
    ],
    ids=["a usual day", "clocks go forward", "clocks go back"],
)
def test_a_day_ends_at_the_midnight_of_its_zone(at: float, hours: int) -> None:
    assert next_day_at(at, ZoneInfo("Europe/Berlin")) - at == hours * 3600


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)), st.sampled_from(ZONES))
def test_the_next_day_begins_where_this_one_ends(naive: datetime, zone: ZoneInfo) -> None:
    at = naive.replace(tzinfo=UTC).timestamp()
    ends_at = next_day_at(at, zone)
    assert at < ends_at <= at + 25 * 3600
    assert day_of(ends_at - 0.001, zone) == day_of(at, zone) < day_of(ends_at, zone)
