"""What a client is told of a call that got no answer: the upstream's own words where there are some."""

import math

from classifier.header_text import header_safe
from serving.chain import TIMED_OUT
from serving.errors import ChainFailedError, KeyMissingError
from serving.keys import Keys
from serving.proxy.errors import ProxyError
from serving.proxy.forward import passed_on
from serving.routing import Routing
from serving.upstream import APIError, APIStatusError, APITimeoutError

__all__ = ["UpstreamError", "refusal_of"]


class UpstreamError(ProxyError):
    """An error of the upstream's, passed on as it sent it; a ProxyError."""

    def __init__(self, error: APIStatusError, keys: Keys) -> None:
        """Take status, body and headers; keys are masked."""
        response = error.response
        headers = [(name, keys.mask(value)) for name, value in passed_on(response.headers.items())]
        headers += _of(error)
        super().__init__(error.status_code, "upstream_error", error.message, headers=headers)
        self._sent = keys.mask_bytes(response.content)

    @property
    def body(self) -> bytes:
        """What the upstream sent."""
        return self._sent


def refusal_of(error: Exception, keys: Keys) -> ProxyError:
    """Return what a client is told.

    Args:
        error: of the routers, the SDK or the state.
        keys: of the upstream, which are masked.
    """
    match error:
        case ChainFailedError():
            status, code = _status_of(error)
            headers = [*_told(error.routing), *_retry_after(error)]
            return ProxyError(status, code, keys.mask(f"{error}"), headers=headers)
        case APIStatusError() if 300 <= error.status_code < 400:
            where = f"the upstream answered with a redirect ({error.status_code})"
            return ProxyError(502, "upstream_redirect", f"{where}: base_url is wrong in the configuration")
        case APIStatusError():
            return UpstreamError(error, keys)
        case APITimeoutError():
            return ProxyError(504, "upstream_timeout", _no_answer(error, keys), headers=_of(error))
        case APIError():
            return ProxyError(502, "upstream_failed", _no_answer(error, keys), headers=_of(error))
        case KeyMissingError():
            return ProxyError(404, "model_unavailable", f"{error}", param="model")
    return ProxyError(503, "state_unavailable", "the proxy's database does not answer: try again")


def _status_of(error: ChainFailedError) -> tuple[int, str]:
    """Limits of requests are the client's to mind; whoever was not asked at all may be, later."""
    if error.rate_limited:
        return 429, "upstream_rate_limited"
    attempts = error.routing.attempts
    if error.retry_after is not None and not attempts:
        return 503, "upstream_unavailable"
    timed_out = attempts and all(each.failure == TIMED_OUT for each in attempts)
    return (504, "upstream_timeout") if timed_out else (502, "chain_failed")


def _retry_after(error: ChainFailedError) -> list[tuple[str, str]]:
    seconds = error.retry_after
    return [] if seconds is None else [("retry-after", str(max(1, math.ceil(seconds))))]


def _no_answer(error: APIError, keys: Keys) -> str:
    routing = getattr(error, "routing", None)
    words = routing.failure() if isinstance(routing, Routing) else error.message
    return keys.mask(words)


def _of(error: APIError) -> list[tuple[str, str]]:
    routing = getattr(error, "routing", None)
    return _told(routing) if isinstance(routing, Routing) else []


def _told(routing: Routing) -> list[tuple[str, str]]:
    told = [("x-tierwise-attempts", str(len(routing.attempts)))]
    if routing.attempts:
        told.append(("x-tierwise-model", header_safe(routing.attempts[-1].model)))
    if routing.tier is not None:
        told.append(("x-tierwise-tier", routing.tier.label))
    return told
