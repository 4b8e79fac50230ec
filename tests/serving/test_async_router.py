"""What only the async router can show; test_router.py and test_streams.py drive both."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from classifier import Tier, TierPredictor
from serving import AsyncTierRouter, RouterConfig
from serving.sandbox import Delay, Sandbox, Silence, StallAfter
from tests.serving.conftest import ASK_CHEAP, BALANCED, CHEAP, ENVIRON


@pytest.fixture
async def router(settings: dict[str, Any], predictor: TierPredictor) -> AsyncIterator[AsyncTierRouter]:
    config = RouterConfig.from_dict(settings)
    async with AsyncTierRouter(config, environ=ENVIRON, predictor=predictor) as router:
        yield router


async def test_many_calls_share_one_router(router: AsyncTierRouter) -> None:
    prompts = [f"greeting number {number}" for number in range(30)]
    answers = await asyncio.gather(
        *(router.ask(prompt, model=Tier(number % 3).label) for number, prompt in enumerate(prompts))
    )
    assert all(prompt in answer.text for prompt, answer in zip(prompts, answers, strict=True))
    assert router.summary().by_tier == {tier.label: 10 for tier in Tier}


async def test_calls_wait_side_by_side(router: AsyncTierRouter, upstream: Sandbox) -> None:
    upstream.always(CHEAP, Delay(0.5))
    began = time.perf_counter()
    await asyncio.gather(*(router.ask("Hello", model="cheap") for _ in range(10)))
    assert time.perf_counter() - began < 2.5


async def test_a_callers_own_time_limit_is_no_failure_of_the_model(
    router: AsyncTierRouter, upstream: Sandbox
) -> None:
    upstream.always("*", Silence())
    with pytest.raises(TimeoutError):  # the limit has to stand around the call
        async with asyncio.timeout(0.2):
            await router.ask("Hello")
    assert [request.model for request in upstream.requests] == [CHEAP]
    assert router.summary().requests == 0


async def test_a_cancelled_call_is_cancelled(router: AsyncTierRouter, upstream: Sandbox) -> None:
    upstream.always("*", Silence())
    task = asyncio.create_task(router.ask("Hello"))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_stream_whose_reader_is_cancelled_is_recorded_with_what_it_cost(
    router: AsyncTierRouter, upstream: Sandbox
) -> None:
    upstream.script(CHEAP, StallAfter(3))
    stream = await router.chat.completions.create(model="auto", messages=ASK_CHEAP, stream=True)

    async def read() -> None:
        async for _ in stream:
            pass

    reader = asyncio.create_task(read())
    await asyncio.sleep(0.2)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    summary = router.summary()
    assert (summary.requests, summary.estimated) == (1, 1)
    assert summary.usd > 0


async def test_the_event_loop_goes_on_while_a_model_is_silent(
    settings: dict[str, Any], predictor: TierPredictor, upstream: Sandbox
) -> None:
    upstream.script(CHEAP, StallAfter(0))
    config = RouterConfig.from_dict({**settings, "first_byte_seconds": 0.5})
    async with AsyncTierRouter(config, environ=ENVIRON, predictor=predictor) as router:
        call = asyncio.create_task(
            router.chat.completions.create(model="auto", messages=ASK_CHEAP, stream=True)
        )
        ticks = 0
        while not call.done():
            await asyncio.sleep(0.01)
            ticks += 1
        stream = await call
        assert {chunk.model async for chunk in stream} == {BALANCED}
    assert ticks > 10


async def test_a_stream_may_be_read_through_its_context(router: AsyncTierRouter) -> None:
    stream = await router.chat.completions.create(model="auto", messages=ASK_CHEAP, stream=True)
    async with stream:
        async for _ in stream:
            break
    assert router.summary().requests == 1
