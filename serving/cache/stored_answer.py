"""An answer that is kept."""

from dataclasses import dataclass

__all__ = ["StoredAnswer"]


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """A whole answer of a model, as a client got it.

    Attributes:
        key: of the request that it answers, 64 hexadecimal digits; see `request_key`.
        scope: whose requests it may answer: `key:` and the API key's public id, `open`, or `shared`.
        at: when it was complete, seconds since the epoch.
        expires_at: when it may be deleted, seconds since the epoch.
        model: that gave it.
        channel: on which channel.
        streamed: whether the body is a stream's events, and not one JSON object.
        body: as the client got it.
        tier: the label of the tier that it was given for, or None where a model was named.
        model_version: of the classifier's model that decided, or None.
        input_tokens: of the prompt, or None when unknown.
        output_tokens: of the answer, or None when unknown.
        usd: US dollars that it cost, or None when nobody can say.
    """

    key: str
    scope: str
    at: float
    expires_at: float
    model: str
    channel: str
    streamed: bool
    body: bytes
    tier: str | None = None
    model_version: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    usd: float | None = None
