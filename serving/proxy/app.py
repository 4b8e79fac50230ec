"""The proxy as an ASGI application."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from serving.proxy import completions
from serving.proxy.decisions import route
from serving.proxy.desk import Desk, Endpoint
from serving.proxy.errors import ProxyError
from serving.proxy.feedback import feedback
from serving.proxy.health import Health
from serving.proxy.metrics import Metrics
from serving.proxy.models import Models
from serving.proxy.openapi import document
from serving.proxy.overview import ModelBytes, Overview
from serving.proxy.page import page_routes
from serving.proxy.status import Status

__all__ = ["build_app"]


def build_app(
    open_desk: Callable[[], Awaitable[Desk]], close_desk: Callable[[Desk], Awaitable[None]]
) -> FastAPI:
    """Return the application.

    FastAPI gives the shell: life span, errors, the OpenAPI document. The routes are plain ASGI applications,
    so that a request passes no layer that it does not need.

    Args:
        open_desk: composes what the endpoints share, when the server starts.
        close_desk: takes it apart, when the server has ended.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        desk = await open_desk()
        app.state.desk = desk
        app.router.routes[:0] = _routes(desk)
        try:
            yield
        finally:
            await close_desk(desk)

    app = FastAPI(
        title="Tierwise",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _not_routed, Exception: _broken},
    )
    app.openapi = document  # type: ignore[method-assign]
    return app


def _routes(desk: Desk) -> list[Route]:
    posts = {
        "/v1/chat/completions": completions.chat,
        "/v1/responses": completions.responses,
        "/v1/embeddings": completions.embeddings,
        "/v1/route": route,
        "/v1/feedback": feedback,
    }
    routes = [Route(path, Endpoint(desk, handle), methods=["POST"]) for path, handle in posts.items()]
    models = Endpoint(desk, Models().answer, takes_json=False)
    status = Status(desk)
    overview = Endpoint(desk, Overview(desk, status).answer, takes_json=False)
    return [
        *routes,
        Route("/v1/models", models, methods=["GET"]),
        Route("/v1/status", Endpoint(desk, status.answer, takes_json=False), methods=["GET"]),
        Route("/v1/overview", overview, methods=["GET"]),
        Route("/v1/model", Endpoint(desk, ModelBytes().answer, takes_json=False), methods=["GET"]),
        Route("/metrics", Metrics(desk), methods=["GET"]),
        Route("/healthz", Health(desk), methods=["GET"]),
        *page_routes(),
    ]


async def _not_routed(request: Request, error: Exception) -> Response:
    """Word what the router says: no such path, or not this method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    words = {
        404: f"there is nothing at {request.url.path[:200]!r}: the API is below /v1",
        405: f"{request.method} is not what this path answers to",
    }
    codes = {404: "unknown_path", 405: "method_not_allowed"}
    refusal = ProxyError(
        status, codes.get(status, "error"), words.get(status, "the request cannot be answered")
    )
    return Response(refusal.body, status, headers, "application/json")


async def _broken(_request: Request, _error: Exception) -> Response:
    refusal = ProxyError(500, "internal_error", "the proxy failed; its log tells more")
    return Response(refusal.body, 500, {"connection": "close"}, "application/json")
