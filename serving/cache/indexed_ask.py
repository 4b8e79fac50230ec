"""What the semantic cache keeps of an answered ask, and what it finds again."""

from dataclasses import dataclass

__all__ = ["IndexedAsk", "Neighbour", "Vector"]

Vector = tuple[float, ...]
"""An embedding: finite, not zero, its length 1."""


@dataclass(frozen=True, slots=True)
class IndexedAsk:
    """An ask whose answer is stored.

    Attributes:
        answer_key: of the stored answer; see `serving.cache.request_key`.
        bucket: digest of everything beside the ask that the answer depends on, whose requests may share it
            and the embedding model included: no other bucket's asks are ever found.
        scope: whose requests its answer may serve.
        ask: the words themselves, which the guard compares.
        vector: their embedding.
        model: that gave the answer.
        model_version: of the classifier's model file that chose the tier, or None.
        embedding_model: that gave the vector.
        at: when it was taken in, seconds since the epoch.
        expires_at: when its answer is too old, seconds since the epoch.
    """

    answer_key: str
    bucket: str
    scope: str
    ask: str
    vector: Vector
    model: str
    model_version: str | None
    embedding_model: str
    at: float
    expires_at: float


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An ask that lies near another one.

    Attributes:
        answer_key: of its answer.
        ask: its words.
        similarity: cosine of the two embeddings, in [-1, 1].
    """

    answer_key: str
    ask: str
    similarity: float
