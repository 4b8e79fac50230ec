"""Spans of requests and of the attempts in them, by OpenTelemetry's conventions for generative AI.

A request is a span of kind server, each attempt in it a span of kind client, `chat MODEL`, with the
`gen_ai.*` attributes of the conventions as they stood in November 2026 (semantic-conventions-genai, in
development), and `tierwise.*` for what they have no words for. `error.type` is the upstream's HTTP status,
`timeout`, or `_OTHER`. No prompt stands in a span unless that was configured.

Spans go to a bounded queue; a thread sends them. A collector that is down or slow costs spans, never traffic.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from serving.chain import TIMED_OUT
from serving.observability.observers import Headers
from serving.observability.request_record import RequestOutcome, RequestRecord
from serving.observability.settings import TelemetrySettings
from serving.spending.ledger_row import LedgerRow, Outcome

__all__ = ["Address", "Traces"]

Address = tuple[str, int]
"""Host and port of an upstream."""

_SCHEMA = "https://opentelemetry.io/schemas/1.44.0"
_MOST_OPEN = 20_000  # spans; those of requests that nobody ends would otherwise stay forever
_EMBEDDINGS = "/v1/embeddings"
_CARRIED = ("traceparent", "tracestate")
_NUMBERS = {
    "max_tokens": "gen_ai.request.max_tokens",
    "max_completion_tokens": "gen_ai.request.max_tokens",
    "max_output_tokens": "gen_ai.request.max_tokens",
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
}
_NANOSECONDS = 1_000_000_000
_MOST = 2**63  # what the protocol has room for: one value beyond it would cost a whole batch of spans


class Traces:
    """An observer that makes spans; used in one event loop."""

    def __init__(
        self,
        provider: TracerProvider,
        settings: TelemetrySettings,
        address: Callable[[LedgerRow], Address | None],
        time_ns: Callable[[], int],
    ) -> None:
        """Begin.

        Args:
            provider: of spans; not the global one.
            settings: whether spans hold prompts, and what the API is called.
            address: of the upstream that a row's model is asked at.
            time_ns: nanoseconds since the epoch.
        """
        self._provider = provider
        self._tracer = provider.get_tracer("tierwise", version("tierwise"), schema_url=_SCHEMA)
        self._settings = settings
        self._address = address
        self._time_ns = time_ns
        self._propagator = TraceContextTextMapPropagator()
        self._requests: OrderedDict[str, Span] = OrderedDict()
        self._attempts: OrderedDict[str, tuple[Span, int]] = OrderedDict()
        self._current: dict[str, Span] = {}

    @classmethod
    def to_collector(
        cls,
        settings: TelemetrySettings,
        environ: Mapping[str, str],
        address: Callable[[LedgerRow], Address | None],
        time_ns: Callable[[], int],
    ) -> "Traces":
        """Return traces that go to a collector; a thread for them starts.

        Args:
            settings: where it is.
            environ: the same, where the settings do not tell.
            address: of the upstream that a row's model is asked at.
            time_ns: nanoseconds since the epoch.
        """
        named = "OTEL_SERVICE_NAME" in environ or "service.name=" in environ.get(
            "OTEL_RESOURCE_ATTRIBUTES", ""
        )
        own = {"service.version": version("tierwise")} | ({} if named else {"service.name": "tierwise"})
        provider = TracerProvider(resource=Resource.create(own), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(settings.url(environ))))
        return cls(provider, settings, address, time_ns)

    def close(self, seconds: float) -> bool:
        """Send what waits, and end; return whether that was done within so many seconds."""
        for span in (*self._requests.values(), *(span for span, _ in self._attempts.values())):
            span.end(self._time_ns())
        ending = threading.Thread(target=self._provider.shutdown, name="tierwise-traces", daemon=True)
        ending.start()
        ending.join(seconds)
        return not ending.is_alive()

    def began(self, request: RequestRecord) -> None:
        """Begin the span of a request, in the trace of its caller where it names one."""
        carrier = {name: request.headers[name] for name in _CARRIED if name in request.headers}
        span = self._tracer.start_span(
            f"{request.method} {request.path}",
            context=self._propagator.extract(carrier),
            kind=SpanKind.SERVER,
            attributes={
                "http.request.method": request.method,
                "http.route": request.path,
                "url.path": request.path,
                "url.scheme": "http",
                "tierwise.request_id": request.request_id,
            },
            start_time=int(request.at * _NANOSECONDS),
        )
        _bounded(self._requests, request.request_id, span)

    def attempting(self, row: LedgerRow, request: RequestRecord | None) -> None:
        """Begin the span of an attempt."""
        parent = self._requests.get(row.request_id)
        path = "" if request is None else request.path
        attributes: dict[str, Any] = {
            "gen_ai.operation.name": "embeddings" if path == _EMBEDDINGS else "chat",
            "gen_ai.provider.name": self._settings.provider,
            "gen_ai.request.model": row.model,
        }
        if row.streamed:
            attributes["gen_ai.request.stream"] = True
        if row.session is not None:
            attributes["gen_ai.conversation.id"] = row.session
        address = self._address(row)
        if address is not None:
            attributes["server.address"], attributes["server.port"] = address
        started = self._time_ns()
        span = self._tracer.start_span(
            _clean(f"{attributes['gen_ai.operation.name']} {row.model}"),
            context=None if parent is None else set_span_in_context(parent),
            kind=SpanKind.CLIENT,
            attributes=_known(attributes),
            start_time=started,
        )
        if span.is_recording() and request is not None:
            span.set_attributes(_asked_for(request.body))
            if self._settings.prompts and path != _EMBEDDINGS:
                span.set_attribute("gen_ai.input.messages", _messages(request.body))
        _bounded(self._attempts, row.attempt_id, (span, started))
        if request is not None:
            self._current[row.request_id] = span

    def headers(self, request_id: str) -> Headers:
        """Return the context of a request's attempt that is about to be made, as W3C's headers."""
        span, carrier = self._current.get(request_id), dict[str, str]()
        if span is not None:
            self._propagator.inject(carrier, set_span_in_context(span))
        return tuple(carrier.items())

    def attempted(self, row: LedgerRow, request: RequestRecord | None) -> None:
        """End the span of an attempt."""
        del request
        span, started = self._attempts.pop(row.attempt_id, (None, 0))
        if span is None:  # a stored answer: the request's own span tells of it
            return
        if span.is_recording():
            span.set_attributes(_came_of(row, started))
            if row.outcome not in (Outcome.ANSWERED, Outcome.CANCELLED):
                span.set_attribute("error.type", _error_type(row))
                span.set_status(Status(StatusCode.ERROR, _clean(row.cause)))
        span.end(self._time_ns())

    def ended(self, request: RequestRecord) -> None:
        """End the span of a request."""
        self._current.pop(request.request_id, None)
        span = self._requests.pop(request.request_id, None)
        if span is None:
            return
        if span.is_recording():
            span.set_attributes(_decided(request))
            if request.outcome is RequestOutcome.FAILED:
                span.set_attribute("error.type", f"{request.status}" if _is_error(request) else "_OTHER")
                span.set_status(Status(StatusCode.ERROR))
        span.end(self._time_ns())


def _bounded(spans: OrderedDict[str, Any], identity: str, span: Any) -> None:
    spans[identity] = span
    if len(spans) > _MOST_OPEN:
        spans.popitem(last=False)


def _asked_for(body: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a request that the conventions have names for."""
    found = {
        told: body[name]
        for name, told in _NUMBERS.items()
        if isinstance(body.get(name), int | float) and not isinstance(body[name], bool)
    }
    choices = body.get("n")
    if isinstance(choices, int) and choices != 1:
        found["gen_ai.request.choice.count"] = choices
    return {name: value for name, value in found.items() if abs(value) < _MOST}


