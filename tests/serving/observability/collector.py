"""A collector of OpenTelemetry's on loopback: takes OTLP over HTTP, and keeps the spans."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

PATIENCE = 20.0


@dataclass
class Collector:
    """What was sent, and how it answers."""

    url: str = ""
    status: int = 200
    stuck: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)
    spans: list[Any] = field(default_factory=list)
    resources: list[dict[str, Any]] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for group in request.resource_spans:
            self.resources.append({each.key: _value(each.value) for each in group.resource.attributes})
            self.spans.extend(span for scope in group.scope_spans for span in scope.spans)

    def named(self, name: str) -> Any:
        """The one span of a name, once it is there."""
        until = time.monotonic() + PATIENCE
        while not (found := [span for span in self.spans if span.name == name]):
            assert time.monotonic() < until, [span.name for span in self.spans]
            time.sleep(0.02)
        (span,) = found
        return span


def attributes_of(span: Any) -> dict[str, Any]:
    return {each.key: _value(each.value) for each in span.attributes}


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(each) for each in value.array_value.values]
    return getattr(value, kind)


@contextmanager
def collecting(**given: Any) -> Iterator[Collector]:
    """Run a collector; one whose `stuck` is set answers nobody until it is cleared."""
    collector = Collector(**given)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            collector.asked.set()
            while collector.stuck.is_set():
                time.sleep(0.02)
            if collector.status == 200:
                collector.take(body)
            self.send_response(collector.status)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        collector.url = f"http://127.0.0.1:{server.server_address[1]}/v1/traces"
        try:
            yield collector
        finally:
            collector.stuck.clear()
            server.shutdown()
            thread.join(PATIENCE)
