"""Real processes at once, on real databases: no cap is exceeded, nothing is done twice."""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any, Protocol

import pytest
from sqlalchemy import text

from serving.spending.budget_terms import PREMIUM, Claim, Orphan, Standing, Unit
from serving.state.database import Database
from serving.state.migrate import Migrated, migrate
from serving.state.schema import REVISION
from serving.state.state import State
from tests.serving.state.racer import CAP, DAY, migrate_too, race, race_in_groups, reserve_and_hang

SECONDS = 120  # that a process may take, on a machine with other work


class Start(Protocol):
    def __call__(self, work: Callable[..., None], *arguments: str) -> tuple[ForkServerProcess, Connection]:
        """Run a function in a process; return that and what it sends to."""


@pytest.fixture
def start() -> Iterator[Start]:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([race.__module__])  # imported once for all processes
    started: list[ForkServerProcess] = []

    def start(work: Callable[..., None], *arguments: str) -> tuple[ForkServerProcess, Connection]:
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=work, args=(sender, *arguments))
        process.start()
        sender.close()
        started.append(process)
        return process, receiver

    yield start
    for process in started:
        process.kill()
        process.join(SECONDS)


def received(receiver: Connection) -> Any:
    assert receiver.poll(SECONDS)
    return receiver.recv()


def watched(state: State, receiver: Connection) -> list[Standing]:
    """Look at the budgets until there is something to receive."""
    seen: list[Standing] = []
    until = time.monotonic() + SECONDS
    while not receiver.poll(0.01) and time.monotonic() < until:
        seen += state.budgets.standing(DAY)
    return seen


@pytest.mark.parametrize("work", [race, race_in_groups], ids=["each alone", "in groups"])
def test_64_clients_in_two_processes_race_for_the_last_dollar(
    url: str, database: Database, start: Start, work: Callable[..., None]
) -> None:
    state = State.of(database)
    receivers = [start(work, url, name)[1] for name in ("left", "right")]
    seen = watched(state, receivers[0])
    left, right = map(received, receivers)
    premium, *of_keys = sorted(state.budgets.standing(DAY), key=lambda each: each.scope != PREMIUM)
    assert max(each.spent + each.reserved for each in [*seen, premium]) <= CAP
    assert premium.spent == sum(left) + sum(right) == sum(each.spent for each in of_keys)
    assert (premium.reserved, premium.orphaned, premium.overrun) == (0, 0, 0)
    assert premium.left < 30_000
    assert min(sum(left), sum(right)) > 0


def test_what_a_killed_process_reserved_is_charged_once_whoever_looks(
    url: str, database: Database, start: Start
) -> None:
    process, receiver = start(reserve_and_hang, url)
    assert received(receiver) == "reserved"
    process.kill()
    state = State.of(database)
    with ThreadPoolExecutor(4) as pool:
        rounds = list(pool.map(lambda _: state.budgets.charge_orphans(alive_since=20.0), range(4)))
    charged = [orphan for each in rounds for orphan in each]
    expected = [Orphan(f"r{number}", "killed", {(PREMIUM, Unit.USD): 7}) for number in range(20)]
    assert sorted(charged, key=lambda each: int(each.reservation_id[1:])) == expected
    (standing,) = state.budgets.standing(DAY)
    assert (standing.spent, standing.reserved, standing.orphaned) == (140, 0, 140)


def test_replicas_that_start_together_migrate_once(new_url: str, start: Start) -> None:
    receivers = [start(migrate_too, new_url)[1] for _ in range(3)]
    assert sorted(map(received, receivers)) == [0, 0, int(REVISION)]  # steps
    assert migrate(new_url) == Migrated(REVISION, REVISION, ())


def test_claims_in_any_order_never_wait_in_a_circle(database: Database) -> None:
    budgets = State.of(database).budgets

    def reserve(number: int) -> None:
        order = "ab" if number % 2 else "ba"
        budgets.reserve(f"r{number}", [tokens(scope) for scope in order], "i")
        budgets.settle(f"r{number}", {})

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(reserve, range(80)))
    assert [each.spent for each in budgets.standing(DAY)] == [80, 80]


def test_settling_takes_budgets_in_the_same_order_as_reserving(server_url: str) -> None:
    with State.open(server_url) as state, ThreadPoolExecutor(1) as pool:
        state.budgets.reserve("1", [tokens("b")], "i")
        state.budgets.reserve("2", [tokens("a")], "i")
        with state.database.writing() as connection:
            connection.execute(text("UPDATE tierwise_budgets SET cap = cap WHERE scope = 'a'"))
            settling = pool.submit(state.budgets.settle_many, {"1": {}, "2": {}})
            until_one_waits(state.database)
            connection.execute(text("SET LOCAL lock_timeout = 500"))
            connection.execute(text("UPDATE tierwise_budgets SET cap = cap WHERE scope = 'b'"))
        assert settling.result(30) == ()
        assert [each.spent for each in state.budgets.standing(DAY)] == [1, 1]


def tokens(scope: str) -> Claim:
    return Claim(scope, Unit.TOKENS, DAY, 10**6, 1)


def until_one_waits(database: Database) -> None:
    waiting, until = 0, time.monotonic() + 2.0
    while not waiting and time.monotonic() < until:
        with database.reading() as connection:
            waiting = connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one()
    assert waiting
