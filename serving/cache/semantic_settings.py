"""The table [cache.semantic]: which model compares asks, and how alike two must be."""

import enum
from typing import Annotated, Self

from pydantic import Field, model_validator

from serving.config import BaseUrl
from serving.settings_file import Section

__all__ = ["Requests", "SemanticSettings"]

_A_YEAR = 366 * 86_400


class Requests(enum.StrEnum):
    """Which requests may be answered by the answer to another ask."""

    ASKED = "asked"
    REPEATABLE = "repeatable"
    ALL = "all"


class SemanticSettings(Section):
    """The semantic cache: off unless it is enabled.

    Attributes:
        enabled: whether answers may serve other asks than their own. Switching it on needs a restart.
        embedding_model: whose embeddings tell how alike two asks are.
        threshold: the least cosine similarity of two asks that may share an answer, above 0 and at most 1;
            `python -m serving calibrate-cache` finds it for a model.
        requests: `asked`, for those whose `Cache-Control` asks for stored answers; `repeatable`, for those
            and all at temperature 0; or `all`, whatever their temperature.
        base_url: of the embeddings' endpoint, up to and with the version; None for the router's upstream.
        key_variable: the environment variable with the key for `base_url`; None for none.
        dimensions: that are asked of the model; None for as many as it gives.
        usd_per_million_tokens: what the embedding model costs; None for its price in [prices], or nothing.
        timeout_seconds: for which a request waits for an embedding, at most, before it goes on without.
        most_entries: asks that are kept; the oldest leave first.
        ttl_seconds: for which an answer may serve other asks; None for as long as it serves its own.
    """

    enabled: bool = False
    embedding_model: Annotated[str, Field(min_length=1, pattern=r"^\S+$")] | None = None
    threshold: Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)] | None = None
    requests: Requests = Requests.REPEATABLE
    base_url: BaseUrl | None = None
    key_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    dimensions: Annotated[int, Field(ge=1, le=8192, strict=True)] | None = None
    usd_per_million_tokens: Annotated[float, Field(ge=0, le=1e6, allow_inf_nan=False)] | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=30, allow_inf_nan=False)] = 1.0
    most_entries: Annotated[int, Field(ge=1, le=10**7, strict=True)] = 10_000
    ttl_seconds: Annotated[float, Field(gt=0, le=_A_YEAR, allow_inf_nan=False)] | None = None

    @model_validator(mode="after")
    def _complete_where_enabled(self) -> Self:
        if self.enabled and self.embedding_model is None:
            raise ValueError("cache.semantic.embedding_model: missing: name the model that compares asks")
        if self.enabled and self.threshold is None:
            raise ValueError(
                "cache.semantic.threshold: missing: `python -m serving calibrate-cache` finds it for a model"
            )
        if self.key_variable is not None and self.base_url is None:
            raise ValueError("cache.semantic.key_variable: goes with base_url, which is missing")
        return self
