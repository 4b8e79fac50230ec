"""Streams over real HTTP: what the caller sees, when they fall back, and what is recorded."""

import gc
import time
from typing import Any

import openai
import pytest
from openai.types.chat import ChatCompletionChunk

from classifier import TierPredictor
from serving import ChainFailedError, RouterConfig, TierRouter, routing_of
from serving.sandbox import (
    BrokenJson,
    Comments,
    Drip,
    EndAfter,
    Fault,
    Gigantic,
    HtmlPage,
    Latency,
    NoUsage,
    Reset,
    ResetAfter,
    Sandbox,
    Silence,
    StallAfter,
    Status,
    StreamError,
)
from tests.serving.conftest import ASK_CHEAP, BALANCED, CHEAP, ENVIRON, Driver

USAGE = {"include_usage": True}


def text(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


class TestWhatTheCallerSees:
    def test_it_is_the_sdks_stream(self, driver: Driver) -> None:
        stream = driver.create(model="auto", messages=ASK_CHEAP, stream=True)
        assert isinstance(stream, openai.Stream | openai.AsyncStream)
        assert stream.response.status_code == 200
        chunks = driver.read(stream)
        assert {type(chunk) for chunk in chunks} == {ChatCompletionChunk}
        assert chunks[0].choices[0].delta.role == "assistant"
        assert chunks[-1].choices[0].finish_reason == "stop"

    def test_every_chunk_is_the_one_that_the_plain_client_sees(
        self, driver: Driver, upstream: Sandbox
    ) -> None:
        with openai.OpenAI(base_url=upstream.url, api_key="k", max_retries=0) as plain:
            bare = list(
                plain.chat.completions.create(
                    model=CHEAP, messages=ASK_CHEAP, stream=True, stream_options={"include_usage": True}
                )
            )
        params: Any = {"model": "auto", "messages": ASK_CHEAP, "stream": True}
        with_usage = driver.read(driver.create(**params, stream_options=USAGE))
        without = driver.read(driver.create(**params))
        assert text(with_usage) == text(without) == text(bare)
        assert len(with_usage) == len(bare) == len(without) + 1

    def test_the_usage_chunk_is_shown_to_who_asked_for_it(self, driver: Driver) -> None:
        stream = driver.create(model="auto", messages=ASK_CHEAP, stream=True, stream_options=USAGE)
        last = driver.read(stream)[-1]
        assert last.choices == []
        assert last.usage.completion_tokens == stream.routing.cost.tokens.output

    def test_a_tool_call_is_a_first_token_too(self, driver: Driver) -> None:
        tool: Any = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}
        stream = driver.create(
            model="auto", messages=ASK_CHEAP, stream=True, tools=[tool], tool_choice="required"
        )
        chunks = driver.read(stream)
        assert any(chunk.choices and chunk.choices[0].delta.tool_calls for chunk in chunks)
        assert stream.routing.attempts[0].failure == ""


