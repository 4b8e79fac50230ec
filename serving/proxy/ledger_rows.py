"""Ledger rows from the record of a call; pure."""

from dataclasses import dataclass, replace

from classifier import Decision, Tier
from serving.chain import Candidate, Failure
from serving.cost import Cost
from serving.routing import Routing
from serving.spending.ledger_row import ChosenBy, LedgerRow, Outcome

__all__ = ["AttemptFacts", "RequestFacts", "cost_of", "risk_above", "row_from_cache", "row_of"]

_NOTHING = Cost(0.0)
_NOBODY_KNOWS = Cost(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFacts:
    """What all attempts of a request share beside the record of its call.

    Attributes:
        request_id: as `x-tierwise-request-id` tells it.
        at: when the request arrived, seconds since the epoch.
        started_at: the same by the router's clock.
        key_id: the public id of the caller's API key, or None.
        session: as the caller named it, or None.
        chosen_by: who or what settled the tier or the model.
        streamed: whether a stream was asked for.
        prompt: the messages as JSON text, or None.
    """

    request_id: str
    at: float
    started_at: float
    chosen_by: ChosenBy
    key_id: str | None = None
    session: str | None = None
    streamed: bool = False
    prompt: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFacts:
    """What is known of one attempt.

    Attributes:
        attempt_id: unique, 32 hexadecimal digits.
        number: which one of its request, from 0.
        candidate: who was asked.
        outcome: what became of it.
        failure: what went wrong, or None.
        ended_at: by the router's clock.
        downgraded: whether a dearer model was passed over before, for want of budget.
    """

    attempt_id: str
    number: int
    candidate: Candidate
    outcome: Outcome
    failure: Failure | None
    ended_at: float
    downgraded: bool


def cost_of(routing: Routing, attempt: AttemptFacts) -> Cost:
    """Return what an attempt cost: nothing where the upstream refused it, unknown where it cannot be told."""
    if attempt.outcome is Outcome.FAILED:
        return _NOTHING
    if routing.complete and routing.model == attempt.candidate.model:
        return routing.cost
    return _NOBODY_KNOWS


def risk_above(tier: Tier | None, decision: Decision | None) -> float | None:
    """Return P(the needed tier is above one), or None without a tier or a decision."""
    return None if decision is None or tier is None else sum(decision.probabilities[tier + 1 :], 0.0)


def row_of(request: RequestFacts, routing: Routing, attempt: AttemptFacts) -> LedgerRow:
    """Return the row of one attempt.

    Args:
        request: what it belongs to.
        routing: the record, as it stands when the attempt has ended.
        attempt: what is known of it.
    """
    decision, failure, cost = routing.decision, attempt.failure, cost_of(routing, attempt)
    tokens, answered = cost.tokens, routing.model == attempt.candidate.model
    return LedgerRow(
        attempt_id=attempt.attempt_id,
        request_id=request.request_id,
        at=request.at,
        key_id=request.key_id,
        session=request.session,
        requested=routing.requested,
        tier=None if routing.tier is None else routing.tier.label,
        chosen_by=ChosenBy.BUDGET if attempt.downgraded else request.chosen_by,
        risk=risk_above(routing.tier, decision),
        probabilities=routing.probabilities,
        policy=None if decision is None else decision.policy,
        model_version=None if decision is None else decision.model_version,
        model=attempt.candidate.model,
        channel=attempt.candidate.channel.value,
        outcome=attempt.outcome,
        cause="" if failure is None else failure.cause,
        status=_status(attempt),
        attempt=attempt.number,
        fell_back=attempt.candidate.model != routing.planned or attempt.candidate.direct is not None,
        streamed=request.streamed,
        input_tokens=None if tokens is None else tokens.input,
        output_tokens=None if tokens is None else tokens.output,
        estimated=cost.estimated,
        usd=cost.usd,
        routing_seconds=routing.latency.routing,
        first_token_seconds=routing.latency.first_token if answered else None,
        total_seconds=attempt.ended_at - request.started_at,
        prompt=request.prompt,
    )


def row_from_cache(
    request: RequestFacts, routing: Routing, attempt: AttemptFacts, cache: str, saved_usd: float | None
) -> LedgerRow:
    """Return the row of a request that a cache answered, or another request's call: it cost nothing.

    Args:
        request: what was answered.
        routing: the record, with the model and the tokens of the answer as it was made.
        attempt: what is known of its delivery.
        cache: `exact` or `semantic`.
        saved_usd: what the answer cost when it was made, or None.
    """
    row = row_of(request, routing, attempt)
    return replace(row, usd=0.0, cache=cache, saved_usd=saved_usd)


def _status(attempt: AttemptFacts) -> int | None:
    if attempt.outcome is Outcome.ANSWERED:
        return 200
    return None if attempt.failure is None else attempt.failure.status
