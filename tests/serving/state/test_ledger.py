import math
from dataclasses import replace

import pytest

from serving.spending.ledger_row import LedgerRow, Outcome
from serving.state.database import Database
from serving.state.ledger import Ledger
from tests.serving.state.rows import FULL, a_row

EVER = (-math.inf, math.inf)


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


def ids(ledger: Ledger, since: float = 0.0, until: float = 1e12, key_id: str | None = None) -> list[str]:
    return [row.request_id for row in ledger.rows(since, until, key_id)]


@pytest.mark.parametrize("row", [FULL, a_row()], ids=["every value", "only what is needed"])
def test_a_row_comes_back_as_it_was_written(ledger: Ledger, row: LedgerRow) -> None:
    ledger.append([row])
    assert list(ledger.rows(*EVER)) == [row]
    assert ledger.attempts_of(row.request_id) == (row,)


def test_a_row_that_is_given_twice_is_written_once(ledger: Ledger) -> None:
    ledger.append([FULL, FULL])
    ledger.append([a_row(1), replace(FULL, usd=99.0)])
    assert ids(ledger) == ["r1", "r7"]
    assert ledger.attempts_of("r7") == (FULL,)


def test_no_rows_are_no_error(ledger: Ledger) -> None:
    ledger.append([])
    assert ids(ledger) == []


def test_rows_come_in_the_order_of_time_over_many_pages(ledger: Ledger) -> None:
    ledger.append([a_row(number, at=float(number // 700)) for number in reversed(range(2300))])
    assert ids(ledger) == [f"r{number}" for number in range(2300)]


def test_a_span_begins_inclusively_and_ends_exclusively(ledger: Ledger) -> None:
    ledger.append([a_row(number) for number in range(4)])
    assert ids(ledger, 1001.0, 1003.0) == ["r1", "r2"]


def test_the_rows_of_one_key_can_be_read(ledger: Ledger) -> None:
    ledger.append([a_row(number, key_id="ab"[number % 2]) for number in range(4)])
    assert ids(ledger, key_id="b") == ["r1", "r3"]


def test_the_attempts_of_a_request_come_in_order(ledger: Ledger) -> None:
    ledger.append([a_row(number, request_id="r", attempt=2 - number) for number in range(3)])
    assert [row.attempt for row in ledger.attempts_of("r")] == [0, 1, 2]
    assert ledger.attempts_of("unknown") == ()


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ({"requested": "a\0b\ud800c"}, {"requested": "a\ufffdb\ufffdc"}),
        ({"session": "s" * 5000}, {"session": "s" * 1000}),
        ({"prompt": "p" * 5000}, {"prompt": "p" * 5000}),
        ({"prompt": "p\0"}, {"prompt": "p\ufffd"}),
        ({"input_tokens": 10**30, "output_tokens": -(10**30)}, {"input_tokens": 2**63 - 1}),
        ({"status": 10**10}, {"status": 2**31 - 1}),
        ({"usd": math.nan, "total_seconds": math.inf}, {"usd": None, "total_seconds": None}),
        ({"probabilities": (0.1, 0.2, 0.7)}, {"probabilities": (0.1, 0.2, 0.7)}),
    ],
    ids=[
        "odd characters",
        "long",
        "long prompt",
        "odd prompt",
        "tokens",
        "status",
        "no number",
        "probabilities",
    ],
)
def test_whatever_was_sent_can_be_stored(
    ledger: Ledger, sent: dict[str, object], kept: dict[str, object]
) -> None:
    ledger.append([a_row(1, **sent)])
    (row,) = ledger.rows(*EVER)
    assert {name: getattr(row, name) for name in kept} == kept


def test_old_rows_are_pruned(ledger: Ledger) -> None:
    ledger.append([a_row(number) for number in range(6000)])
    assert ledger.prune(before=6990.0) == 5990
    assert ids(ledger) == [f"r{number}" for number in range(5990, 6000)]
    assert ledger.prune(before=0.0) == 0


def test_an_exact_time_survives(ledger: Ledger) -> None:
    at = 1795380000.123456789
    ledger.append([replace(FULL, at=at)])
    assert [row.at for row in ledger.rows(at, at + 1)] == [at]


def test_the_last_answer_of_a_conversation_is_found_for_its_own_key(ledger: Ledger) -> None:
    failed = a_row(4, session="a", key_id="k1", outcome=Outcome.FAILED)
    others = [a_row(5, session="a", key_id="k2"), a_row(6, session="b", key_id="k1"), a_row(7, session="a")]
    ledger.append([a_row(2, session="a", key_id="k1"), a_row(3, session="c", key_id="k1"), failed, *others])
    found = [
        ledger.last_answered(["a"], "k1", 0.0),
        ledger.last_answered(["a", "c"], "k1", 0.0),
        ledger.last_answered(["a"], "k1", 1002.5),
        ledger.last_answered(["a"], None, 0.0),
        ledger.last_answered([], "k1", 0.0),
    ]
    assert [row and row.request_id for row in found] == ["r2", "r3", None, "r7", None]