def _came_of(row: LedgerRow, started: int) -> dict[str, Any]:
    told = {
        "tierwise.attempt": row.attempt,
        "tierwise.channel": row.channel,
        "tierwise.outcome": row.outcome.value,
        "tierwise.cost_usd": row.usd,
        "gen_ai.usage.input_tokens": row.input_tokens,
        "gen_ai.usage.output_tokens": row.output_tokens,
        "http.response.status_code": row.status,
    }
    if row.outcome is Outcome.ANSWERED:
        told["gen_ai.response.model"] = row.model
    if row.streamed and row.first_token_seconds is not None:
        waited = row.at + row.first_token_seconds - started / _NANOSECONDS
        told["gen_ai.response.time_to_first_chunk"] = max(0.0, waited)
    return _known(told)


def _decided(request: RequestRecord) -> dict[str, Any]:
    last = request.last
    told: dict[str, Any] = {
        "http.response.status_code": request.status,
        "tierwise.outcome": request.outcome.value,
        "tierwise.key_id": request.key_id,
        "tierwise.tier": request.tier,
        "tierwise.chosen_by": request.chosen_by,
        "gen_ai.request.model": request.requested or None,
    }
    if last is not None:
        told |= {
            "tierwise.risk": last.risk,
            "tierwise.probabilities": last.probabilities,
            "tierwise.policy": last.policy,
            "tierwise.model_version": last.model_version,
            "tierwise.fell_back": last.fell_back,
            "tierwise.cache": last.cache,
            "tierwise.saved_usd": last.saved_usd,
            "gen_ai.response.model": last.model if last.outcome is Outcome.ANSWERED else None,
        }
    return _known(told)


def _known(told: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is unknown, and from texts what UTF-8 cannot hold."""
    return {
        name: _clean(value) if isinstance(value, str) else value
        for name, value in told.items()
        if value is not None
    }


def _clean(text: str) -> str:
    """Return a text without lone surrogates, which JSON brings and protobuf refuses."""
    return text.encode(errors="replace").decode()


def _error_type(row: LedgerRow) -> str:
    if row.status is not None:
        return f"{row.status}"
    return "timeout" if row.cause == TIMED_OUT else "_OTHER"


def _is_error(request: RequestRecord) -> bool:
    return request.status is not None and request.status >= 500


def _messages(body: Mapping[str, Any]) -> str:
    """The messages in the form that the conventions give them, as JSON."""
    given = body.get("messages") or body.get("input") or ()
    messages = [{"role": "user", "content": given}] if isinstance(given, str) else given
    return json.dumps([_message(each) for each in messages if isinstance(each, Mapping)])


def _message(message: Mapping[str, Any]) -> dict[str, Any]:
    content = message.get("content")
    parts = content if isinstance(content, list) else [] if content is None else [content]
    return {"role": message.get("role", ""), "parts": [_part(each) for each in parts]}


def _part(part: Any) -> dict[str, Any]:
    text = part.get("text") if isinstance(part, Mapping) else part
    if isinstance(text, str):
        return {"type": "text", "content": text}
    kind = part.get("type") if isinstance(part, Mapping) else None
    return {"type": kind if isinstance(kind, str) else "unknown"}
