import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving import Latency
from serving.latency import LatencyWindow, Percentiles

SECONDS = st.lists(st.floats(0, 1000), min_size=1)


def test_there_are_no_percentiles_of_nothing() -> None:
    assert Percentiles.of([]) is None


def test_a_percentile_is_the_nearest_rank() -> None:
    assert Percentiles.of(float(number) for number in range(100, 0, -1)) == Percentiles(100, 50, 95, 99)


@given(SECONDS)
def test_percentiles_are_measured_values_in_order(values: list[float]) -> None:
    found = Percentiles.of(values)
    assert found is not None
    assert min(values) <= found.p50 <= found.p95 <= found.p99 <= max(values)
    assert {found.p50, found.p95, found.p99} <= set(values)
    assert sum(value <= found.p95 for value in values) >= 0.95 * len(values)


@given(SECONDS)
def test_percentiles_do_not_depend_on_the_order_of_the_calls(values: list[float]) -> None:
    assert Percentiles.of(values) == Percentiles.of(reversed(values))


def test_a_window_keeps_the_last_calls_and_no_more() -> None:
    window = LatencyWindow(3)
    for number in range(1, 1_001):
        window.add(Latency(float(number), None, 2.0 * number))
    latencies = window.latencies()
    assert latencies.routing == Percentiles(3, 999, 1000, 1000)
    assert latencies.first_token is None
    assert latencies.as_dict()["total"] == {"count": 3, "p50": 1998, "p95": 2000, "p99": 2000}


@pytest.mark.parametrize("part", ["routing", "first_token", "total"])
def test_an_empty_window_has_no_latencies(part: str) -> None:
    assert getattr(LatencyWindow(3).latencies(), part) is None
