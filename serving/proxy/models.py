"""`/v1/models`: auto, the tiers, and the upstream's own list, which is asked for once a minute."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from classifier import Tier
from serving.keys import CHANNELS
from serving.proxy.chunks import parsed
from serving.proxy.desk import Asked
from serving.proxy.generation import Generation
from serving.proxy.wire import WireClient, WireError
from serving.selection import AUTO
from serving.upstream import BrokenAnswerError

__all__ = ["Models"]

_KEPT_SECONDS = 60.0
_LARGEST = 16 * 2**20


class Models:
    """The list, with what the upstream said last."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without one.

        Args:
            clock: seconds, from any start, never going back.
        """
        self._clock = clock
        self._kept: list[Any] = []
        self._kept_for: Generation | None = None
        self._until = 0.0
        self._turn = asyncio.Lock()

    async def answer(self, asked: Asked) -> None:
        """Answer the list; just our own names while the upstream does not answer."""
        allowed = None if asked.key is None else asked.key.allowed_tiers
        tiers = [tier.label for tier in Tier if allowed is None or tier.label in allowed]
        ours = [
            {"id": name, "object": "model", "created": 0, "owned_by": "tierwise"} for name in (AUTO, *tiers)
        ]
        theirs = await self._upstream(asked)
        answer = json.dumps({"object": "list", "data": [*ours, *theirs]}).encode()
        await asked.connection.respond_json([("x-tierwise-request-id", asked.request_id)], answer)

    async def _upstream(self, asked: Asked) -> list[Any]:
        generation = asked.generation
        async with self._turn:
            if self._kept_for is not generation or self._clock() >= self._until:
                self._kept = await _asked_for(asked.desk.client, generation)
                self._kept_for, self._until = generation, self._clock() + _KEPT_SECONDS
            return self._kept


async def _asked_for(client: WireClient, generation: Generation) -> list[Any]:
    core = generation.core
    found: dict[str, Any] = {}
    for channel in CHANNELS:
        secret = core.keys.of(channel)
        if secret is None:
            continue
        headers = (
            ("authorization", f"Bearer {secret.reveal()}"),
            ("accept", "application/json"),
            ("accept-encoding", "identity"),
            ("user-agent", "tierwise"),
        )
        url, seconds = f"{core.config.base(channel)}/models", core.config.first_byte_seconds
        rows = await _rows(client, url, headers, seconds)
        found |= {row["id"]: row for row in rows}
    return json.loads(core.keys.mask(json.dumps(list(found.values()))))  # type: ignore[no-any-return]


async def _rows(
    client: WireClient, url: str, headers: Sequence[tuple[str, str]], seconds: float
) -> list[dict[str, Any]]:
    try:
        async with asyncio.timeout(seconds):
            reply = await client.send("GET", url, headers)
            try:
                body = await reply.read(_LARGEST) if reply.status == 200 else None
            finally:
                reply.close()
        rows = parsed(body or b"")["data"]
        return [row for row in rows if isinstance(row, dict) and isinstance(row.get("id"), str)]
    except (WireError, TimeoutError, BrokenAnswerError, KeyError, TypeError):
        return []
