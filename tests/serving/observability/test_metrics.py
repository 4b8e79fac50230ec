"""What is counted, and how many labels there can be."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.observability.metrics import RequestMetrics
from serving.observability.request_record import RequestOutcome, RequestRecord
from serving.observability.tallies import Histogram
from serving.spending.ledger_row import Outcome
from tests.serving.observability.test_log_lines import ROW, request_with


def sums(metrics: RequestMetrics, name: str) -> dict[tuple[str, ...], float]:
    (tally,) = [each for each in metrics.tallies if each.name == name]
    return dict(tally)


def test_models_that_nobody_configured_are_one_label() -> None:
    metrics = RequestMetrics()
    metrics.know(["vendor/model"])
    for number in range(1000):
        metrics.attempted(replace(ROW, model=f"made-up-{number}"), None)
    metrics.attempted(ROW, None)
    assert sums(metrics, "tierwise_attempts") == {
        ("other", "standard", "answered"): 1000.0,
        ("vendor/model", "standard", "answered"): 1.0,
    }


def test_keys_are_told_apart_up_to_a_bound() -> None:
    metrics = RequestMetrics(by_key=True)
    for number in range(1500):
        metrics.attempted(replace(ROW, key_id=f"{number}"), None)
    found = sums(metrics, "tierwise_key_cost_usd")
    assert len(found) == 1001
    assert found["other",] == pytest.approx(500 * 0.00001)


def test_an_attempt_whose_cost_nobody_knows_is_told_as_that() -> None:
    metrics = RequestMetrics()
    metrics.attempted(replace(ROW, usd=None, outcome=Outcome.UNKNOWN), None)
    assert sums(metrics, "tierwise_unpriced_attempts") == {("other",): 1.0}
    assert sums(metrics, "tierwise_cost_usd") == {}


@pytest.mark.parametrize(
    ("status", "left", "last", "outcome"),
    [
        (200, False, Outcome.ANSWERED, RequestOutcome.ANSWERED),
        (200, False, None, RequestOutcome.ANSWERED),
        (200, False, Outcome.UNKNOWN, RequestOutcome.FAILED),
        (200, False, Outcome.CANCELLED, RequestOutcome.CANCELLED),
        (200, True, Outcome.ANSWERED, RequestOutcome.CANCELLED),
        (429, False, None, RequestOutcome.REFUSED),
        (502, False, Outcome.FAILED, RequestOutcome.FAILED),
        (None, False, None, RequestOutcome.FAILED),
        (None, True, None, RequestOutcome.CANCELLED),
    ],
)
def test_a_request_ends_in_one_of_four_ways(
    status: int | None, left: bool, last: Outcome | None, outcome: RequestOutcome
) -> None:
    rows = [] if last is None else [replace(ROW, outcome=last)]
    record = RequestRecord("r", "POST", "/", 0.0, status=status, client_left=left, rows=rows)
    assert record.outcome is outcome


def test_the_risk_of_a_request_counts_once_however_many_attempts_it_took() -> None:
    metrics, request = RequestMetrics(), request_with(replace(ROW, outcome=Outcome.FAILED))
    request.rows.append(ROW)
    metrics.ended(request)
    (risk,) = [each for each in metrics.histograms if each.name == "tierwise_risk"]
    ((labels, buckets, total),) = list(risk)
    assert (labels, buckets[-1], total) == (("cheap",), ("+Inf", 1), 0.125)


@given(st.lists(st.floats(0, 100), max_size=50))
def test_buckets_never_fall_and_the_last_holds_all(values: list[float]) -> None:
    histogram = Histogram("seconds", "", ("tier",), (0.1, 1.0, 10.0))
    for value in values:
        histogram.observe(("cheap",), value)
    for _, buckets, total in histogram:
        counts = [count for _, count in buckets]
        assert counts == sorted(counts)
        assert counts[-1] == len(values)
        assert counts[1] == sum(value <= 1.0 for value in values)
        assert total == pytest.approx(sum(values))
