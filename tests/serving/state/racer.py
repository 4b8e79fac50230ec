"""What the processes of test_races.py do: each function runs in one of its own and sends what came of it."""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

from serving.spending.budget_terms import PREMIUM, Claim, Reserved, Unit, key_scope
from serving.state.migrate import migrate
from serving.state.state import State

DAY = "2026-11-22"
CAP = 1_000_000  # micro-dollars: the last dollar
CLIENTS = 32


def race(results: Connection, url: str, name: str) -> None:
    """Let many clients reserve and settle, once both processes are there; send what each spent."""
    with State.open(url) as state:
        state.instances.beat(name, 0.0)
        until = time.monotonic() + 60
        while len(state.instances.alive(0.0)) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        barrier = threading.Barrier(CLIENTS)
        with ThreadPoolExecutor(CLIENTS) as pool:
            spent = list(pool.map(lambda number: _client(state, f"{name}{number}", barrier), range(CLIENTS)))
    results.send(spent)


def race_in_groups(results: Connection, url: str, name: str) -> None:
    """Let four threads reserve for eight clients each, once both processes are there; send their spend."""
    with State.open(url) as state:
        state.instances.beat(name, 0.0)
        until = time.monotonic() + 60
        while len(state.instances.alive(0.0)) < 2 and time.monotonic() < until:
            time.sleep(0.01)
        with ThreadPoolExecutor(4) as pool:
            spent = list(pool.map(lambda number: _group(state, f"{name}{number}"), range(4)))
    results.send(spent)


def reserve_and_hang(results: Connection, url: str) -> None:
    """Reserve twenty times, say so, and wait to be killed."""
    state = State.open(url)
    state.instances.beat("killed", 10.0)
    for number in range(20):
        state.budgets.reserve(f"r{number}", [Claim(PREMIUM, Unit.USD, DAY, 1000, 7)], "killed")
    results.send("reserved")
    time.sleep(600)


def migrate_too(results: Connection, url: str) -> None:
    """Migrate; send how many steps it took."""
    results.send(len(migrate(url).steps))


def _group(state: State, name: str) -> int:
    """Reserve for eight at a time, against budgets in any order, until a whole group is refused."""
    draw = random.Random(name)  # noqa: S311
    spent = groups = 0
    while True:
        groups += 1
        asked = {f"{name}-{groups}-{each}": _drawn(draw) for each in range(8)}
        found = state.budgets.reserve_many(asked, name).values()
        granted = [each for each in found if isinstance(each, Reserved)]
        if not granted:
            return spent
        actual = {each.reservation_id: draw.randint(1, each.claims[0].amount) for each in granted}
        state.budgets.settle_many(
            {
                each.reservation_id: {
                    (claim.scope, claim.unit): actual[each.reservation_id] for claim in each.claims
                }
                for each in granted
            }
        )
        spent += sum(actual.values())


def _drawn(draw: random.Random) -> list[Claim]:
    """Claim the same of the premium budget and of a key's, in any order."""
    bound, key = draw.randint(500, 3_000), key_scope(f"k{draw.randrange(4)}")
    return [Claim(scope, Unit.USD, DAY, CAP, bound) for scope in draw.sample([PREMIUM, key], 2)]


def _client(state: State, name: str, barrier: threading.Barrier) -> int:
    """Spend until four refusals in a row say that next to nothing is left."""
    draw = random.Random(name)  # noqa: S311
    budgets = [(PREMIUM, Unit.USD), (key_scope(f"k{len(name) % 2}"), Unit.USD)]
    barrier.wait(60)
    spent = calls = refusals = 0
    while refusals < 4:
        bound, calls = draw.randint(5_000, 30_000), calls + 1
        claims = [Claim(*budget, DAY, CAP, bound) for budget in draw.sample(budgets, 2)]
        if isinstance(state.budgets.reserve(f"{name}-{calls}", claims, name), Reserved):
            actual, refusals = draw.randint(1, bound), 0
            state.budgets.settle(f"{name}-{calls}", dict.fromkeys(budgets, actual))
            spent += actual
        else:
            refusals += 1
    return spent
