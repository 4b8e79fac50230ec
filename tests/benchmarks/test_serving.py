"""The pure parts of the load benchmark: percentiles, rows beside a peer, and rows without one."""

import pytest

from tests.benchmarks.proxy_load import Measured
from tests.benchmarks.row import Of
from tests.benchmarks.serving import Case, Found, Tally, case_rows, processor_rows
from tests.benchmarks.soak import Sample, slope

STRAIGHT = Found([Measured([0.001] * 100, 0.1)])
OURS = Found([Measured([0.002] * 98 + [0.011, 0.021], 0.25)] * 3)
THEIRS = Found([Measured([0.009] * 100, 1.0)])


def test_one_client_is_told_what_was_added_beside_the_peer() -> None:
    found = {"straight": STRAIGHT, "tierwise": OURS, "LiteLLM": THEIRS}
    [row] = case_rows(Case(streamed=False, prompt="short", clients=1), found)
    assert row.what == "whole, short, 1 client: added to the median"
    assert row.figure == pytest.approx(1.0)
    assert row.speed == pytest.approx(8.0)
    assert row.goal is not None
    assert row.goal.of is Of.SPEED
    assert "added: p50 1.00, p95 1.00, p99 20.00 ms at 400/s" in row.note


def test_several_clients_are_told_calls_a_second_and_their_goal() -> None:
    found = {"straight": STRAIGHT, "tierwise": OURS, "key and budget": OURS, "LiteLLM": THEIRS}
    plain, governed = case_rows(Case(streamed=True, prompt="short", clients=8), found)
    assert (plain.figure, plain.unit) == (400.0, "/s")
    assert plain.goal is not None
    assert plain.goal.bound == 800.0
    assert plain.met is False
    assert governed.what == "streamed, short, 8 clients, key and budget: calls a second"


def test_without_the_peer_there_is_nothing_to_reach() -> None:
    [row] = case_rows(
        Case(streamed=False, prompt="short", clients=32), {"straight": STRAIGHT, "tierwise": OURS}
    )
    assert row.peer is None
    assert row.goal is None


def test_processor_time_is_told_by_call() -> None:
    tallies = {
        ("straight", "whole"): Tally(0.1, 100),
        ("tierwise", "whole"): Tally(0.1, 100),
        ("LiteLLM", "whole"): Tally(0.9, 100),
    }
    [row] = processor_rows(tallies)
    assert (row.figure, row.speed) == pytest.approx((1.0, 9.0))


def test_the_slope_of_a_soak_is_that_of_its_second_half() -> None:
    samples = [Sample(5000 * step, 100.0 + max(0, 5 - step) * 10, 40 + step % 2) for step in range(20)]
    assert slope([(each.requests, each.megabytes) for each in samples[10:]]) == pytest.approx(0.0)
    assert slope([(0, 1.0), (1000, 2.0), (2000, 3.0)]) == pytest.approx(0.001)
