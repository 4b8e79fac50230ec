"""`/healthz`: whether this process takes requests; for load balancers, so without a key."""

import json

from starlette.types import Receive, Scope, Send

from serving.proxy.connection import Connection
from serving.proxy.desk import Desk

__all__ = ["Health"]


class Health:
    """200 while requests are taken, 503 when the proxy is being stopped."""

    def __init__(self, desk: Desk) -> None:
        """Tell of a desk."""
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        closed = self._desk.turnstile.closed
        body = json.dumps({"status": "stopping" if closed else "ok"}).encode()
        headers = [("content-type", "application/json"), ("cache-control", "no-store")]
        await Connection(scope, receive, send).respond(503 if closed else 200, headers, body)
