"""The headers that tell a client what was decided and what it came to."""

from classifier.header_text import header_safe
from serving.keys import Channel
from serving.proxy.ledger_rows import risk_above
from serving.routing import Routing
from serving.spending.ledger_row import ChosenBy

__all__ = ["routing_headers"]


def routing_headers(
    routing: Routing, request_id: str, chosen_by: ChosenBy, more_reasons: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    """Return the headers of an answer.

    Args:
        routing: the record; of a stream, as it stands at the first token.
        request_id: of the request.
        chosen_by: who or what settled the tier or the model.
        more_reasons: what else to say.
    """
    risk = risk_above(routing.tier, routing.decision)
    attempts = len(routing.attempts) + (0 if routing.complete else 1)
    past = routing.channel is Channel.BREAK_GLASS
    unreachable = (f"the aggregator cannot be reached, so {routing.model} is asked directly",) if past else ()
    reasons = (*unreachable, *more_reasons, *routing.reasons)
    headers = [
        ("x-tierwise-request-id", request_id),
        ("x-tierwise-chosen-by", chosen_by.value),
        ("x-tierwise-attempts", str(attempts)),
        ("x-tierwise-reasons", header_safe("; ".join(reasons))),
    ]
    if routing.channel is Channel.BREAK_GLASS:
        headers.append(("x-tierwise-break-glass", "1"))
    if routing.tier is not None:
        headers.append(("x-tierwise-tier", routing.tier.label))
    if routing.model is not None:
        headers.append(("x-tierwise-model", header_safe(routing.model)))
    if risk is not None:
        headers.append(("x-tierwise-risk", f"{risk:.4f}"))
    if routing.complete and routing.cost.usd is not None:
        headers.append(("x-tierwise-cost-usd", f"{routing.cost.usd:.9f}"))
    return headers
