"""How long an upstream asks to be left alone, in whichever of its forms it says so."""

import math
from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

__all__ = ["retry_after"]


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that a response asks to wait, or None where it asks nothing that can be read.

    `retry-after-ms` comes before `Retry-After` (RFC 9110, section 10.2.3), which is a number of seconds or an
    HTTP date; a date is held against the response's own `Date`, so that clocks need not agree.

    Args:
        headers: of the response; names in lower case, or a mapping that does not mind.
        now: seconds since the epoch.

    >>> retry_after({"retry-after": "7"}, 0.0)
    7.0
    >>> retry_after({"retry-after-ms": "250", "retry-after": "7"}, 0.0)
    0.25
    >>> date = {"date": "Sun, 06 Nov 1994 08:49:37 GMT", "retry-after": "Sun, 06 Nov 1994 08:50:07 GMT"}
    >>> retry_after(date, 0.0)
    30.0
    >>> retry_after({"retry-after": "soon"}, 0.0)
    """
    milliseconds = _number(headers.get("retry-after-ms"))
    if milliseconds is not None:
        return milliseconds / 1000
    said = headers.get("retry-after")
    seconds = _number(said)
    if seconds is not None:
        return seconds
    until = _moment(said)
    if until is None:
        return None
    date = _moment(headers.get("date"))
    return max(0.0, until - (now if date is None else date))


def _number(said: str | None) -> float | None:
    try:
        number = float(said or "")
    except ValueError:
        return None
    return max(0.0, number) if math.isfinite(number) else None


def _moment(said: str | None) -> float | None:
    try:
        moment = parsedate_to_datetime(said or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
