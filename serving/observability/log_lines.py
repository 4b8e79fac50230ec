"""One line of the log for each request, and warnings in the same form; never prompts, never keys."""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from serving.observability.observers import Headers
from serving.observability.request_record import RequestRecord
from serving.observability.settings import LogFormat
from serving.spending.ledger_row import LedgerRow

__all__ = ["JsonFormatter", "RequestLines", "drop_notice", "formatter_of"]

_LONGEST = 200  # characters of what clients name: models, requests
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:+@")


class RequestLines:
    """An observer that hands on one line for each request that is over."""

    def __init__(self, put: Callable[[str], None], form: LogFormat) -> None:
        """Begin.

        Args:
            put: takes a line; must not wait.
            form: of the lines: text or JSON.
        """
        self._put = put
        self._said = _json if form is LogFormat.JSON else _text

    def began(self, request: RequestRecord) -> None:
        """Take in that a request has arrived: it is told when it is over."""

    def attempting(self, row: LedgerRow, request: RequestRecord | None) -> None:
        """Take in that an attempt is about to be made: it is told with its request."""

    def attempted(self, row: LedgerRow, request: RequestRecord | None) -> None:
        """Take in that an attempt has ended: it is told with its request."""

    def headers(self, request_id: str) -> Headers:
        """Return nothing: upstream, nobody needs to know of logs."""
        del request_id
        return ()

    def ended(self, request: RequestRecord) -> None:
        """Tell of a request."""
        self._put(self._said(_facts(request)))


class JsonFormatter(logging.Formatter):
    """Gives each record of the standard library's logging as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "event": "log",
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            facts["exception"] = self.formatException(record.exc_info)
        return json.dumps(facts)


def formatter_of(form: LogFormat) -> logging.Formatter:
    """Return how warnings are told."""
    return JsonFormatter() if form is LogFormat.JSON else logging.Formatter("%(levelname)s: %(message)s")


def drop_notice(form: LogFormat, now: Callable[[], float]) -> Callable[[int], str]:
    """Return what words the number of lines that were dropped, in the same form."""

    def notice(number: int) -> str:
        words = f"{number} lines were dropped: nobody read them"
        if form is not LogFormat.JSON:
            return f"WARNING: {words}"
        facts = {
            "time": _time(now()),
            "level": "warning",
            "event": "log",
            "message": words,
            "dropped": number,
        }
        return json.dumps(facts)

    return notice


def _facts(request: RequestRecord) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "time": _time(request.at),
        "level": "info",
        "event": "request",
        "request_id": request.request_id,
        "method": request.method,
        "path": request.path,
        "status": request.status,
        "outcome": request.outcome.value,
        "seconds": None if request.seconds is None else round(request.seconds, 6),
        "key_id": request.key_id,
    }
    if request.chosen_by is not None:
        facts |= _routed(request)
    return facts


def _routed(request: RequestRecord) -> dict[str, Any]:
    rows, last = request.rows, request.last
    facts: dict[str, Any] = {
        "requested": request.requested[:_LONGEST],
        "tier": request.tier,
        "chosen_by": request.chosen_by,
        "streamed": request.streamed,
        "attempts": sum(row.cache is None for row in rows),
    }
    if last is None:
        return facts
    return facts | {
        "model": last.model[:_LONGEST],
        "channel": last.channel,
        "risk": last.risk,
        "fell_back": last.fell_back,
        "cause": last.cause,
        "cache": last.cache,
        "input_tokens": last.input_tokens,
        "output_tokens": last.output_tokens,
        "usd": last.usd,
        "saved_usd": last.saved_usd,
        "routing_seconds": last.routing_seconds,
        "first_token_seconds": last.first_token_seconds,
    }


def _json(facts: dict[str, Any]) -> str:
    return json.dumps(facts)


def _text(facts: dict[str, Any]) -> str:
    """Return facts as `name=value`, what is unknown left out, what is not plain in quotes as JSON has it."""
    told = ((name, value) for name, value in facts.items() if value not in (None, "") and name != "level")
    return " ".join(f"{name}={_shown(value)}" for name, value in told)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    words = f"{value}"
    return words if _PLAIN.issuperset(words) else json.dumps(words)


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
