from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving import ConfigError
from serving.spending.traffic_profile import HOURS, Day, TrafficProfile

BERLIN = ZoneInfo("Europe/Berlin")
FLAT = TrafficProfile()
WEIGHTS = st.lists(st.floats(0, 100), min_size=HOURS, max_size=HOURS).filter(lambda each: sum(each) > 1e-3)


def moment(text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("noon", "hours", "behind"),
    [
        pytest.param("2026-11-22T12:00", 24, 12 / 24, id="an ordinary day"),
        pytest.param("2026-03-29T12:00", 23, 11 / 23, id="the day without two o'clock"),
        pytest.param("2026-10-25T12:00", 25, 13 / 25, id="the day with two o'clock twice"),
    ],
)
def test_a_flat_day_passes_evenly_whatever_its_length(noon: str, hours: int, behind: float) -> None:
    day = Day(moment(noon), BERLIN, FLAT)
    assert (day.ends_at - day.began_at) / 3600 == hours
    assert day.elapsed(moment(noon)) == pytest.approx(behind)
    assert (day.elapsed(day.began_at), day.elapsed(day.ends_at)) == pytest.approx((0.0, 1.0))


def test_an_hour_that_comes_twice_counts_twice() -> None:
    two_o_clock = TrafficProfile(tuple(float(hour == 2) for hour in range(HOURS)))
    day = Day(moment("2026-10-25T12:00"), BERLIN, two_o_clock)
    assert day.elapsed(moment("2026-10-25T02:30")) == pytest.approx(0.25)
    assert day.elapsed(moment("2026-10-25T02:30", fold=1)) == pytest.approx(0.75)


def test_a_day_that_lacks_its_only_busy_hour_passes_evenly() -> None:
    two_o_clock = TrafficProfile(tuple(float(hour == 2) for hour in range(HOURS)))
    day = Day(moment("2026-03-29T12:00"), BERLIN, two_o_clock)
    assert day.elapsed(moment("2026-03-29T12:00")) == pytest.approx(11 / 23)


def test_a_moment_outside_the_day_is_its_begin_or_its_end() -> None:
    day = Day(moment("2026-11-22T12:00"), BERLIN, FLAT)
    assert day.elapsed(day.began_at - 5) == 0.0
    assert day.elapsed(day.ends_at + 5) == 1.0


@given(WEIGHTS, st.floats(0, 86_400), st.floats(0, 86_400))
def test_the_share_of_the_day_behind_never_shrinks(weights: list[float], one: float, other: float) -> None:
    day = Day(moment("2026-11-22T12:00"), BERLIN, TrafficProfile(tuple(weights)))
    early, late = (day.elapsed(day.began_at + each) for each in sorted((one, other)))
    assert 0.0 <= early <= late <= 1.0 + 1e-12


@given(WEIGHTS, st.floats(0.001, 0.999))
def test_the_moment_of_a_share_has_that_share_behind_it(weights: list[float], share: float) -> None:
    day = Day(moment("2026-11-22T12:00"), BERLIN, TrafficProfile(tuple(weights)))
    assert day.elapsed(day.at(share)) == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize(
    ("weights", "problem"),
    [
        ((1.0,) * 23, "23 numbers: give one for each hour"),
        ((0.0,) * 24, "not all 0"),
        ((-1.0, *(1.0,) * 23), "none below 0"),
        ((float("nan"), *(1.0,) * 23), "24 numbers"),
    ],
    ids=["too few", "all nothing", "negative", "no number"],
)
def test_a_profile_that_makes_no_sense_is_refused(weights: tuple[float, ...], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        TrafficProfile(weights)


def test_a_profile_is_learned_with_recent_days_first_and_no_hour_at_nothing() -> None:
    morning, evening = ([float(hour == busy) for hour in range(HOURS)] for busy in (9, 18))
    learned = TrafficProfile.learned({1: morning, 4: evening}).weights
    nine, six, three = (learned[hour] / sum(learned) for hour in (9, 18, 3))
    assert nine - three == pytest.approx(2 * (six - three))
    assert three == pytest.approx(0.2 / HOURS)


def test_days_without_traffic_teach_nothing() -> None:
    assert TrafficProfile.learned({}) == FLAT
    assert TrafficProfile.learned({1: [0.0] * HOURS}) == FLAT
