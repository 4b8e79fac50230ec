"""`/v1/overview`: all that the page at `/` shows, in one answer; and `/v1/model`, for its box."""

import asyncio
import json
from typing import Any

from classifier.model_file import Model, dump_model
from serving.proxy.day_board import DayBoard
from serving.proxy.desk import Asked, Desk
from serving.proxy.errors import ProxyError
from serving.proxy.status import Status
from serving.spending.day_overview import DayOverview

__all__ = ["ModelBytes", "Overview"]

_PATIENCE = 2.0  # seconds that an answer waits for the ledger


class Overview:
    """Tells of the day, of what was decided last, and all that `/v1/status` tells."""

    def __init__(self, desk: Desk, status: Status) -> None:
        """Tell of a desk.

        Args:
            desk: what the endpoints share.
            status: tells how the proxy fares.
        """
        self._status = status
        self._board = DayBoard(desk.books.state.totals, lambda: desk.now())

    async def answer(self, asked: Asked) -> None:
        """Answer; keys of the upstream are masked, and reasons told to the key whose request it was."""
        generation = asked.generation
        _, status = await asyncio.gather(
            self._board.look(generation.zone, _PATIENCE), self._status.told(asked)
        )
        told = {"at": asked.desk.now(), **self._day(asked), "decisions": _decisions(asked), "status": status}
        masked = generation.core.keys.mask(json.dumps(told))
        headers = [("x-tierwise-request-id", asked.request_id), ("cache-control", "no-store")]
        await asked.connection.respond_json(headers, masked.encode())

    def _day(self, asked: Asked) -> dict[str, Any]:
        board, generation = self._board, asked.generation
        ledger, figures = "current", board.figures
        if board.unavailable:
            ledger = "unavailable"
        elif figures is None:
            ledger = "pending"
        told = {"time_zone": generation.serve.budgets.time_zone, "ledger": ledger}
        if figures is None:
            return {**told, "day": None, "read_at": None, "today": None}
        tiers = generation.core.health.tiers()
        objectives = {
            each.tier.label: each.objective_seconds for each in tiers if each.objective_seconds is not None
        }
        day = DayOverview(figures.hours, figures.latencies, generation.core.config, objectives)
        return {**told, "day": figures.day, "read_at": figures.read_at, "today": day.as_dict()}


class ModelBytes:
    """Tells the model that decides, as the bytes of its file."""

    def __init__(self) -> None:
        """Begin with none at hand."""
        self._known: tuple[Model, bytes] | None = None
        self._turn = asyncio.Lock()

    async def answer(self, asked: Asked) -> None:
        """Answer; 304 to who has it already.

        Raises:
            ProxyError: there is none: its file is broken, or another classifier decides.
        """
        generation = asked.generation
        if generation.model is None:
            raise ProxyError(404, "no_model_file", "no model file decides here now: there is none to give")
        headers = [
            ("x-tierwise-request-id", asked.request_id),
            ("etag", f'"{generation.model_version}"'),
            ("cache-control", "private, no-cache"),
            ("x-content-type-options", "nosniff"),
        ]
        if asked.connection.headers.get("if-none-match") == f'"{generation.model_version}"':
            await asked.connection.respond(304, headers, b"")
            return
        body = await self._bytes(generation.model)
        await asked.connection.respond(200, [("content-type", "application/octet-stream"), *headers], body)

    async def _bytes(self, model: Model) -> bytes:
        async with self._turn:  # written from what is in memory: the file on disk may be another one by now
            if self._known is None or self._known[0] is not model:
                self._known = model, await asyncio.to_thread(dump_model, model)
            return self._known[1]


def _decisions(asked: Asked) -> list[dict[str, Any]]:
    own = None if asked.key is None else asked.key.key_id
    return [each.as_dict(told_to=own) for each in asked.desk.recent.newest_first()]
