import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.spending.ledger_row import ChosenBy, LedgerRow, Outcome

SMALLEST = LedgerRow(
    attempt_id="a" * 32,
    request_id="r1",
    at=1_795_380_000.0,
    requested="auto",
    chosen_by=ChosenBy.POLICY,
    model="m",
    channel="standard",
    outcome=Outcome.ANSWERED,
)

finite = st.floats(allow_nan=False, allow_infinity=False)
rows = st.builds(
    LedgerRow,
    attempt_id=st.uuids().map(lambda each: each.hex),
    at=finite,
    requested=st.text(),
    chosen_by=st.sampled_from(ChosenBy),
    outcome=st.sampled_from(Outcome),
    probabilities=st.none() | st.tuples(finite, finite, finite),
    risk=st.none() | finite,
    usd=st.none() | finite,
    routing_seconds=st.none() | finite,
    first_token_seconds=st.none() | finite,
    total_seconds=st.none() | finite,
)


@given(rows)
def test_a_row_comes_back_whole_from_json(row: LedgerRow) -> None:
    assert LedgerRow.from_dict(json.loads(json.dumps(row.as_dict()))) == row


def test_choosers_and_outcomes_are_enumerations_again_after_json() -> None:
    again = LedgerRow.from_dict(json.loads(json.dumps(SMALLEST.as_dict())))
    assert isinstance(again.chosen_by, ChosenBy)
    assert isinstance(again.outcome, Outcome)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"outcome": "lost"}, ValueError, "'lost' is not a valid Outcome"),
        ({"chosen_by": "dice"}, ValueError, "'dice' is not a valid ChosenBy"),
        ({"probabilities": [0.5, 0.5]}, ValueError, "not enough values"),
        ({"colour": "red"}, TypeError, "colour"),
    ],
    ids=["outcome", "chooser", "probabilities", "unknown name"],
)
def test_what_is_no_row_is_refused(change: dict[str, object], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        LedgerRow.from_dict(SMALLEST.as_dict() | change)
