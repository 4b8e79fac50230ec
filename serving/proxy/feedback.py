"""`/v1/feedback`: what a user thought of an answer, by the request that it answered."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from classifier import Tier
from serving.config import RouterConfig
from serving.proxy.bodies import read_object
from serving.proxy.desk import Asked
from serving.proxy.errors import ProxyError, bad_request
from serving.spending.feedback_rows import tier_of_answer
from serving.spending.ledger_row import LedgerRow, Outcome
from serving.state import Thumb

__all__ = ["feedback"]

_FLUSH_SECONDS = 2.0
_LONGEST = 1000
_LONGEST_ID = 100
_HIGHER = tuple(tier.label for tier in Tier if tier > min(Tier))


async def feedback(asked: Asked) -> None:
    """Take in a thumb, or word that the user asked again or turned to a higher tier, or all of it."""
    body = read_object(asked.body)
    request_id, thumb, comment = _request_id(body), _thumb(body), _comment(body)
    retried, escalated_to = _retried(body), _escalated(body)
    if thumb is None and not retried and escalated_to is None:
        raise bad_request("give a 'thumb', \"up\" or \"down\", or 'retried', or 'escalated_to'", "thumb")
    rows = await _rows(asked, request_id)
    key_id = None if asked.key is None else asked.key.key_id
    if not rows or rows[0].key_id != key_id:
        raise ProxyError(
            404, "unknown_request", "no request of yours has that request_id", param="request_id"
        )
    _refuse_no_escalation(rows, escalated_to, asked.generation.core.config)
    books, at = asked.desk.books, asked.at

    def add() -> None:
        books.state.feedback.add(
            request_id, thumb, at, key_id, comment, retried=retried, escalated_to=escalated_to
        )

    await books.run(add)
    told = {"thumb": thumb, "retried": retried, "escalated_to": escalated_to, "comment": comment}
    answer = json.dumps({"request_id": request_id, **told})
    await asked.connection.respond_json([("x-tierwise-request-id", asked.request_id)], answer.encode())


def _refuse_no_escalation(rows: Sequence[LedgerRow], to: str | None, config: RouterConfig) -> None:
    """Refuse a tier that is not above the one that answered: training could make nothing of it."""
    answer = next((row for row in rows if row.outcome is Outcome.ANSWERED), None)
    tier = None if answer is None else tier_of_answer(answer, config)
    if to is not None and tier is not None and Tier.parse(to) <= tier:
        raise bad_request(
            f"'escalated_to' is {to}, but {tier} answered: name a tier above that", "escalated_to"
        )


async def _rows(asked: Asked, request_id: str) -> tuple[LedgerRow, ...]:
    """The request's attempts; where there are none, those of the last moment are written first."""
    books = asked.desk.books
    rows = await books.run(lambda: books.state.ledger.attempts_of(request_id))
    if not rows and await books.flushed(_FLUSH_SECONDS):
        rows = await books.run(lambda: books.state.ledger.attempts_of(request_id))
    return rows


def _request_id(body: Mapping[str, Any]) -> str:
    given = body.get("request_id")
    if not isinstance(given, str) or not given.isalnum() or not given.isascii() or len(given) > _LONGEST_ID:
        raise bad_request(
            "'request_id' must be what the header x-tierwise-request-id of an answer says", "request_id"
        )
    return given


def _thumb(body: Mapping[str, Any]) -> Thumb | None:
    given = body.get("thumb")
    if given is None:
        return None
    if not isinstance(given, str) or given not in {each.value for each in Thumb}:
        raise bad_request('\'thumb\' must be "up" or "down"', "thumb")
    return Thumb(given)


def _comment(body: Mapping[str, Any]) -> str | None:
    given = body.get("comment")
    if given is not None and not isinstance(given, str):
        raise bad_request("'comment' must be a text", "comment", "invalid_type")
    return (given or "")[:_LONGEST] or None


def _retried(body: Mapping[str, Any]) -> bool | None:
    given = body.get("retried")
    if given is not None and not isinstance(given, bool):
        raise bad_request("'retried' must be true or false", "retried", "invalid_type")
    return given


def _escalated(body: Mapping[str, Any]) -> str | None:
    given = body.get("escalated_to")
    if given is not None and given not in _HIGHER:
        raise bad_request("'escalated_to' must be balanced or premium", "escalated_to")
    return given
