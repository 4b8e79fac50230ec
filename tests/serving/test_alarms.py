import threading

import pytest

from serving.alarms import Alarm, Alarms


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def alarms(clock: Clock) -> Alarms:
    return Alarms(clock)


def test_an_alarm_stands_until_it_is_cleared(alarms: Alarms) -> None:
    alarms.sound("model file", "cut short")
    assert alarms.standing() == (Alarm("model file", "cut short", 100.0, 100.0, 1),)
    alarms.clear("model file")
    assert alarms.standing() == ()


def test_what_is_seen_again_keeps_its_beginning_and_is_counted(alarms: Alarms, clock: Clock) -> None:
    alarms.sound("classifier", "first")
    clock.now = 103.0
    alarms.sound("classifier", "second")
    assert alarms.standing() == (Alarm("classifier", "second", 100.0, 103.0, 2),)


def test_the_oldest_comes_first(alarms: Alarms, clock: Clock) -> None:
    alarms.sound("b", "1")
    clock.now = 101.0
    alarms.sound("a", "2")
    assert [alarm.name for alarm in alarms.standing()] == ["b", "a"]


def test_clearing_what_does_not_stand_does_nothing(alarms: Alarms) -> None:
    alarms.clear("nothing")
    assert alarms.standing() == ()


def test_what_fails_now_and_then_stays_an_alarm_until_it_was_quiet(alarms: Alarms, clock: Clock) -> None:
    alarms.sound("classifier", "x")
    clock.now = 150.0
    alarms.sound("classifier", "x")
    clock.now = 209.0
    alarms.clear("classifier", quiet_seconds=60.0)
    assert len(alarms.standing()) == 1
    clock.now = 210.0
    alarms.clear("classifier", quiet_seconds=60.0)
    assert alarms.standing() == ()


def test_words_are_one_line_of_bounded_length(alarms: Alarms) -> None:
    alarms.sound("a", "two\nlines " + "x" * 10_000)
    words = alarms.standing()[0].words
    assert words.startswith("two lines xxx")
    assert len(words) == 400


def test_an_alarm_is_logged_when_it_begins_and_when_it_ends(
    alarms: Alarms, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    alarms.sound("a", "what is wrong")
    alarms.sound("a", "what is wrong")
    clock.now = 105.0
    alarms.clear("a")
    assert caplog.messages == ["alarm (a): what is wrong", "alarm over (a), after 5 s"]


def test_threads_that_raise_the_same_alarm_are_all_counted(alarms: Alarms) -> None:
    def raise_many() -> None:
        for _ in range(1000):
            alarms.sound("a", "x")

    threads = [threading.Thread(target=raise_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert alarms.standing()[0].count == 4000


def test_an_alarm_is_told_as_json_able_values(alarms: Alarms) -> None:
    alarms.sound("a", "b")
    assert alarms.standing()[0].as_dict() == {
        "name": "a", "words": "b", "since": 100.0, "last": 100.0, "count": 1,
    }  # fmt: skip
