"""`/v1/chat/completions`, `/v1/responses` and `/v1/embeddings`: decided on, forwarded, accounted for."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from classifier import Tier
from serving.call import Call, Order
from serving.proxy.bodies import check_counts, messages_in, model_in, read_object, streams
from serving.proxy.budget_gate import BudgetGate, budgets_of
from serving.proxy.cache_visit import Landed, Visit, Visitor
from serving.proxy.chunks import CHAT, EMBEDDINGS, RESPONSES, Dialect
from serving.proxy.desk import Asked
from serving.proxy.errors import bad_request
from serving.proxy.forward import Forwarded, Forwarder, Headers
from serving.proxy.headers import routing_headers
from serving.proxy.inputs import as_messages
from serving.proxy.ledger_rows import RequestFacts
from serving.proxy.permissions import Chosen, allowed, chosen_for, counts_as_premium, may_use_premium
from serving.proxy.sessions import given_name, hold
from serving.sessions.keeper import Held
from serving.sessions.session_id import SESSION_HEADER
from serving.spending.bounds import LIMITS
from serving.spending.ledger_row import ChosenBy

__all__ = ["chat", "embeddings", "responses"]

_GRACE_SECONDS = 5.0  # beyond the call's deadline, for a client that reads slowly


async def chat(asked: Asked) -> None:
    """Answer a chat completion."""
    body = read_object(asked.body)
    messages = messages_in(body)
    await _answer(asked, body, messages, CHAT, "max_tokens")


async def responses(asked: Asked) -> None:
    """Answer a request of the responses API."""
    body = read_object(asked.body)
    await _answer(asked, body, as_messages(body), RESPONSES, "max_output_tokens")


async def embeddings(asked: Asked) -> None:
    """Answer a request for embeddings, which no tier stands for."""
    body = read_object(asked.body)
    if model_in(body) in ("auto", "cheap", "balanced", "premium"):
        raise bad_request("name an embedding model: 'model' cannot be auto or a tier here", "model")
    await _answer(asked, {**body, "stream": False}, (), EMBEDDINGS, "")


async def _answer(
    asked: Asked, body: dict[str, Any], messages: Sequence[Mapping[str, Any]], dialect: Dialect, limit: str
) -> None:
    core = asked.generation.core
    check_counts(body)
    is_stream = streams(body)
    selection = await core.select_soon(model_in(body), messages, explained=True)
    rationed = asked.generation.rationed(selection.decision)
    held = await hold(asked, selection, body, messages) if limit else Held(selection)
    chosen = chosen_for(asked.key, held.selection, core.config, rationed=rationed, by_session=held.moved)
    _tell(asked, chosen, body, is_stream)
    plan = allowed(core.plan(chosen.selection), asked.key, core.config)
    rules = asked.desk.rules(asked.generation)
    said = [] if held.session is None else [(SESSION_HEADER, held.session.name)]
    if any(budgets_of(each.model, asked.key, rules) for each in plan.candidates):
        said += _limited(body, limit, rules.default_max_tokens)
    facts = _facts(asked, chosen, held, messages, is_stream)
    asked.gate = gate = BudgetGate(asked.desk.books, rules, facts, asked.key, body)
    tier = chosen.selection.tier
    limits = core.limits(tier, core.config.deadline(tier))
    order = Order(body, {}, is_stream, limits, dialect.path, _prompt(dialect, body, messages))
    call = core.call(order, chosen.selection, plan, asked.started_at, held)
    models = tuple(each.model for each in plan.candidates)
    visitor = Visitor(call, models, gate, dialect, messages, asked.connection.listed("cache-control"))
    visit = Visit.of(asked.desk.cache, asked.generation.serve.cache, visitor, said)

    def more_headers() -> Headers:
        return asked.desk.books.observers.headers(asked.request_id)

    async def forward() -> Forwarded:
        _count(asked, chosen, messages)
        glass = asked.generation.glass
        glass.arm(call, tier, {limit: rules.default_max_tokens} if limit and _needs_limit(body) else {})
        try:
            forwarder = Forwarder(asked.desk.client, gate, dialect, core.sleep_soon, more_headers)
            return await forwarder.forward(call)
        finally:
            glass.learn(call.routing())

    if visit is None:
        await _send_on(asked, call, gate, chosen, Landed.of(await forward(), call), said)
        return
    try:
        landed = await visit.hit() or await visit.landed(forward)
        if landed.lent:
            core.sessions.carry(held, core.now())
        await _send_on(asked, call, gate, chosen, landed, [*said, *landed.said])
    finally:
        await visit.leave()


async def _send_on(
    asked: Asked,
    call: Call,
    gate: BudgetGate,
    chosen: Chosen,
    landed: Landed,
    said: list[tuple[str, str]],
) -> None:
    routing = landed.routing
    chosen_by = ChosenBy.BUDGET if gate.downgraded else chosen.chosen_by
    passed_over = tuple(f"{each.model} was passed over: {each.reason}" for each in routing.skipped)
    tells = gate.downgraded or call.barred
    headers = [
        *landed.headers,
        *routing_headers(routing, asked.request_id, chosen_by, passed_over if tells else ()),
        *said,
    ]
    if isinstance(landed.body, bytes):
        await asked.connection.respond(landed.status, headers, landed.body)
    else:
        seconds = call.order.limits.whole + _GRACE_SECONDS
        await asked.connection.stream(landed.status, headers, landed.body, seconds)


def _count(asked: Asked, chosen: Chosen, messages: Sequence[Mapping[str, Any]]) -> None:
    """Tell pacing of a request that is about to be sent."""
    pacing, selection = asked.generation.pacing, chosen.selection
    if pacing is None or not may_use_premium(asked.key):
        return
    tier = selection.tier
    if tier is None and counts_as_premium(selection.requested, asked.generation.core.config):
        tier = Tier.PREMIUM
    pacing.paced.began(messages, selection.decision, tier)


def _tell(asked: Asked, chosen: Chosen, body: Mapping[str, Any], is_stream: bool) -> None:
    record, selection = asked.record, chosen.selection
    record.requested, record.chosen_by = selection.requested, chosen.chosen_by
    record.tier = None if selection.tier is None else selection.tier.label
    record.streamed, record.body = is_stream, body
    record.reasons = selection.reasons


def _prompt(
    dialect: Dialect, body: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Return a chat body with the request's prompt, where its own is none."""
    if dialect is CHAT:
        return None
    return {"messages": messages or [{"content": json.dumps(body.get("input"))}]}


def _limited(body: dict[str, Any], limit: str, tokens: int) -> list[tuple[str, str]]:
    """Limit the answer of a request that gives no limit of its own; return the headers that tell."""
    if not limit or not _needs_limit(body):
        return []
    body[limit] = tokens
    return [("x-tierwise-max-tokens", str(tokens))]


def _needs_limit(body: Mapping[str, Any]) -> bool:
    return all(body.get(name) is None for name in LIMITS)


def _facts(
    asked: Asked, chosen: Chosen, held: Held, messages: Sequence[Mapping[str, Any]], is_stream: bool
) -> RequestFacts:
    stores = asked.generation.serve.proxy.store_prompts
    return RequestFacts(
        request_id=asked.request_id,
        at=asked.at,
        started_at=asked.started_at,
        chosen_by=chosen.chosen_by,
        key_id=None if asked.key is None else asked.key.key_id,
        session=given_name(asked) if held.session is None else held.session.name,
        streamed=is_stream,
        prompt=json.dumps(messages) if stores else None,
    )
