import threading
from dataclasses import replace

import pytest

from serving.cache.stored_answer import StoredAnswer
from serving.state.answers import Answers
from serving.state.database import Database
from serving.state.schema import answers as table

EVENTS = b'data: {"choices":[{"delta":{"content":"and so on"}}]}\n\n' * 400


@pytest.fixture
def answers(database: Database) -> Answers:
    return Answers(database)


def an_answer(number: int = 0, **changes: object) -> StoredAnswer:
    usual = StoredAnswer(
        key=f"{number:064x}",
        scope="key:4f1d",
        at=1000.0 + number,
        expires_at=2000.0 + number,
        model="Qwen/Qwen3-32B",
        channel="standard",
        streamed=False,
        body=b'{"choices":[]}',
    )
    return replace(usual, **changes)  # type: ignore[arg-type]


FULL = an_answer(
    7,
    streamed=True,
    body=EVENTS,
    tier="balanced",
    model_version="2026-11-22",
    input_tokens=12,
    output_tokens=300,
    usd=0.0021,
)


@pytest.mark.parametrize(
    "answer", [FULL, an_answer(), an_answer(body=bytes(range(256)) * 3)], ids=["full", "bare", "any bytes"]
)
def test_an_answer_comes_back_as_it_was_stored(answers: Answers, answer: StoredAnswer) -> None:
    answers.put(answer)
    assert answers.find(answer.key) == answer
    assert answers.find("f" * 64) is None


def test_a_stream_s_events_are_stored_compressed(answers: Answers) -> None:
    answers.put(FULL)
    count, size = answers.size()
    assert count == 1
    assert size < len(EVENTS) / 10


def test_of_two_answers_to_the_same_request_the_later_one_stays(answers: Answers) -> None:
    later = an_answer(1, at=1500.0, body=b"later")
    answers.put(an_answer(1, body=b"first"))
    answers.put(later)
    answers.put(an_answer(1, at=1200.0, body=b"written late"))
    assert answers.find(later.key) == later
    assert answers.size()[0] == 1


def test_what_has_expired_is_pruned_in_many_steps(answers: Answers, database: Database) -> None:
    fill(database, answers, 1200)
    assert answers.prune(2000.0 + 1100) == 1101
    assert answers.size()[0] == 99
    assert answers.prune(0.0) == 0


@pytest.mark.parametrize(
    ("entries", "size", "left"), [(3, 10**9, 3), (100, 50, 5), (2, 50, 2), (100, 100, 10), (1, 1, 0)]
)
def test_what_was_used_longest_ago_leaves_first(answers: Answers, entries: int, size: int, left: int) -> None:
    for number in range(10):
        answers.put(an_answer(number, body=b"0123456789"))
    answers.used([an_answer(0).key], at=5000.0)
    assert answers.bound(entries, size) == 10 - left
    kept = [number for number in range(10) if answers.find(an_answer(number).key) is not None]
    assert kept == ([0, *range(11 - left, 10)] if left else [])


def test_thousands_leave_when_the_bound_is_lowered(answers: Answers, database: Database) -> None:
    fill(database, answers, 1800)
    assert answers.bound(10, 10**9) == 1790
    assert answers.size()[0] == 10


def test_all_answers_or_those_of_a_scope_can_be_cleared(answers: Answers) -> None:
    for number in range(6):
        answers.put(an_answer(number, scope="shared" if number % 2 else "key:4f1d"))
    assert answers.clear("shared") == 3
    assert answers.clear("shared") == 0
    assert answers.clear() == 3
    assert answers.size() == (0, 0)


def test_one_answer_can_be_forgotten(answers: Answers) -> None:
    answers.put(an_answer(1))
    answers.forget(an_answer(1).key)
    assert answers.find(an_answer(1).key) is None


def test_a_body_that_was_damaged_is_no_answer(answers: Answers, database: Database) -> None:
    answers.put(FULL)
    with database.writing() as connection:
        connection.execute(table.update().values(body=b"no compressed bytes"))
    assert answers.find(FULL.key) is None


def test_the_same_answer_can_be_stored_by_many_at_once(answers: Answers) -> None:
    threads = [threading.Thread(target=answers.put, args=[an_answer(1, at=float(n))]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    found = answers.find(an_answer(1).key)
    assert found is not None
    assert found.at == 7.0


def fill(database: Database, answers: Answers, count: int) -> None:
    """Store many answers, quicker than one by one."""
    answers.put(an_answer(0))
    with database.writing() as connection:
        (row,) = connection.execute(table.select()).mappings()
        others = [an_answer(number) for number in range(1, count)]
        values = [
            {**row, "answer_key": each.key, "at": each.at, "used_at": each.at, "expires_at": each.expires_at}
            for each in others
        ]
        connection.execute(table.insert(), values)
