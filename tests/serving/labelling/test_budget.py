"""The cap holds, whatever is reserved, settled and given back in whatever order."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.labelling.budget import Allotment, Budget

CENTS = st.integers(1, 400).map(lambda cents: cents / 100)


async def opened(budget: Budget, usd: float) -> Allotment:
    allotment = await budget.allot(usd)
    assert allotment is not None
    return allotment


async def test_what_is_held_and_not_spent_comes_back() -> None:
    budget = Budget(1.0)
    with await opened(budget, 0.6) as allotment:
        allotment.settle(0.1)
        assert budget.spent == 0.1
        assert budget.held == pytest.approx(0.5)
    assert (budget.spent, budget.held) == (0.1, 0.0)


async def test_what_the_budget_never_covers_is_refused() -> None:
    assert await Budget(1.0).allot(1.01) is None
    assert await Budget(1.0, spent=0.5).allot(0.6) is None


async def test_whoever_waits_gets_what_others_leave() -> None:
    budget = Budget(1.0)
    first = await opened(budget, 0.9)
    waiting = asyncio.create_task(budget.allot(0.5))
    await asyncio.sleep(0)
    assert not waiting.done()
    first.settle(0.2)
    first.close()
    assert await waiting is not None


async def test_whoever_waits_in_vain_is_told() -> None:
    budget = Budget(1.0)
    first = await opened(budget, 0.9)
    waiting = asyncio.create_task(budget.allot(0.5))
    await asyncio.sleep(0)
    first.settle(0.9)
    first.close()
    assert await waiting is None


async def test_an_allotment_grows_only_by_what_is_free() -> None:
    budget = Budget(1.0)
    one, other = await opened(budget, 0.5), await opened(budget, 0.4)
    assert one.reserve(0.6)
    assert not other.reserve(0.41)
    one.close()
    assert other.reserve(0.41)


@given(
    st.floats(0.5, 5.0),
    st.lists(st.tuples(CENTS, st.lists(st.tuples(CENTS, st.floats(0, 1)), max_size=4)), max_size=12),
)
def test_settled_and_reserved_never_exceed_the_cap(
    cap: float, prompts: list[tuple[float, list[tuple[float, float]]]]
) -> None:
    budget = Budget(cap)
    highest = asyncio.run(_all_at_once(budget, prompts))
    assert highest <= cap + 1e-6
    assert budget.held == pytest.approx(0.0, abs=1e-6)


async def _all_at_once(budget: Budget, prompts: list[tuple[float, list[tuple[float, float]]]]) -> float:
    seen = [0.0]

    async def one(usd: float, calls: list[tuple[float, float]]) -> None:
        allotment = await budget.allot(usd)
        for bound, share in calls if allotment else ():
            assert allotment is not None
            settled = bound * share if allotment.reserve(bound) else 0.0
            seen.append(budget.spent + budget.held)
            await asyncio.sleep(0)
            allotment.settle(settled)
            seen.append(budget.spent + budget.held)
        for each in filter(None, (allotment,)):
            each.close()

    await asyncio.gather(*(one(*prompt) for prompt in prompts))
    return max(seen)
