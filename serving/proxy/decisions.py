"""`/v1/route`: what would be decided, and why; nobody is called."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from classifier import ClassifierError, Decision
from serving.proxy.bodies import messages_in, model_in, read_object
from serving.proxy.budget_gate import budgets_of
from serving.proxy.desk import Asked
from serving.proxy.inputs import as_messages
from serving.proxy.ledger_rows import risk_above
from serving.proxy.permissions import Chosen, allowed, chosen_for
from serving.proxy.sessions import hold

__all__ = ["route"]


async def route(asked: Asked) -> None:
    """Answer what would be decided on a chat, or on a request of the responses API, and why."""
    body = read_object(asked.body)
    messages = messages_in(body) if "messages" in body or "input" not in body else as_messages(body)
    generation = asked.generation
    selection = await generation.core.select_soon(model_in(body), messages)
    rationed = generation.rationed(selection.decision)
    held = await hold(asked, selection, body, messages)
    chosen = chosen_for(
        asked.key, held.selection, generation.core.config, rationed=rationed, by_session=held.moved
    )
    told = await asyncio.to_thread(_told, asked, chosen, messages)  # reasons of long conversations take long
    answer = {"request_id": asked.request_id, **told}
    headers = [("x-tierwise-request-id", asked.request_id)]
    await asked.connection.respond_json(headers, json.dumps(answer).encode())


def _told(asked: Asked, chosen: Chosen, messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    core, selection, decision = asked.generation.core, chosen.selection, chosen.selection.decision
    plan = allowed(core.plan(selection), asked.key, core.config)
    budgets = budgets_of(plan.first, asked.key, asked.desk.rules(asked.generation))
    return {
        "requested": selection.requested,
        "tier": None if selection.tier is None else selection.tier.label,
        "model": plan.first,
        "chosen_by": chosen.chosen_by.value,
        "risk": risk_above(selection.tier, decision),
        "chain": [each.model for each in plan.candidates],
        "skipped": [{"model": each.model, "reason": each.reason} for each in plan.skipped],
        "budgets": sorted({each.scope for each in budgets}),
        "reasons": list(selection.reasons()),
        "explanation": None if decision is None else _explanation(asked, messages, decision),
    }


def _explanation(
    asked: Asked, messages: Sequence[Mapping[str, Any]], decision: Decision
) -> dict[str, Any] | None:
    try:
        return asked.generation.core.explain(messages, decision).as_dict()
    except (ClassifierError, TimeoutError):  # the reasons tell
        return None
