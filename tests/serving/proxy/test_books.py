"""The state in threads: whose failure keeps whom from the database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.errors import StateUnavailableError
from serving.proxy.books import StateBooks
from serving.state import Journal, RowWriter, State


@pytest.fixture
def books(empty_state: Path, tmp_path: Path) -> Iterator[StateBooks]:
    (tmp_path / "state.db").write_bytes(empty_state.read_bytes())
    state = State.open(f"sqlite:///{tmp_path / 'state.db'}")
    journal = Journal.open(tmp_path / "journal")
    made = StateBooks(state, RowWriter(state.ledger, state.budgets, journal), now=lambda: 1000.0)
    made.beat()
    yield made
    made.close(5.0)


def fail() -> str:
    raise StateUnavailableError("the database is locked")


async def test_what_requests_can_do_without_keeps_nobody_from_the_database(books: StateBooks) -> None:
    with pytest.raises(StateUnavailableError, match="is locked"):
        await books.run_aside(fail)
    assert await books.run(lambda: "answered") == "answered"


async def test_what_they_need_spares_everybody_a_second_wait(books: StateBooks) -> None:
    with pytest.raises(StateUnavailableError, match="is locked"):
        await books.run(fail)
    for asked in (books.run, books.run_aside):
        with pytest.raises(StateUnavailableError, match="a moment ago"):
            await asked(lambda: "answered")
