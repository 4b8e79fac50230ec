"""What is asked of an embeddings endpoint, and what may come back."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from serving.cache.indexed_ask import Vector

__all__ = ["BrokenEmbeddingError", "Embedded", "embedded_in", "embedding_request"]


class BrokenEmbeddingError(Exception):
    """What came back holds no embeddings that can be compared; the message says why."""


@dataclass(frozen=True, slots=True)
class Embedded:
    """An answer of an embeddings endpoint.

    Attributes:
        vectors: of length 1, one to each text, in their order.
        tokens: of the texts as the endpoint counts them, or None.
    """

    vectors: tuple[Vector, ...]
    tokens: int | None


def embedding_request(model: str, texts: Sequence[str], dimensions: int | None) -> dict[str, Any]:
    """Return the body of a request for the embeddings of texts."""
    body: dict[str, Any] = {"model": model, "input": list(texts), "encoding_format": "float"}
    return body if dimensions is None else {**body, "dimensions": dimensions}


def embedded_in(answer: object, texts: int, dimensions: int | None) -> Embedded:
    """Return the embeddings of an answer.

    Args:
        answer: JSON, read.
        texts: how many were sent.
        dimensions: that were asked for, or None.

    Raises:
        BrokenEmbeddingError: there are more or fewer, one is no list of finite numbers or is zero, or they
            have different dimensions, or others than were asked for.

    >>> embedded_in({"data": [{"embedding": [3, 4], "index": 0}]}, 1, None).vectors
    ((0.6, 0.8),)
    """
    rows = answer.get("data") if isinstance(answer, Mapping) else None
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise BrokenEmbeddingError("the answer holds no list 'data'")
    if len(rows) != texts:
        raise BrokenEmbeddingError(f"{texts} texts were sent, and {len(rows)} embeddings came back")
    places = [row.get("index") for row in rows]
    if sorted(each for each in places if isinstance(each, int)) == list(range(texts)):
        rows = sorted(rows, key=lambda row: int(row["index"]))
    vectors = tuple(_unit(row.get("embedding")) for row in rows)
    sizes = {len(vector) for vector in vectors}
    if len(sizes) > 1 or (dimensions is not None and sizes != {dimensions}):
        wanted = "" if dimensions is None else f", and {dimensions} were asked for"
        raise BrokenEmbeddingError(f"embeddings of {sorted(sizes)} dimensions came back{wanted}")
    usage = answer.get("usage") if isinstance(answer, Mapping) else None
    tokens = usage.get("prompt_tokens") if isinstance(usage, Mapping) else None
    return Embedded(vectors, tokens if isinstance(tokens, int) and not isinstance(tokens, bool) else None)


def _unit(given: object) -> Vector:
    if not isinstance(given, list) or not given or not all(type(each) in (int, float) for each in given):
        raise BrokenEmbeddingError("an embedding is no list of numbers")
    try:
        length = math.hypot(*given)
    except OverflowError:
        length = math.inf
    if not math.isfinite(length) or length == 0:
        raise BrokenEmbeddingError("an embedding is zero, or not finite")
    return tuple(each / length for each in given)
