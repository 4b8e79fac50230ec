"""The page at `/`: its files as they were packaged, under a policy that lets in nothing from outside.

They hold no data and need no key: what the page shows it asks `/v1/overview` for, as anybody else would.
"""

from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from serving.proxy.connection import Connection

__all__ = ["POLICY", "PageFile", "page_routes"]

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    )
)

_PERMISSIONS = ("accelerometer", "camera", "display-capture", "geolocation", "microphone", "payment", "usb")
_SECURITY = (
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("permissions-policy", ", ".join(f"{name}=()" for name in _PERMISSIONS)),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
)
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_INDEX = "index.html"


class PageFile:
    """One file of the page, from memory."""

    def __init__(self, name: str, content: bytes) -> None:
        """Serve a file.

        Args:
            name: whose ending tells the type.
            content: of the file.
        """
        self._content = content
        self._etag = f'"{sha256(content).hexdigest()[:16]}"'
        self._headers = [*_SECURITY, ("etag", self._etag), ("cache-control", "no-cache")]
        self._type = ("content-type", _TYPES[f".{name.rpartition('.')[2]}"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; 304 to who has it already."""
        connection = Connection(scope, receive, send)
        known = {each.strip().removeprefix("W/") for each in connection.listed("if-none-match").split(",")}
        if self._etag in known:
            await connection.respond(304, self._headers, b"")
        else:
            await connection.respond(200, [self._type, *self._headers], self._content)


def page_routes() -> list[Route]:
    """Return the routes of the page: itself at `/`, and what it loads below `/page`."""
    own = [each for each in files("serving").joinpath("page").iterdir() if _is_served(each.name)]
    predictor = files("classifier").joinpath("javascript", "tierwise.js")
    return [
        Route(_path(each), PageFile(each.name, each.read_bytes()), methods=["GET"])
        for each in (*own, predictor)
    ]


def _path(file: Traversable) -> str:
    return "/" if file.name == _INDEX else f"/page/{file.name}"


def _is_served(name: str) -> bool:
    return any(name.endswith(ending) for ending in _TYPES)
