"""What a failed call means: whether it may be tried again and when, and whether it can have been billed."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx2

from serving.chain import Failure
from serving.upstream import APIConnectionError, APIStatusError, APITimeoutError
from serving.wording import fit, one_line

__all__ = ["LONGEST_WAIT", "MOST_ATTEMPTS", "Trouble", "backoff", "retry_after", "trouble_of"]

MOST_ATTEMPTS = 6
LONGEST_WAIT = 300.0
"""Seconds; an upstream that asks for more ends the run, which can be gone on with later."""

_FIRST_BACKOFF = 1.0
_LONGEST_BACKOFF = 60.0

_HALTING = frozenset({401, 402, 404})  # the key, the account, the model: every prompt would meet the same
_WRONG_REQUEST = frozenset({400, 422})  # 422 where a gateway checks requests against a schema of its own
_MAY_BE_BILLED = frozenset({408, 504})  # a gateway gave up on a model that may have answered
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


@dataclass(frozen=True, slots=True)
class Trouble:
    """What became of a call that brought no answer.

    Attributes:
        reason: in one line.
        billed: whether the upstream may bill it, so that the budget is charged the upper bound.
        retry: whether it may be sent again.
        halts: whether every other call would meet the same.
        wait: how many seconds the upstream asks to wait, or None.
        refused: whether the request itself is at fault.
    """

    reason: str
    billed: bool
    retry: bool
    halts: bool = False
    wait: float | None = None
    refused: bool = False


def trouble_of(error: BaseException, now: float) -> Trouble:
    """Judge what the router raised.

    Args:
        error: one of `serving.upstream.FAILURES`, its keys masked.
        now: seconds since the epoch, for dates in `Retry-After`.
    """
    failure = Failure.of(error)
    reason = fit(one_line(failure.cause), 300)
    match error:
        case APIStatusError():
            status = error.status_code
            retry = status in (408, 409, 429) or status >= 500
            wait = retry_after(error.response.headers, now)
            halts, refused = status in _HALTING, status in _WRONG_REQUEST
            return Trouble(reason, status in _MAY_BE_BILLED, retry, halts, wait, refused)
        case APITimeoutError():
            return Trouble(reason, billed=not _never_sent(error), retry=True)
        case APIConnectionError():
            return Trouble(reason, billed=not _never_sent(error), retry=True)
    return Trouble(reason, billed=True, retry=True)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return how many seconds a response asks to wait: `Retry-After` in seconds or as an HTTP date.

    Args:
        headers: of the response, names in any case when it is the SDK's mapping.
        now: seconds since the epoch.

    >>> retry_after({"retry-after": "1.5"}, 0.0)
    1.5
    >>> retry_after({"retry-after": "Thu, 01 Jan 1970 00:01:00 GMT"}, 20.0)
    40.0
    >>> retry_after({"retry-after": "soon"}, 0.0) is None
    True
    """
    value = headers.get("retry-after", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        return _until(value, now)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def backoff(failures: int) -> float:
    """Return how many seconds to wait after so many failures in a row: 1, 2, 4, ... at most 60.

    >>> [backoff(failures) for failures in (1, 2, 3, 99)]
    [1.0, 2.0, 4.0, 60.0]
    """
    return min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2.0 ** min(failures - 1, 30))


def _until(date: str, now: float) -> float | None:
    try:
        return max(0.0, parsedate_to_datetime(date).timestamp() - now)
    except (ValueError, OverflowError, OSError):
        return None


def _never_sent(error: BaseException) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _NEVER_SENT):
            return True
        cause = cause.__cause__
    return False
