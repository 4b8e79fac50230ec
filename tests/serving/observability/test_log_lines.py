"""What the log says of a request, and of a warning."""

import json
import logging
import sys

from hypothesis import given
from hypothesis import strategies as st

from serving.observability.log_lines import JsonFormatter, RequestLines, drop_notice, formatter_of
from serving.observability.request_record import RequestRecord
from serving.observability.settings import LogFormat
from serving.spending.ledger_row import ChosenBy, LedgerRow, Outcome

ROW = LedgerRow(
    attempt_id="a",
    request_id="r",
    at=0.0,
    requested="auto",
    chosen_by=ChosenBy.POLICY,
    model="vendor/model",
    channel="standard",
    outcome=Outcome.ANSWERED,
    tier="cheap",
    risk=0.125,
    input_tokens=3,
    output_tokens=4,
    usd=0.00001,
    prompt="a secret",
)


def line_of(request: RequestRecord, form: LogFormat) -> str:
    lines: list[str] = []
    RequestLines(lines.append, form).ended(request)
    (line,) = lines
    return line


def request_with(row: LedgerRow | None = ROW, requested: str = "auto") -> RequestRecord:
    return RequestRecord(
        "r",
        "POST",
        "/v1/chat/completions",
        at=1_795_380_000.0,
        headers={"authorization": "Bearer tw_secret"},
        status=200,
        seconds=0.5,
        requested=requested,
        tier="cheap",
        chosen_by=ChosenBy.POLICY,
        body={"messages": "a secret"},
        rows=[] if row is None else [row],
    )


def test_a_request_is_one_line_of_json() -> None:
    told = json.loads(line_of(request_with(), LogFormat.JSON))
    assert (told["event"], told["level"], told["time"]) == (
        "request",
        "info",
        "2026-11-22T20:40:00.000+00:00",
    )
    assert (told["request_id"], told["status"], told["outcome"]) == ("r", 200, "answered")
    assert (told["tier"], told["chosen_by"], told["model"]) == ("cheap", "policy", "vendor/model")
    assert (told["input_tokens"], told["output_tokens"], told["usd"]) == (3, 4, 0.00001)
    assert (told["seconds"], told["risk"], told["attempts"]) == (0.5, 0.125, 1)


def test_a_request_is_one_line_of_text_without_what_is_unknown() -> None:
    assert line_of(request_with(), LogFormat.TEXT) == (
        "time=2026-11-22T20:40:00.000+00:00 event=request request_id=r method=POST "
        "path=/v1/chat/completions status=200 outcome=answered seconds=0.5 requested=auto tier=cheap "
        "chosen_by=policy streamed=no attempts=1 model=vendor/model channel=standard risk=0.125 fell_back=no "
        "input_tokens=3 output_tokens=4 usd=1e-05"
    )


def test_a_request_that_asked_nobody_is_told_without_a_model() -> None:
    told = json.loads(line_of(request_with(None), LogFormat.JSON))
    assert "model" not in told
    assert told["attempts"] == 0


@given(st.text(max_size=400), st.sampled_from([LogFormat.TEXT, LogFormat.JSON]))
def test_what_clients_name_never_breaks_a_line_and_no_secret_stands_in_it(name: str, form: LogFormat) -> None:
    line = line_of(request_with(requested=name), form)
    assert len(line.splitlines()) == 1
    assert "secret" not in line.replace(name, "")


def test_warnings_are_json_too() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        record = logging.LogRecord("serving", logging.WARNING, "", 0, "it %s", ("broke",), sys.exc_info())
    told = json.loads(JsonFormatter().format(record))
    assert (told["level"], told["logger"], told["message"]) == ("warning", "serving", "it broke")
    assert told["exception"].endswith("ValueError: broken")


def test_warnings_are_told_as_ever_otherwise() -> None:
    record = logging.LogRecord("serving", logging.WARNING, "", 0, "it broke", (), None)
    assert formatter_of(LogFormat.OFF).format(record) == "WARNING: it broke"
    assert isinstance(formatter_of(LogFormat.JSON), JsonFormatter)


def test_lines_that_were_dropped_are_told_in_the_same_form() -> None:
    assert drop_notice(LogFormat.TEXT, lambda: 0.0)(3) == "WARNING: 3 lines were dropped: nobody read them"
    assert json.loads(drop_notice(LogFormat.JSON, lambda: 0.0)(3))["dropped"] == 3
