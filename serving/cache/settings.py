"""What is cached, for whom and for how long."""

import enum
from typing import Annotated

from pydantic import Field

from serving.cache.semantic_settings import SemanticSettings
from serving.settings_file import Section

__all__ = ["CacheSettings", "Exact"]

_MEBIBYTE = 2**20
_A_YEAR = 366 * 86_400

Seconds = Annotated[float, Field(gt=0, le=_A_YEAR, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=10**12, strict=True)]


class Exact(enum.StrEnum):
    """Which requests may be answered by the stored answer to the very same request."""

    OFF = "off"
    ASKED = "asked"
    REPEATABLE = "repeatable"


class CacheSettings(Section):
    """What is cached, for whom and for how long.

    Answers hold what models said, in the clear. Nothing is therefore kept unless the caller asks for it, with
    a `Cache-Control` header, or the operator does, with `exact = "repeatable"`.

    Attributes:
        exact: `off`; `asked`, for requests whose `Cache-Control` asks for stored answers; or `repeatable`,
            for those, for all at temperature 0 and for embeddings.
        shared: whether answers serve every API key, and not only the one that they were made for.
        ttl_seconds: for which an answer is fresh.
        most_entries: answers that are stored; those used longest ago leave first.
        most_bytes: of them together, compressed; the same.
        largest_bytes: of one answer, not compressed; a larger one is not stored.
        lookup_seconds: for which a request waits for the database before it goes on without the cache.
        semantic: whether the answer to one ask may serve another one that means the same.
    """

    exact: Exact = Exact.ASKED
    shared: bool = False
    ttl_seconds: Seconds = 86_400.0
    most_entries: Count = 100_000
    most_bytes: Count = 512 * _MEBIBYTE
    largest_bytes: Count = 2 * _MEBIBYTE
    lookup_seconds: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 0.5
    semantic: SemanticSettings = SemanticSettings()
