"""What is told of one request of the proxy once it has ended: metrics, a span, a line of the log."""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from serving.spending.ledger_row import ChosenBy, LedgerRow, Outcome

__all__ = ["RequestOutcome", "RequestRecord"]


class RequestOutcome(enum.StrEnum):
    """What became of a request, as its client sees it."""

    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class RequestRecord:
    """One request, as far as it has come.

    Attributes:
        request_id: as `x-tierwise-request-id` tells it.
        method: of HTTP.
        path: one of those that the proxy answers at.
        at: when it arrived, seconds since the epoch.
        headers: of the request, names in lower case.
        key_id: the public id of the caller's API key, or None.
        status: of the answer; None while there is none.
        client_left: whether the client closed its connection before it had its answer.
        seconds: from its arrival to its end; None while it goes on.
        requested: what the caller gave as `model`; empty where the request asks no model.
        tier: the label of the tier that was settled on, or None.
        chosen_by: who or what settled the tier or the model; None where nobody did.
        streamed: whether a stream was asked for.
        body: as it is forwarded, without the model; empty before it was decided on.
        rows: of its attempts that have ended, in order.
        reasons: why, in words, worked out when they are read.
    """

    request_id: str
    method: str
    path: str
    at: float
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    key_id: str | None = None
    status: int | None = None
    client_left: bool = False
    seconds: float | None = None
    requested: str = ""
    tier: str | None = None
    chosen_by: ChosenBy | None = None
    streamed: bool = False
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    rows: list[LedgerRow] = field(default_factory=list, repr=False)
    reasons: Callable[[], tuple[str, ...]] = field(default=tuple, repr=False)

    @property
    def last(self) -> LedgerRow | None:
        """The row of the last attempt, or of the stored answer; None where nobody was asked."""
        return self.rows[-1] if self.rows else None

    @property
    def outcome(self) -> RequestOutcome:
        """What became of it: an answer that broke off has failed, whatever its status."""
        if self.client_left:
            return RequestOutcome.CANCELLED
        if self.status is None or self.status >= 500:
            return RequestOutcome.FAILED
        if self.status >= 400:
            return RequestOutcome.REFUSED
        last = self.last
        if last is None or last.outcome is Outcome.ANSWERED:
            return RequestOutcome.ANSWERED
        return RequestOutcome.CANCELLED if last.outcome is Outcome.CANCELLED else RequestOutcome.FAILED
