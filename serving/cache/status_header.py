"""`Cache-Status`: how a cache handled a request, in the words of RFC 9211."""

import enum

__all__ = ["Forwarding", "hit_status", "miss_status"]

_CACHE = "tierwise"


class Forwarding(enum.StrEnum):
    """Why a request went on to the upstream."""

    BYPASS = "bypass"  # the cache does not handle it
    MISS = "miss"  # there is no answer
    STALE = "stale"  # there is one, too old to be used
    REQUEST = "request"  # there may be one, but the request does not want it


def hit_status(ttl: float, detail: str = "") -> str:
    """Return the value for an answer from the cache.

    Args:
        ttl: seconds for which it stays fresh; negative where it is stale.
        detail: which cache it was, where it was not the exact one.

    >>> hit_status(59.7)
    'tierwise; hit; ttl=59'
    """
    return f"{_CACHE}; hit; ttl={int(ttl)}{_detail(detail)}"


def miss_status(why: Forwarding, *, collapsed: bool = False, detail: str = "") -> str:
    """Return the value for an answer from the upstream.

    Args:
        why: it was asked.
        collapsed: whether another request's call gave the answer too.
        detail: one word on why.

    >>> miss_status(Forwarding.MISS, collapsed=True)
    'tierwise; fwd=miss; collapsed'
    """
    return f"{_CACHE}; fwd={why.value}{'; collapsed' if collapsed else ''}{_detail(detail)}"


def _detail(word: str) -> str:
    return f"; detail={word}" if word else ""
