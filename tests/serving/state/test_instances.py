from serving.state.database import Database
from serving.state.instances import Instances


def test_a_process_is_alive_from_its_last_beat_on(database: Database) -> None:
    instances = Instances(database)
    instances.beat("a", 10.0)
    instances.beat("b", 20.0)
    instances.beat("a", 30.0)
    assert instances.alive(since=21.0) == {"a"}
    assert instances.alive(since=20.0) == {"a", "b"}


def test_who_left_or_was_forgotten_is_not_alive_until_it_beats_again(database: Database) -> None:
    instances = Instances(database)
    instances.beat("a", 10.0)
    instances.beat("b", 20.0)
    instances.leave("b")
    instances.forget(beat_before=15.0)
    assert instances.alive(since=0.0) == frozenset()
    instances.beat("a", 30.0)
    assert instances.alive(since=0.0) == {"a"}
