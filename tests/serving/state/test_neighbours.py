"""The semantic cache's index, on both databases."""

import math
import multiprocessing
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from serving.cache.indexed_ask import IndexedAsk, Vector
from serving.errors import StateError
from serving.state.migrate import migrate
from serving.state.neighbours import MOST_DIMENSIONS, Neighbours
from tests.serving.state.postgres import PostgresServer

NOW = 1000.0
EAST, NORTH, WEST = (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)


def towards(degrees: float) -> Vector:
    return math.cos(math.radians(degrees)), math.sin(math.radians(degrees))


def an_ask(number: int = 0, vector: Vector = EAST, **values: Any) -> IndexedAsk:
    ask = IndexedAsk(
        answer_key=f"k{number}",
        bucket="b",
        scope="open",
        ask=f"ask {number}",
        vector=vector,
        model="Qwen/Qwen3-32B",
        model_version="7",
        embedding_model="e",
        at=NOW + number,
        expires_at=NOW + 100,
    )
    return replace(ask, **values)


@pytest.fixture
def asks(new_url: str) -> Iterator[Neighbours]:
    migrate(new_url)
    neighbours = Neighbours.open(new_url)
    yield neighbours
    neighbours.close()


def keys(asks: Neighbours, vector: Vector = EAST, least: float = -1.0, **options: Any) -> list[str]:
    return [each.answer_key for each in asks.near("b", vector, now=NOW, least=least, **options)]


def test_the_nearest_come_first_with_their_words_and_similarity(asks: Neighbours) -> None:
    for number, degrees in enumerate((60.0, 10.0, 90.0)):
        asks.put(an_ask(number, towards(degrees)))
    found = asks.near("b", EAST, now=NOW, least=0.4)
    assert [(each.answer_key, each.ask) for each in found] == [("k1", "ask 1"), ("k0", "ask 0")]
    assert [each.similarity for each in found] == pytest.approx([math.cos(math.radians(10)), 0.5], abs=1e-5)
    assert keys(asks, most=1) == ["k1"]


def test_similarities_reach_from_the_same_to_the_opposite(asks: Neighbours) -> None:
    for number, vector in enumerate((EAST, NORTH, WEST)):
        asks.put(an_ask(number, vector))
    found = asks.near("b", EAST, now=NOW, least=-1.01)
    assert [each.similarity for each in found] == pytest.approx([1, 0, -1], abs=1e-6)


def test_other_buckets_dimensions_and_stale_asks_are_never_found(asks: Neighbours) -> None:
    asks.put(an_ask(0, bucket="other"))
    asks.put(an_ask(1, (1.0, 0.0, 0.0)))
    asks.put(an_ask(2, expires_at=NOW))
    asks.put(an_ask(3, NORTH))
    assert keys(asks) == ["k3"]


def test_an_ask_of_the_same_answer_is_replaced(asks: Neighbours) -> None:
    asks.put(an_ask(0, NORTH))
    asks.put(an_ask(0, EAST, ask="said anew"))
    assert [each.ask for each in asks.near("b", EAST, now=NOW, least=0.9)] == ["said anew"]
    assert asks.size() == 1


def test_words_that_a_database_cannot_hold_do_no_harm(asks: Neighbours) -> None:
    asks.put(an_ask(0, ask="nul \0 and \ud800", model_version=None))
    assert keys(asks) == ["k0"]


def test_an_ask_is_forgotten(asks: Neighbours) -> None:
    asks.put(an_ask(0))
    asks.forget("k0")
    asks.forget("never there")
    assert asks.size() == 0


def test_pruning_drops_the_stale_and_the_oldest_beyond_the_bound(asks: Neighbours) -> None:
    for number in range(6):
        asks.put(an_ask(number, expires_at=NOW + (0 if number == 5 else 100)))
    assert asks.prune(NOW, most_entries=3) == 3
    assert sorted(keys(asks)) == ["k2", "k3", "k4"]


@pytest.mark.parametrize("vector", [(), (1.0,) * (MOST_DIMENSIONS + 1)], ids=["none", "too many"])
def test_vectors_of_an_impossible_size_are_refused(asks: Neighbours, vector: Vector) -> None:
    with pytest.raises(StateError, match="dimensions cannot be stored"):
        asks.put(an_ask(0, vector))


def test_a_vector_of_the_largest_size_is_found_again(asks: Neighbours) -> None:
    vector = (1.0, *(0.0,) * (MOST_DIMENSIONS - 1))
    asks.put(an_ask(0, vector))
    assert keys(asks, vector) == ["k0"]


def test_asks_outlive_their_opener_and_another_one_sees_new_ones(new_url: str) -> None:
    migrate(new_url)
    first, second = Neighbours.open(new_url), Neighbours.open(new_url)
    first.put(an_ask(0))
    assert keys(second) == ["k0"]
    first.close()
    second.put(an_ask(1))
    second.close()
    third = Neighbours.open(new_url)
    assert sorted(keys(third)) == ["k0", "k1"]
    third.close()


def put_from_elsewhere(url: str, number: int) -> None:
    asks = Neighbours.open(url)
    asks.put(an_ask(number))
    asks.close()


def test_processes_that_start_together_share_one_index(new_url: str) -> None:
    migrate(new_url)
    spawn = multiprocessing.get_context("spawn")
    others = [spawn.Process(target=put_from_elsewhere, args=(new_url, number)) for number in range(2)]
    for other in others:
        other.start()
    for other in others:
        other.join(60)
    asks = Neighbours.open(new_url)
    assert sorted(keys(asks)) == ["k0", "k1"]
    asks.close()


def test_the_embedded_index_is_a_file_of_its_own_for_its_owner_alone(tmp_path: Path) -> None:
    Neighbours.open(f"sqlite:///{tmp_path / 'state.db'}").close()
    assert not (tmp_path / "state.db").exists()
    assert (tmp_path / "state.db.neighbours").stat().st_mode & 0o777 == 0o600


def test_an_account_that_may_not_create_the_extension_is_told_what_to_do(
    postgres: PostgresServer,
) -> None:
    url = postgres.new_database()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS semantic_reader"))
        connection.execute(text("CREATE ROLE semantic_reader LOGIN"))
    engine.dispose()
    with pytest.raises(StateError, match="have an administrator run CREATE EXTENSION vector"):
        Neighbours.open(as_role(url, "semantic_reader"))


def test_an_extension_that_stands_is_used_by_any_account(postgres: PostgresServer) -> None:
    url = postgres.new_database()
    Neighbours.open(url).close()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("DROP ROLE IF EXISTS semantic_writer"))
        connection.execute(text("CREATE ROLE semantic_writer LOGIN"))
        connection.execute(text("GRANT ALL ON ALL TABLES IN SCHEMA public TO semantic_writer"))
    engine.dispose()
    asks = Neighbours.open(as_role(url, "semantic_writer"))
    asks.put(an_ask(0))
    assert keys(asks) == ["k0"]
    asks.close()


def as_role(url: str, role: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{role}@{rest.rpartition('@')[2]}"