class TestTheRecord:
    def test_it_is_complete_at_the_end(self, driver: Driver) -> None:
        stream = driver.create(model="auto", messages=ASK_CHEAP, stream=True)
        begun = stream.routing
        assert (begun.complete, begun.model, begun.latency.total, begun.cost.usd) == (
            False,
            CHEAP,
            None,
            None,
        )
        assert driver.router.summary().requests == 0
        chunks = driver.read(stream)
        ended: Any = routing_of(stream)
        assert ended.complete
        assert ended.cost.usd == pytest.approx(
            ended.cost.tokens.input * 0.25e-6 + (len(chunks) - 2) * 0.25e-6
        )
        assert not ended.cost.estimated
        assert 0 < ended.latency.routing < ended.latency.first_token < ended.latency.total
        assert driver.router.summary().requests == 1

    def test_the_first_token_comes_long_before_the_end(self, driver: Driver, upstream: Sandbox) -> None:
        upstream.script(CHEAP, Drip(pause=0.005, size=100))
        stream = driver.create(model="auto", messages=ASK_CHEAP, stream=True)
        driver.read(stream)
        assert stream.routing.latency.first_token < stream.routing.latency.total / 2

    def test_a_stream_that_the_caller_closes_early_is_counted_from_its_text(self, driver: Driver) -> None:
        stream = driver.create(model="auto", messages=ASK_CHEAP, stream=True)
        driver.read(stream, most=5)
        driver.close(stream)
        driver.close(stream)
        routing = stream.routing
        assert (routing.complete, routing.cost.estimated) == (True, True)
        assert routing.cost.note == "the stream was closed before its usage came: counted from the text"
        assert routing.attempts[0].failure == ""
        assert driver.router.summary().requests == 1

    def test_a_stream_that_is_dropped_is_recorded_too(
        self, settings: dict[str, Any], predictor: TierPredictor
    ) -> None:
        with TierRouter(RouterConfig(**settings), environ=ENVIRON, predictor=predictor) as router:
            for _ in router.chat.completions.create(model="auto", messages=ASK_CHEAP, stream=True):
                break
            gc.collect()
            assert router.summary().requests == 1

    def test_a_streaming_response_leaves_the_stream_to_the_caller(
        self, settings: dict[str, Any], predictor: TierPredictor, upstream: Sandbox
    ) -> None:
        upstream.script(CHEAP, Status(503))
        with TierRouter(RouterConfig(**settings), environ=ENVIRON, predictor=predictor) as router:
            streaming = router.chat.completions.with_streaming_response
            with streaming.create(model="auto", messages=ASK_CHEAP, stream=True) as response:
                chunks = list(response.parse())
                assert routing_of(response).complete
            with streaming.create(model="auto", messages=ASK_CHEAP, stream=True) as response:
                assert sum(line.startswith("data:") for line in response.iter_lines()) > 5
                assert not routing_of(response).complete
            del response
            gc.collect()
            summary = router.summary()
        assert {chunk.model for chunk in chunks} == {BALANCED}
        assert (summary.requests, summary.unknown_cost) == (2, 1)


FALLS_BACK: list[tuple[str, Fault, str]] = [
    ("rate limit", Status(429), "status 429"),
    ("server error", Status(503), "status 503"),
    ("silence", Silence(), "timed out"),
    ("only the role, then silence", StallAfter(0), "timed out"),
    ("comments for ever", Comments(pause=0.1, count=100), "timed out"),
    ("one endless event", Gigantic(size=1 << 34), "timed out"),
    ("trickle", Drip(pause=0.05), "timed out"),
    ("reset", Reset(), "connection failed"),
    ("only the role, then a reset", ResetAfter(0), "connection failed"),
    ("only the role, then the end", EndAfter(0), "the stream ended before its first token"),
    ("an error inside", StreamError(0), "error in the stream"),
    ("broken json", BrokenJson(), "broken JSON"),
    ("html", HtmlPage(), "the stream ended before its first token"),
]


