"""`/metrics`: what requests came to, and how everything stands that they depend on, for Prometheus.

It has no turn to wait for and no request limit: a proxy that is overloaded, or being stopped, can still be
looked at. No scrape asks the database: budgets are read in the background, every few seconds.
"""

import asyncio

from starlette.types import Receive, Scope, Send

from serving.observability.exposition import Exposition, Metric, families_of
from serving.observability.settings import MetricsAccess
from serving.proxy.connection import ClientLeftError, Connection
from serving.proxy.desk import Desk
from serving.proxy.errors import ProxyError
from serving.proxy.state_metrics import StateMetrics

__all__ = ["Metrics"]


class Metrics:
    """The endpoint."""

    def __init__(self, desk: Desk) -> None:
        """Tell of a desk."""
        self._desk = desk
        self._requests = desk.requests
        self._state = StateMetrics(desk)
        self._exposition = Exposition()
        self._turn = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one scrape."""
        connection = Connection(scope, receive, send)
        settings = self._desk.generation.serve.proxy
        try:
            if settings.metrics is MetricsAccess.OFF:
                raise ProxyError(404, "metrics_off", 'metrics are switched off: [proxy] metrics = "keys"')
            if settings.metrics is MetricsAccess.KEYS:
                await self._desk.guard.admit(connection.headers, settings.key_seconds)
            body, content_type = await self._rendered(connection.headers.get("accept", ""))
            headers = [("content-type", content_type), ("cache-control", "no-store")]
            await connection.respond(200, headers, body)
        except ClientLeftError:
            return
        except ProxyError as error:
            await connection.refuse(error)

    def families(self) -> list[Metric]:
        """Return everything as it stands now."""
        return [*families_of(self._requests.tallies, self._requests.histograms), *self._state]

    async def _rendered(self, accept: str) -> tuple[bytes, str]:
        async with self._turn:  # one after another: rendering takes a thread and some milliseconds
            families = self.families()
            return await asyncio.to_thread(self._exposition.render, families, accept)
