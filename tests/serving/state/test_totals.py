"""Sums that the database makes, on SQLite and PostgreSQL."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.config import RouterConfig
from serving.spending.day_overview import DayOverview
from serving.spending.day_totals import AnswerTimes, HourTotals, TierTotals
from serving.spending.ledger_row import LedgerRow, Outcome
from serving.spending.report import By, build_report
from serving.state.database import Database
from serving.state.ledger import Ledger
from serving.state.schema import ledger as ledger_table
from serving.state.totals import Totals
from tests.serving.state.rows import a_row


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


@pytest.fixture
def totals(database: Database) -> Totals:
    return Totals(database)


def test_nothing_comes_to_nothing(totals: Totals) -> None:
    assert totals.by_tier(0.0, 1e12) == {}
    assert totals.latest_times(0.0, 10) == []


def test_rows_are_added_up_by_tier_within_the_span(ledger: Ledger, totals: Totals) -> None:
    plain = replace(a_row(), outcome=Outcome.ANSWERED, tier="cheap", usd=0.5, input_tokens=3, output_tokens=4)
    given_rows = [
        replace(plain, attempt_id="a", request_id="a", at=10.0),
        replace(plain, attempt_id="b", request_id="b", at=19.9, input_tokens=None),
        replace(plain, attempt_id="c", request_id="c", at=11.0, outcome=Outcome.UNKNOWN, usd=None),
        replace(plain, attempt_id="d", request_id="c", at=11.0, attempt=1),
        replace(plain, attempt_id="e", request_id="e", at=12.0, usd=0.0, cache="exact", saved_usd=0.25),
        replace(plain, attempt_id="f", request_id="f", at=12.0, usd=0.0, cache="semantic"),
        replace(plain, attempt_id="g", request_id="g", at=12.0, tier=None),
        replace(plain, attempt_id="h", request_id="h", at=20.0),
        replace(plain, attempt_id="i", request_id="i", at=9.99),
    ]
    ledger.append(given_rows)
    found = totals.by_tier(10.0, 20.0)
    assert set(found) == {"cheap", "named"}
    assert found["cheap"] == TierTotals(
        requests=5, attempts=6, answered=5, unknown=1, hits=2, semantic_hits=1, usd=1.5,
        cache_saved_usd=0.25, input_tokens=6, output_tokens=8, known_usd=1.0,
    )  # fmt: skip
    assert (found["named"].requests, found["named"].usd) == (1, 0.5)


def test_the_latest_answers_of_models_are_timed(ledger: Ledger, totals: Totals) -> None:
    timed = replace(
        a_row(), outcome=Outcome.ANSWERED, tier="cheap", routing_seconds=0.1, first_token_seconds=0.5
    )
    rows = [
        replace(timed, attempt_id=f"{number}", request_id=f"{number}", at=float(number), total_seconds=number)
        for number in range(5)
    ]
    rows[3] = replace(rows[3], cache="exact")
    ledger.append(rows)
    assert sorted(totals.latest_times(0.0, 3), key=str) == [
        AnswerTimes("cheap", 0.1, 0.5, 2.0),
        AnswerTimes("cheap", 0.1, 0.5, 4.0),
    ]
    assert len(totals.latest_times(4.0, 3)) == 1


some_dollars = st.none() | st.floats(0, 10, allow_nan=False)
some_tokens = st.none() | st.integers(0, 10**6)
attempts: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    tier=st.sampled_from(["cheap", "balanced", "premium", None]),
    usd=some_dollars,
    input_tokens=some_tokens,
    output_tokens=some_tokens,
    outcome=st.sampled_from([Outcome.ANSWERED, Outcome.FAILED, Outcome.CANCELLED]),
    cache=st.sampled_from([None, None, "exact", "semantic"]),
    saved_usd=some_dollars,
)


@given(drawn=st.lists(attempts, max_size=12))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_day_at_a_glance_agrees_with_the_report(
    database: Database, drawn: Sequence[dict[str, object]]
) -> None:
    rows = [_row(number, values) for number, values in enumerate(drawn)]
    with database.writing() as connection:
        connection.execute(ledger_table.delete())
    Ledger(database).append(rows)
    hour = HourTotals(0.0, "00:00", Totals(database).by_tier(0.0, 1e6))
    told = DayOverview((hour,), {}, RouterConfig(), {}).as_dict()
    report = build_report(rows, RouterConfig(), By.TIER, ZoneInfo("UTC")).as_dict()
    total = report["total"]
    for name in ("requests", "attempts", "answered", "unknown_cost_attempts"):
        assert told[name] == total[name]
    assert told["cache"]["hits"] == total["cache_hits"]
    assert told["usd"] == pytest.approx(total["usd"])
    assert told["cache"]["saved_usd"] == pytest.approx(total["cache_saved_usd"])
    assert told["routed_usd"] == pytest.approx(report["routed_usd"])
    assert told["always_usd"] == pytest.approx(report["always_usd"])


def _row(number: int, values: dict[str, object]) -> LedgerRow:
    return replace(a_row(), attempt_id=f"{number}", request_id=f"{number}", at=float(number), **values)  # type: ignore[arg-type]