class TestFallback:
    @pytest.mark.parametrize(
        ("fault", "cause"), [case[1:] for case in FALLS_BACK], ids=[case[0] for case in FALLS_BACK]
    )
    def test_before_the_first_token_the_next_model_answers(
        self, hasty: Driver, upstream: Sandbox, fault: Fault, cause: str
    ) -> None:
        upstream.script(CHEAP, fault)
        stream = hasty.create(model="auto", messages=ASK_CHEAP, stream=True)
        chunks = hasty.read(stream)
        assert {chunk.model for chunk in chunks} == {BALANCED}
        assert text(chunks)
        first, second = stream.routing.attempts
        assert first.failure.startswith(cause)
        assert (second.model, second.failure) == (BALANCED, "")
        assert first.seconds < 1.0

    @pytest.mark.parametrize(
        ("fault", "kind", "cause"),
        [
            (ResetAfter(3), openai.APIConnectionError, "connection failed"),
            (StreamError(3), openai.APIError, "error in the stream"),
            (StallAfter(3), openai.APITimeoutError, "timed out"),
        ],
        ids=["reset", "error inside", "stall"],
    )
    def test_after_the_first_token_the_failure_is_the_callers_with_the_cost_so_far(
        self, driver: Driver, upstream: Sandbox, fault: Fault, kind: type[openai.APIError], cause: str
    ) -> None:
        upstream.script(CHEAP, fault)
        stream = driver.create(model="auto", messages=ASK_CHEAP, stream=True, timeout=1.0)
        with pytest.raises(openai.APIError) as caught:  # the class is the point
            driver.read(stream)
        assert type(caught.value) is kind
        routing = routing_of(caught.value)
        assert routing == stream.routing
        (attempt,) = routing.attempts
        assert attempt.failure.startswith(cause)
        assert (routing.model, routing.complete, routing.cost.estimated) == (CHEAP, True, True)
        assert routing.cost.usd is not None
        assert len(upstream.requests) == 1

    def test_a_stream_that_just_ends_says_so(self, driver: Driver, upstream: Sandbox) -> None:
        upstream.script(CHEAP, EndAfter(3))
        stream = driver.create(model="auto", messages=ASK_CHEAP, stream=True)
        assert len(driver.read(stream)) == 4
        assert stream.routing.attempts[0].failure == "the stream ended without a finish reason"
        assert stream.routing.cost.estimated

    def test_a_pause_after_the_first_token_may_outlast_the_time_to_it(
        self, hasty: Driver, upstream: Sandbox
    ) -> None:
        upstream.script(CHEAP, _Hesitate(0.8))
        stream = hasty.create(model="auto", messages=ASK_CHEAP, stream=True)
        assert len(hasty.read(stream)) > 10
        assert (stream.routing.model, stream.routing.latency.total > 0.8) == (CHEAP, True)

    def test_comments_before_the_first_token_are_no_failure(self, hasty: Driver, upstream: Sandbox) -> None:
        upstream.script(CHEAP, Comments(pause=0.05, count=3))
        stream = hasty.create(model="auto", messages=ASK_CHEAP, stream=True)
        assert text(hasty.read(stream))
        assert stream.routing.model == CHEAP

    @pytest.mark.parametrize("fault", [StallAfter(2), Drip(pause=0.1, size=200)], ids=["stall", "trickle"])
    def test_the_deadline_bounds_the_whole_stream(
        self, driver: Driver, upstream: Sandbox, fault: Fault
    ) -> None:
        upstream.script(CHEAP, fault)
        began = time.perf_counter()
        stream = driver.create(model="auto", messages=ASK_CHEAP, stream=True, timeout=0.8)
        with pytest.raises(openai.APITimeoutError, match="timed out"):
            driver.read(stream)
        assert time.perf_counter() - began == pytest.approx(0.8, abs=0.3)

    def test_when_no_model_begins_one_error_tells_every_attempt(
        self, driver: Driver, upstream: Sandbox
    ) -> None:
        upstream.always("*", StreamError(0, message="overloaded"))
        with pytest.raises(ChainFailedError, match="error in the stream: overloaded") as caught:
            driver.create(model="auto", messages=ASK_CHEAP, stream=True)
        assert len(caught.value.routing.attempts) == 3

    def test_without_usage_the_answer_is_counted_from_its_text(
        self, driver: Driver, upstream: Sandbox
    ) -> None:
        upstream.script(CHEAP, NoUsage())
        stream = driver.create(model="auto", messages=ASK_CHEAP, stream=True)
        chunks = driver.read(stream)
        assert stream.routing.cost.note == "the upstream sent no usage: counted from the text"
        assert stream.routing.cost.tokens.output == pytest.approx(len(text(chunks)) / 4, rel=0.05)


class _Hesitate:
    """A stream with a pause after its second token."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def play(self, exchange: Any) -> None:
        events = exchange.answer.events
        await exchange.begin(2)
        await exchange.hold(self._seconds)
        await exchange.finish(b"".join(events.tokens[2:] + events.tail))


class TestThreadsOfTokens:
    def test_a_slow_model_streams_as_it_goes(self, predictor: TierPredictor) -> None:
        with Sandbox.start(latency=Latency(first_token=0.05, per_token=0.002)) as slow:
            config = RouterConfig(base_url=slow.url)
            with TierRouter(config, environ=ENVIRON, predictor=predictor) as router:
                stream = router.chat.completions.create(model="auto", messages=ASK_CHEAP, stream=True)
                times = [time.perf_counter() for _ in stream]
        assert times[-1] - times[1] > 0.05
