"""Traces of a proxy, where they are switched on and the extra for them is installed."""

import logging
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from serving.errors import ConfigError
from serving.keys import Channel
from serving.observability.settings import TelemetrySettings
from serving.proxy.generation import Generation
from serving.spending.ledger_row import LedgerRow

if TYPE_CHECKING:
    from serving.observability.traces import Address, Traces

__all__ = ["address_of", "can_trace", "is_installed", "open_traces"]

_log = logging.getLogger("serving")

_NEEDED = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")
_REMEDY = "the extra `telemetry` is not installed: pip install 'tierwise[telemetry]'"


def is_installed(name: str) -> bool:
    """Return whether a module can be imported.

    >>> is_installed("json"), is_installed("no_such_package.at_all")
    (True, False)
    """
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # of the package around it
        return False


def can_trace(
    settings: TelemetrySettings,
    environ: Mapping[str, str],
    installed: Callable[[str], bool] = is_installed,
) -> bool:
    """Return whether traces are wanted and can be made.

    Args:
        settings: the table [telemetry].
        environ: where OpenTelemetry's variables may be.
        installed: tells whether a module can be imported.

    Raises:
        ConfigError: the configuration wants them, and the extra is not installed.
    """
    if not settings.wanted(environ):
        return False
    if all(installed(name) for name in _NEEDED):
        return True
    if settings.enabled:
        raise ConfigError(f"telemetry.enabled: {_REMEDY}")
    _log.warning("the environment asks for traces, and none are made: %s", _REMEDY)
    return False


def open_traces(generation: Callable[[], Generation], environ: Mapping[str, str]) -> "Traces | None":
    """Return the traces of a proxy, whose thread has started; None where there are to be none.

    Raises:
        ConfigError: the configuration wants them, and the extra is not installed.
    """
    settings = generation().serve.telemetry
    if not can_trace(settings, environ):
        return None
    from serving.observability.traces import Traces  # of the extra

    return Traces.to_collector(settings, environ, lambda row: address_of(row, generation()), time.time_ns)


def address_of(row: LedgerRow, generation: Generation) -> "Address | None":
    """Return host and port of the upstream that a row's model is asked at; None where nobody knows."""
    config = generation.core.config
    match row.channel:
        case Channel.BREAK_GLASS.value:
            own = generation.serve.break_glass.by_tier()
            url = next((each.base_url for tier, each in own.items() if tier.label == row.tier), None)
        case Channel.PRO.value:
            url = config.base(Channel.PRO)
        case _:
            url = config.base(Channel.STANDARD)
    if url is None:
        return None
    parts = urlsplit(url)
    return f"{parts.hostname}", parts.port or (443 if parts.scheme == "https" else 80)
