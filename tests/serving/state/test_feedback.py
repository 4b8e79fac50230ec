from dataclasses import replace

import pytest

from serving.state.database import Database
from serving.state.feedback import Feedback, FeedbackLog, Thumb


@pytest.fixture
def log(database: Database) -> FeedbackLog:
    return FeedbackLog(database)


def test_feedback_comes_back_in_the_order_of_time(log: FeedbackLog) -> None:
    log.add("r2", Thumb.DOWN, 20.0, key_id="4f1d", comment="too short\0")
    log.add("r1", Thumb.UP, 10.0)
    log.add("r3", Thumb.UP, 30.0)
    assert list(log.rows(10.0, 30.0)) == [
        Feedback("r1", Thumb.UP, 10.0),
        Feedback("r2", Thumb.DOWN, 20.0, "4f1d", "too short\ufffd"),
    ]


def test_a_later_thumb_replaces_an_earlier_one(log: FeedbackLog) -> None:
    log.add("r1", Thumb.UP, 10.0, comment="fine")
    log.add("r1", Thumb.DOWN, 20.0)
    assert list(log.rows(0.0, 100.0)) == [Feedback("r1", Thumb.DOWN, 20.0)]


def test_what_is_told_later_adds_to_a_thumb_and_its_comment(log: FeedbackLog) -> None:
    log.add("r1", Thumb.DOWN, 10.0, comment="wrong")
    log.add("r1", None, 20.0, retried=True)
    log.add("r1", None, 30.0, escalated_to="premium")
    known = Feedback("r1", Thumb.DOWN, 30.0, None, "wrong", retried=True, escalated_to="premium")
    assert list(log.rows(0.0, 100.0)) == [known]
    log.add("r1", None, 40.0, comment="better", retried=False)
    assert list(log.rows(0.0, 100.0)) == [replace(known, at=40.0, comment="better", retried=False)]
