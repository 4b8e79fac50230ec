from serving.spending.ledger_row import Outcome
from serving.spending.requests import requests_of
from tests.serving.spending.logged import a_request, an_attempt

FAILED = {"outcome": Outcome.FAILED, "usd": 0.0}


def test_attempts_of_a_request_stand_together_in_their_order() -> None:
    first, second = a_request(1, FAILED, {})
    other = an_attempt(2, at=first.at)
    found = list(requests_of([second, other, first]))
    assert [request.attempts for request in found] == [(first, second), (other,)]


def test_a_request_is_answered_when_any_of_its_attempts_is() -> None:
    (request,) = requests_of(a_request(1, FAILED, {"model": "m"}))
    assert request.answer is request.attempts[1]
    assert request.outcome is Outcome.ANSWERED


def test_a_request_that_nobody_answered_ended_as_its_last_attempt() -> None:
    (request,) = requests_of(a_request(1, FAILED, {"outcome": Outcome.CANCELLED}))
    assert request.answer is None
    assert request.outcome is Outcome.CANCELLED


def test_requests_come_in_order_of_time_and_none_of_nothing() -> None:
    rows = [an_attempt(number) for number in range(5)]
    assert [request.first.request_id for request in requests_of(rows)] == ["r0", "r1", "r2", "r3", "r4"]
    assert list(requests_of([])) == []
