import threading

from hypothesis import given
from hypothesis import strategies as st

from classifier import Tier
from serving.sessions.memory import Memory
from tests.serving.sessions.turns import remembered

EVER = float("-inf")


def test_what_is_not_known_is_not_found() -> None:
    assert Memory(3).find("a", EVER) is None


def test_what_is_too_old_is_not_found() -> None:
    memory, known = Memory(3), remembered(Tier.CHEAP, at=100.0)
    memory.put("a", known, EVER)
    assert memory.find("a", 100.0) == known
    assert memory.find("a", 100.5) is None


def test_the_least_recently_answered_is_forgotten_first() -> None:
    memory = Memory(2)
    for at, key in enumerate(("a", "b", "a", "c")):
        memory.put(key, remembered(Tier.CHEAP, at=float(at)), EVER)
    assert [memory.find(key, EVER) is not None for key in "abc"] == [True, False, True]


def test_old_answers_make_room_by_themselves() -> None:
    memory = Memory(100)
    for at in range(50):
        memory.put(at, remembered(Tier.CHEAP, at=float(at)), since=at - 10.0)
    assert len(memory) == 11


def test_a_call_that_ends_while_another_is_being_remembered_holds_nobody_up() -> None:
    memory = Memory(10)

    class Key:
        """Stands for a stream that was dropped: it ends inside any allocation, in the same thread."""

        def __hash__(self) -> int:
            memory.put("dropped", remembered(Tier.CHEAP), EVER)
            return 1

        def __eq__(self, other: object) -> bool:
            return self is other

    thread = threading.Thread(target=lambda: memory.put(Key(), remembered(Tier.CHEAP), EVER), daemon=True)
    thread.start()
    thread.join(5.0)
    assert not thread.is_alive()
    assert memory.find("dropped", EVER) is not None


def test_an_earlier_answer_does_not_replace_a_later_one() -> None:
    memory = Memory(2)
    memory.put("a", remembered(Tier.PREMIUM, at=5.0), EVER)
    memory.put("a", remembered(Tier.CHEAP, at=4.0), EVER)
    found = memory.find("a", EVER)
    assert found is not None
    assert found.tier is Tier.PREMIUM


def test_a_smaller_memory_forgets_at_once() -> None:
    memory = Memory(10)
    for key in range(10):
        memory.put(key, remembered(Tier.CHEAP, at=float(key)), EVER)
    memory.resize(3)
    assert len(memory) == 3
    assert memory.find(9, EVER) is not None


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0, 1000)), max_size=80), st.integers(1, 10))
def test_it_never_holds_more_than_it_may(answers: list[tuple[int, float]], most: int) -> None:
    memory = Memory(most)
    for key, at in answers:
        memory.put(key, remembered(Tier.CHEAP, at=at), at - 100)
        assert len(memory) <= most


def test_threads_may_share_it() -> None:
    memory = Memory(50)

    def work(own: int) -> None:
        for number in range(500):
            memory.put((own, number % 40), remembered(Tier.CHEAP, at=float(number)), number - 60.0)
            memory.find((own, number % 40), EVER)

    threads = [threading.Thread(target=work, args=(own,)) for own in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(memory) <= 50
