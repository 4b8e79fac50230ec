"""What the proxy tells of itself, and to whom."""

import enum
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from serving.settings_file import Section

__all__ = ["LogFormat", "MetricsAccess", "TelemetrySettings"]

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


class MetricsAccess(enum.StrEnum):
    """Who may read `/metrics`."""

    KEYS = "keys"
    OPEN = "open"
    OFF = "off"


class LogFormat(enum.StrEnum):
    """Whether each request leaves a line on standard error, and in which form."""

    OFF = "off"
    TEXT = "text"
    JSON = "json"


class TelemetrySettings(Section):
    """Traces, sent to an OpenTelemetry collector over OTLP/HTTP; they need the extra `telemetry`.

    Headers with secrets, certificates, sampling and batching are set as OpenTelemetry has it, by its
    environment variables (`OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER`, ...).

    Attributes:
        enabled: whether traces are sent; None for: where the environment names an endpoint.
        endpoint: the full URL, usually `http://HOST:4318/v1/traces`; None for the environment's, or that on
            this machine.
        prompts: whether spans hold the messages of requests, in the clear.
        provider: what spans call the API that is asked (`gen_ai.provider.name`).
    """

    enabled: bool | None = None
    endpoint: Annotated[str, Field(pattern=r"^https?://[^\s/]+\S*$")] | None = None
    prompts: bool = False
    provider: Annotated[str, Field(min_length=1, pattern=r"^\S+$")] = "openai"

    def wanted(self, environ: Mapping[str, str]) -> bool:
        """Return whether traces are to be sent.

        >>> TelemetrySettings().wanted({}), TelemetrySettings(enabled=True).wanted({})
        (False, True)
        >>> TelemetrySettings().wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})
        True
        """
        if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
            return False
        if self.enabled is not None:
            return self.enabled
        exporter = environ.get("OTEL_TRACES_EXPORTER", "otlp").strip()
        return exporter == "otlp" and any(environ.get(name, "").strip() for name in _ENDPOINTS)

    def url(self, environ: Mapping[str, str]) -> str:
        """Return where spans are sent.

        >>> TelemetrySettings().url({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/"})
        'http://collector:4318/v1/traces'
        """
        whole, base = (environ.get(name, "").strip() for name in _ENDPOINTS)
        return self.endpoint or whole or f"{(base or 'http://127.0.0.1:4318').rstrip('/')}/v1/traces"
