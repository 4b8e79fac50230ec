"""`/v1/status`: how this proxy fares: alarms, circuits and objectives, budgets, the last reload."""

import json
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from serving.errors import StateError
from serving.proxy.desk import Asked, Desk
from serving.proxy.generation import Generation
from serving.proxy.health import condition
from serving.spending.budget_terms import Budget, Standing, Unit, day_of, dollars

__all__ = ["Status", "budgets_told"]


class Status:
    """Tells of this process, and of what all replicas share: the budgets."""

    def __init__(self, desk: Desk) -> None:
        """Begin; the process counts as started now."""
        self._started_at = desk.now()

    async def answer(self, asked: Asked) -> None:
        """Answer; keys of the upstream are masked, and of the callers' budgets only their own is told."""
        core = asked.generation.core
        told = core.keys.mask(json.dumps(await self.told(asked)))
        headers = [("x-tierwise-request-id", asked.request_id), ("cache-control", "no-store")]
        await asked.connection.respond_json(headers, told.encode())

    async def told(self, asked: Asked) -> dict[str, Any]:
        """Return what is told to a request, as JSON-able values, nothing of it masked."""
        desk, generation = asked.desk, asked.generation
        core, now, reloaded = generation.core, desk.now(), generation.history.last
        return {
            "status": condition(desk),
            "version": version("tierwise"),
            "model_version": generation.model_version,
            "started_at": self._started_at,
            "uptime_seconds": max(0.0, now - self._started_at),
            "requests_at_work": desk.turnstile.inside,
            "alarms": [alarm.as_dict() for alarm in core.alarms.standing()],
            "circuits": [target.as_dict() for target in core.health.snapshot()],
            "tiers": [tier.as_dict() for tier in core.health.tiers()],
            "break_glass": _direct(generation),
            "budgets": await _budgets(asked, day_of(now, generation.zone)),
            "reload": None if reloaded is None else reloaded.as_dict(),
        }


def _direct(generation: Generation) -> list[dict[str, str]]:
    configured = generation.serve.break_glass.by_tier()
    return [
        {"tier": tier.label, "host": urlsplit(each.base_url).hostname or "", "model": each.model}
        for tier, each in configured.items()
    ]


async def _budgets(asked: Asked, day: str) -> list[dict[str, Any]] | None:
    """What the configured budgets of the request's key, and of all, stand at; None when nobody can say."""
    settings = asked.generation.serve
    configured = [*settings.budgets.premium]
    configured += [each.budget(tier) for tier, each in settings.break_glass.by_tier().items()]
    if asked.key is not None and asked.key.budget is not None:
        configured.append(asked.key.budget)
    try:
        state = asked.desk.books.state
        standing = await asked.desk.books.run(lambda: state.budgets.standing(day)) if configured else ()
    except StateError:
        return None
    return budgets_told(configured, standing, day)


def budgets_told(
    configured: Sequence[Budget], standing: Sequence[Standing], day: str
) -> list[dict[str, Any]]:
    """Return how budgets stand, as JSON-able values: in US dollars or tokens, as `unit` says.

    Args:
        configured: in the order to tell them, with the caps of now.
        standing: of the day, of any budgets.
        day: as `day_of` tells it.
    """
    known: Mapping[tuple[str, Unit], Standing] = {(each.scope, each.unit): each for each in standing}
    return [_budget_told(each, known.get((each.scope, each.unit)), day) for each in configured]


def _budget_told(budget: Budget, stands: Standing | None, day: str) -> dict[str, Any]:
    spent, reserved = (0, 0) if stands is None else (stands.spent, stands.reserved)
    amounts = {
        "cap": budget.cap,
        "spent": spent,
        "reserved": reserved,
        "left": max(0, budget.cap - spent - reserved),
    }
    if budget.unit is Unit.USD:
        return {
            "scope": budget.scope,
            "unit": "usd",
            "day": day,
            **{k: dollars(v) for k, v in amounts.items()},
        }
    return {"scope": budget.scope, "unit": "tokens", "day": day, **amounts}
