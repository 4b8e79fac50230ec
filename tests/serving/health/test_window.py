"""The rolling window against a list of everything that was ever counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.health.window import Counts, RollingWindow

steps = st.lists(st.tuples(st.floats(0, 40), st.booleans(), st.booleans()), max_size=60)


@given(steps=steps)
def test_it_holds_all_of_eleven_twelfths_of_its_time_and_nothing_older_than_all_of_it(
    steps: list[tuple[float, bool, bool]],
) -> None:
    window, now, seen = RollingWindow(120.0), 0.0, []
    for passed, failed, slow in steps:
        now += passed
        window.add(now, calls=1, failed=failed, slow=slow)
        seen.append((now, failed, slow))
        counts = window.counts(now)
        surely = [each for each in seen if each[0] > now - 110.0]
        at_most = [each for each in seen if each[0] >= now - 120.0]
        assert len(surely) <= counts.calls <= len(at_most)
        assert sum(each[1] for each in surely) <= counts.failed <= sum(each[1] for each in at_most)
        assert sum(each[2] for each in surely) <= counts.slow <= sum(each[2] for each in at_most)


@given(steps=steps, later=st.floats(120, 1e9))
def test_it_is_empty_once_its_time_has_passed(steps: list[tuple[float, bool, bool]], later: float) -> None:
    window, now = RollingWindow(120.0), 0.0
    for passed, failed, slow in steps:
        now += passed
        window.add(now, calls=1, failed=failed, slow=slow)
    assert window.counts(now + later) == Counts()


def test_a_clock_that_goes_back_loses_nothing() -> None:
    window = RollingWindow(60.0)
    window.add(100.0, calls=1)
    window.add(50.0, calls=1)
    assert window.counts(100.0).calls == 2


def test_failures_of_calls_that_began_before_the_window_are_calls_too() -> None:
    assert Counts(calls=2, failed=6).error_rate == 1.0
    assert Counts(calls=8, failed=2, slow=1) == Counts(8, 2, 1)
    assert Counts(calls=8, failed=2).error_rate == pytest.approx(0.25)
    assert Counts().error_rate is None
    assert Counts().slow_rate is None
