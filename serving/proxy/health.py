"""`/healthz`: whether this process takes requests; for load balancers, so without a key."""

import json

from starlette.types import Receive, Scope, Send

from serving.proxy.connection import Connection
from serving.proxy.desk import Desk

__all__ = ["Health", "condition"]


class Health:
    """200 while requests are taken, though it may be degraded; 503 when the proxy is being stopped."""

    def __init__(self, desk: Desk) -> None:
        """Tell of a desk."""
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        closed = self._desk.turnstile.closed
        body = json.dumps({"status": condition(self._desk)}).encode()
        headers = [("content-type", "application/json"), ("cache-control", "no-store")]
        await Connection(scope, receive, send).respond(503 if closed else 200, headers, body)


def condition(desk: Desk) -> str:
    """Return how the proxy is: "ok", "degraded" while an alarm stands, "stopping"."""
    if desk.turnstile.closed:
        return "stopping"
    return "degraded" if desk.generation.core.alarms.standing() else "ok"
