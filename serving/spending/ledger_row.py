"""One row of the ledger: one attempt, with what was decided, what came of it and what it cost."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["ChosenBy", "LedgerRow", "Outcome"]


class Outcome(enum.StrEnum):
    """What became of an attempt."""

    ANSWERED = "answered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class ChosenBy(enum.StrEnum):
    """Who or what settled the tier."""

    POLICY = "policy"
    CALLER = "caller"
    FLOOR = "floor"
    BUDGET = "budget"
    CLASSIFIER_FAILED = "classifier failed"
    SESSION = "session"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """One attempt: one request to one model.

    Attributes:
        attempt_id: 32 hexadecimal digits (a uuid4), unique; a row given twice is written once by it.
        request_id: of the request that the attempt belongs to, as `x-tierwise-request-id` tells it.
        at: when the request arrived, seconds since the epoch (UTC).
        key_id: the public id of the caller's API key; None where no key was needed.
        session: of the conversation, as the caller named it, or None.
        requested: what the caller gave as `model`: "auto", a tier or a model's name.
        tier: the label of the tier that was decided on; None where the caller named a model.
        chosen_by: who or what settled the tier or the model.
        risk: P(the needed tier is above the chosen one), fraction in [0, 1]; None without a decision.
        probabilities: of each tier being the needed one, in Tier order, sum 1; None without a decision.
        policy: the decision's policy, as text, or None.
        model_version: of the classifier's model, or None.
        model: who was asked.
        channel: on which channel.
        outcome: what became of it.
        cause: what went wrong, in a few words; empty when it answered.
        status: of the upstream's response, or None when none came.
        attempt: which one of its request, from 0.
        fell_back: whether this is another model than the planned one.
        streamed: whether a stream was asked for.
        input_tokens: of the prompt, or None when unknown.
        output_tokens: of the answer, or None when unknown.
        estimated: whether the tokens were counted from the text.
        usd: US dollars, or None when nobody can say.
        routing_seconds: from the arrival to the first request upstream.
        first_token_seconds: from the arrival to the first token (without a stream, the first byte).
        total_seconds: from the arrival to the end of the attempt.
        prompt: the messages as JSON text; None unless the operator switched that on.
        cache: which cache gave the stored answer, "exact" or "semantic"; None where a model was asked.
        saved_usd: US dollars that the stored answer cost when it was made; None where a model was asked, or
            nobody can say.
    """

    attempt_id: str
    request_id: str
    at: float
    requested: str
    chosen_by: ChosenBy
    model: str
    channel: str
    outcome: Outcome
    key_id: str | None = None
    session: str | None = None
    tier: str | None = None
    risk: float | None = None
    probabilities: tuple[float, float, float] | None = None
    policy: str | None = None
    model_version: str | None = None
    cause: str = ""
    status: int | None = None
    attempt: int = 0
    fell_back: bool = False
    streamed: bool = False
    input_tokens: int | None = None
    output_tokens: int | None = None
    estimated: bool = False
    usd: float | None = None
    routing_seconds: float | None = None
    first_token_seconds: float | None = None
    total_seconds: float | None = None
    prompt: str | None = None
    cache: str | None = None
    saved_usd: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the row as JSON-able values, in the order of the attributes."""
        row = {name: getattr(self, name) for name in self.__slots__}
        row["chosen_by"], row["outcome"] = self.chosen_by.value, self.outcome.value
        row["probabilities"] = None if self.probabilities is None else list(self.probabilities)
        return row

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "LedgerRow":
        """Return the row that `as_dict` gave.

        Raises:
            TypeError: a value is missing, or a name is unknown.
            ValueError: an outcome or a chooser is unknown, or there are not three probabilities.
        """
        known = dict(values)
        chosen_by, outcome = ChosenBy(known.pop("chosen_by", None)), Outcome(known.pop("outcome", None))
        return cls(
            **known | {"probabilities": _three(known.get("probabilities"))},
            chosen_by=chosen_by,
            outcome=outcome,
        )


def _three(values: Any) -> tuple[float, float, float] | None:
    if values is None:
        return None
    cheap, balanced, premium = values
    return cheap, balanced, premium
