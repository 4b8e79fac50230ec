"""Traces of real proxies, as a collector on loopback gets them."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from serving.errors import ConfigError
from serving.observability.settings import TelemetrySettings
from serving.proxy.telemetry import can_trace
from serving.sandbox import Sandbox, Silence, Status
from serving.serve_config import ServeConfig
from tests.serving.conftest import ASK_CHEAP, BALANCED, CHEAP, ENVIRON
from tests.serving.observability.collector import Collector, attributes_of, collecting
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running

SERVER, CLIENT, ERROR = 2, 3, 2
TRACE, CALLER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
REQUEST = "POST /v1/chat/completions"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


def traced(proxy: MakeProxy, collector: Collector, **more: Any) -> Running:
    telemetry = {"enabled": True, "endpoint": collector.url, **more.pop("telemetry", {})}
    return proxy(serve={"telemetry": telemetry, **more.pop("serve", {})}, **more)


def ask(running: Running, headers: dict[str, str] | None = None, **body: Any) -> httpx2.Response:
    ours = {"model": "auto", "messages": ASK_CHEAP, **body}
    return httpx2.post(
        f"{running.url}/chat/completions",
        content=json.dumps(ours),
        headers={"content-type": "application/json", **(headers or {})},
        timeout=PATIENCE,
        trust_env=False,
    )


def test_a_request_and_its_attempt_are_spans_by_the_conventions(
    proxy: MakeProxy, collector: Collector, upstream: Sandbox
) -> None:
    running = traced(proxy, collector)
    response = ask(running, max_tokens=40, temperature=0.5)
    (row,) = running.rows()
    running.stop()  # which sends what waits
    request, attempt = collector.named(REQUEST), collector.named(f"chat {CHEAP}")
    assert (request.kind, attempt.kind) == (SERVER, CLIENT)
    assert attempt.trace_id == request.trace_id
    assert attempt.parent_span_id == request.span_id
    assert request.start_time_unix_nano <= attempt.start_time_unix_nano
    assert attempt.start_time_unix_nano <= attempt.end_time_unix_nano <= request.end_time_unix_nano
    told = attributes_of(attempt)
    assert {name: value for name, value in told.items() if name != "gen_ai.conversation.id"} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": CHEAP,
        "gen_ai.request.max_tokens": 40,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.model": CHEAP,
        "gen_ai.usage.input_tokens": row.input_tokens,
        "gen_ai.usage.output_tokens": row.output_tokens,
        "http.response.status_code": 200,
        "server.address": "127.0.0.1",
        "server.port": int(upstream.url.rsplit(":", 1)[1].removesuffix("/v1")),
        "tierwise.attempt": 0,
        "tierwise.channel": "standard",
        "tierwise.cost_usd": row.usd,
        "tierwise.outcome": "answered",
    }
    told = attributes_of(request)
    assert told["tierwise.request_id"] == response.headers["x-tierwise-request-id"]
    assert (told["tierwise.tier"], told["tierwise.chosen_by"]) == ("cheap", "policy")
    assert told["tierwise.risk"] == row.risk
    assert told["tierwise.probabilities"] == list(row.probabilities or ())
    assert told["tierwise.policy"] == row.policy
    assert told["tierwise.fell_back"] is False
    assert (told["gen_ai.request.model"], told["gen_ai.response.model"]) == ("auto", CHEAP)
    assert (told["http.request.method"], told["http.route"]) == ("POST", "/v1/chat/completions")
    assert told["http.response.status_code"] == 200
    assert collector.resources[0]["service.name"] == "tierwise"


def test_the_caller_s_trace_goes_on_through_the_proxy_to_the_upstream(
    proxy: MakeProxy, collector: Collector, upstream: Sandbox
) -> None:
    running = traced(proxy, collector)
    ask(running, {"traceparent": f"00-{TRACE}-{CALLER}-01", "tracestate": "vendor=1"})
    running.stop()
    request, attempt = collector.named(REQUEST), collector.named(f"chat {CHEAP}")
    assert request.trace_id.hex() == attempt.trace_id.hex() == TRACE
    assert request.parent_span_id.hex() == CALLER
    sent = {name.lower(): value for name, value in dict(upstream.requests[0].headers).items()}
    assert sent["traceparent"] == f"00-{TRACE}-{attempt.span_id.hex()}-01"
    assert sent["tracestate"] == "vendor=1"


def test_a_caller_that_does_not_sample_gets_no_spans_and_is_passed_on(
    proxy: MakeProxy, collector: Collector, upstream: Sandbox
) -> None:
    running = traced(proxy, collector)
    ask(running, {"traceparent": f"00-{TRACE}-{CALLER}-00"})
    running.stop()
    assert collector.spans == []
    sent = {name.lower(): value for name, value in dict(upstream.requests[0].headers).items()}
    assert sent["traceparent"].startswith(f"00-{TRACE}-")
    assert sent["traceparent"].endswith("-00")


def test_each_attempt_of_a_chain_is_a_span_and_failures_have_their_type(
    proxy: MakeProxy, collector: Collector, upstream: Sandbox
) -> None:
    upstream.script(CHEAP, Status(503))
    running = traced(proxy, collector)
    assert ask(running, stream=True).status_code == 200
    running.stop()
    failed, answered = collector.named(f"chat {CHEAP}"), collector.named(f"chat {BALANCED}")
    assert failed.parent_span_id == answered.parent_span_id == collector.named(REQUEST).span_id
    told = attributes_of(failed)
    assert (told["error.type"], told["tierwise.outcome"], failed.status.code) == ("503", "failed", ERROR)
    told = attributes_of(answered)
    assert "error.type" not in told
    assert told["gen_ai.request.stream"] is True
    assert 0 <= told["gen_ai.response.time_to_first_chunk"] < PATIENCE
    assert attributes_of(collector.named(REQUEST))["tierwise.fell_back"] is True


def test_a_time_out_and_a_request_that_failed_are_errors(
    proxy: MakeProxy, collector: Collector, upstream: Sandbox
) -> None:
    upstream.always("*", Silence(PATIENCE))
    running = traced(proxy, collector, first_byte_seconds=0.3)
    assert ask(running, model=CHEAP).status_code == 504
    running.stop()
    assert attributes_of(collector.named(f"chat {CHEAP}"))["error.type"] == "timeout"
    request = collector.named(REQUEST)
    assert (attributes_of(request)["error.type"], request.status.code) == ("504", ERROR)


def test_a_stored_answer_is_a_request_without_attempts(proxy: MakeProxy, collector: Collector) -> None:
    running = traced(proxy, collector, serve={"cache": {"exact": "repeatable", "lookup_seconds": 5.0}})
    ask(running, temperature=0)
    desk = running.service.desk
    assert desk is not None
    until = time.monotonic() + PATIENCE
    while desk.cache.waiting:
        assert time.monotonic() < until
        time.sleep(0.005)
    ask(running, temperature=0)
    running.stop()
    assert [span.name for span in collector.spans].count(f"chat {CHEAP}") == 1
    requests = [attributes_of(span) for span in collector.spans if span.name == REQUEST]
    assert [each.get("tierwise.cache") for each in requests] == [None, "exact"]
    assert requests[1]["tierwise.saved_usd"] > 0


@pytest.mark.parametrize("prompts", [False, True], ids=["by default", "configured"])
def test_no_prompt_stands_in_a_span_unless_that_is_configured(
    proxy: MakeProxy, collector: Collector, prompts: bool
) -> None:
    running = traced(proxy, collector, telemetry={"prompts": prompts})
    ask(running)
    running.stop()
    assert ("capital of France" in f"{collector.spans}") is prompts
    told = attributes_of(collector.named(f"chat {CHEAP}")).get("gen_ai.input.messages", "[]")
    part = {"type": "text", "content": "What is the capital of France?"}
    assert json.loads(told) == ([{"role": "user", "parts": [part]}] if prompts else [])


def test_what_no_span_can_hold_costs_no_other_span(proxy: MakeProxy, collector: Collector) -> None:
    running = traced(proxy, collector)
    assert ask(running, seed=10**40, n=1, user="odd \ud800").status_code == 200
    assert ask(running, model="odd \ud800").status_code in (200, 400, 404)
    running.stop()
    assert "gen_ai.request.seed" not in attributes_of(collector.named(f"chat {CHEAP}"))
    assert [span.name for span in collector.spans].count(REQUEST) == 2


def test_embeddings_are_called_so(proxy: MakeProxy, collector: Collector) -> None:
    running = traced(proxy, collector)
    body = {"model": "text-embedding-3-small", "input": "a"}
    httpx2.post(f"{running.url}/embeddings", json=body, timeout=PATIENCE, trust_env=False)
    running.stop()
    span = collector.named("embeddings text-embedding-3-small")
    assert attributes_of(span)["gen_ai.operation.name"] == "embeddings"


def test_the_environment_switches_traces_on(proxy: MakeProxy, collector: Collector) -> None:
    environ = {**ENVIRON, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url.removesuffix("/v1/traces")}
    running = proxy(environ=environ)
    ask(running)
    running.stop()
    assert collector.named(REQUEST)


def test_without_traces_nothing_is_sent_along(running: Running, upstream: Sandbox) -> None:
    ask(running, {"traceparent": f"00-{TRACE}-{CALLER}-01"})
    assert "traceparent" not in {name.lower() for name in dict(upstream.requests[0].headers)}


def test_a_collector_that_hangs_holds_up_neither_traffic_nor_the_end(proxy: MakeProxy) -> None:
    with collecting() as collector:
        collector.stuck.set()
        running = traced(proxy, collector)
        for _ in range(5):
            assert ask(running).status_code == 200
        started = time.monotonic()
        running.stop()
        assert time.monotonic() - started < PATIENCE / 2


def test_a_collector_that_is_not_there_costs_spans_alone(proxy: MakeProxy) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{unused.getsockname()[1]}/v1/traces"
    running = traced(proxy, Collector(url=nobody))
    assert ask(running).status_code == 200
    assert ask(running, stream=True).status_code == 200
    running.stop()


def test_traces_that_are_configured_need_the_extra() -> None:
    settings = TelemetrySettings(enabled=True)
    with pytest.raises(ConfigError, match=r"pip install 'tierwise\[telemetry\]'"):
        can_trace(settings, {}, installed=lambda _: False)
    assert can_trace(settings, {}, installed=lambda _: True)


def test_traces_that_only_the_environment_asks_for_are_left_out_without_the_extra(
    caplog: pytest.LogCaptureFixture,
) -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}
    assert not can_trace(TelemetrySettings(), environ, installed=lambda _: False)
    assert "tierwise[telemetry]" in caplog.text


@pytest.mark.parametrize(
    ("environ", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://a/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_SDK_DISABLED": "true"}, False),
    ],
    ids=["nothing", "an endpoint", "no exporter", "switched off"],
)
def test_the_environment_is_read_as_opentelemetry_has_it(environ: dict[str, str], wanted: bool) -> None:
    assert TelemetrySettings().wanted(environ) is wanted


def test_an_endpoint_that_is_no_url_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "tierwise.toml"
    file.write_text('[telemetry]\nendpoint = "collector:4318"\n')
    with pytest.raises(ConfigError, match=r"telemetry\.endpoint: 'collector:4318'"):
        ServeConfig.load(file)


def test_an_endpoint_without_its_scheme_is_told_as_that() -> None:
    with pytest.raises(ConfigError, match="'collector:4318' is no URL: write it like 'http"):
        ServeConfig.from_dict({"telemetry": {"endpoint": "collector:4318"}})
