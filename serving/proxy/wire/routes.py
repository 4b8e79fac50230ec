"""Where a URL's connection goes to: straight there, or through the proxy that the environment names."""

import ipaddress
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit

from serving.errors import ConfigError

__all__ = ["Place", "Route", "Routes"]

_PORTS = {"http": 80, "https": 443}
_KEPT = "/%:@!$&'()*+,;=~?"


@dataclass(frozen=True, slots=True)
class Place:
    """Somebody who listens.

    Attributes:
        host: name or address, without brackets.
        port: of TCP.
        secure: whether TLS is spoken there.
    """

    host: str
    port: int
    secure: bool

    @property
    def authority(self) -> str:
        """The host and the port as a request line has them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Route:
    """How a URL is asked.

    Attributes:
        upstream: who answers.
        proxy: who is connected to instead, or None.
        proxy_authorization: a header line for the proxy, or nothing.
        request: the first line's target and the lines that every request has: `target HTTP/1.1`, the host,
            and what the proxy wants.
    """

    upstream: Place
    proxy: Place | None
    proxy_authorization: bytes
    request: bytes

    @property
    def tunnel(self) -> bytes:
        """The request that has the proxy lead through to the upstream; empty where there is none to lead."""
        if self.proxy is None or not self.upstream.secure:
            return b""
        where = self.upstream.authority.encode("ascii")
        return b"CONNECT %b HTTP/1.1\r\nhost: %b\r\n%b\r\n" % (where, where, self.proxy_authorization)

    @property
    def kind(self) -> tuple[Place, Place | None]:
        """What connections are shared by."""
        return self.upstream, self.proxy


class Routes:
    """The ways to URLs, by the variables HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in either case."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        """Read an environment.

        Raises:
            ConfigError: a proxy is named that cannot be used.
        """
        self._proxies = {scheme: _proxy(environ, scheme) for scheme in ("http", "https")}
        self._spared = [each.strip().lower() for each in _value(environ, "no_proxy").split(",")]
        self._known: dict[str, Route] = {}

    def to(self, url: str) -> Route:
        """Return the route to a URL.

        Raises:
            ConfigError: it is no URL that can be asked.
        """
        route = self._known.get(url)
        if route is None:
            if len(self._known) > 100:  # of an operator's few; a reload may bring others
                self._known.clear()
            route = self._known[url] = self._route(url)
        return route

    def _route(self, url: str) -> Route:
        parts = _parts(url, "base_url")
        upstream = _place(parts)
        told = None if self._spares(upstream) else self._proxies[parts.scheme]
        target = quote(parts.path or "/", safe=_KEPT) + (
            f"?{quote(parts.query, safe=_KEPT)}" if parts.query else ""
        )
        host = upstream.authority if parts.port else upstream.authority.rpartition(":")[0]
        authorization = b"" if told is None else _authorization(told)
        lines = b""
        if told is not None and not upstream.secure:
            target, lines = f"http://{host}{target}", authorization
        request = f"{target} HTTP/1.1\r\nhost: {host}\r\n".encode("ascii") + lines
        return Route(upstream, None if told is None else _place(told), authorization, request)

    def _spares(self, upstream: Place) -> bool:
        return any(each and _matches(each, upstream) for each in self._spared)


def _matches(pattern: str, upstream: Place) -> bool:
    """Whether an entry of NO_PROXY means a host: itself and what is below it, or addresses of a network."""
    if pattern == "*":
        return True
    host = upstream.host.lower()
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(pattern.strip("[]"), strict=False)
    except ValueError:
        pass
    name, _, port = pattern.rpartition(":")
    if name and port.isdigit():
        return port == f"{upstream.port}" and _matches(name, upstream)
    domain = pattern.removeprefix("*")
    return host.endswith(domain) if domain.startswith(".") else host == domain or host.endswith(f".{domain}")


def _proxy(environ: Mapping[str, str], scheme: str) -> SplitResult | None:
    for variable in (f"{scheme}_proxy", "all_proxy"):
        told = _value(environ, variable)
        if told:
            return _parts(told if "://" in told else f"http://{told}", variable.upper())
    return None


def _value(environ: Mapping[str, str], name: str) -> str:
    return environ.get(name) or environ.get(name.upper()) or ""


def _parts(url: str, what: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in _PORTS and parts.hostname and _place(parts)
    except ValueError:  # a port that is none, or a name that cannot be one
        usable = None
    if not usable:
        raise ConfigError(f"{what}: {_shown(url)!r} is no URL that can be asked: http://... or https://...")
    return parts


def _shown(url: str) -> str:
    """The URL without a password in it."""
    head, at, rest = url.rpartition("@")
    return f"{head.partition('://')[0]}://***@{rest}" if at else url


def _place(parts: SplitResult) -> Place:
    host = f"{parts.hostname}".encode("idna").decode("ascii")
    return Place(host, parts.port or _PORTS[parts.scheme], parts.scheme == "https")


def _authorization(parts: SplitResult) -> bytes:
    if parts.username is None:
        return b""
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return b"proxy-authorization: Basic " + b64encode(pair) + b"\r\n"
