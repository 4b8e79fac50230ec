"""What a request's `Cache-Control` header asks of a cache (RFC 9111, section 5.2.1)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Directives"]

_DIRECTIVE = re.compile(
    r"""[\s,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:=(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?[ \t]*(?=,|\Z)"""
)
_MOST = 2**31  # seconds; RFC 9111, section 1.2.2, has caches read larger numbers as this one
_FLAGS = frozenset({"no-store", "no-cache", "only-if-cached"})
_TIMES = frozenset({"max-age", "min-fresh", "max-stale"})


@dataclass(frozen=True, slots=True)
class Directives:
    """What a request asks of a cache; directives that are not known here ask nothing.

    Attributes:
        no_store: the answer is neither looked for nor kept.
        no_cache: it is not looked for, but may be kept.
        only_if_cached: it comes from a cache or not at all.
        max_age: it is at most so many seconds old; None for any age.
        min_fresh: it stays fresh for at least so many seconds.
        max_stale: it may have been stale for so many seconds; None for not at all.
        said: whether the header said anything.
    """

    no_store: bool = False
    no_cache: bool = False
    only_if_cached: bool = False
    max_age: int | None = None
    min_fresh: int = 0
    max_stale: int | None = None
    said: bool = False

    @classmethod
    def of(cls, header: str) -> "Directives":
        """Read a header, several lines of it joined by commas.

        Of a directive that is said twice the stricter one holds. What cannot be read makes the request one
        whose answer is not looked for: a typing error gives a fresh answer, never an older one than wanted.

        >>> Directives.of('max-age=60, no-cache="set-cookie"').max_age
        60
        >>> Directives.of("max-age=soon").no_cache
        True
        """
        if not header.strip(" \t,"):
            return cls()
        try:
            pairs = list(_pairs(header))
            times = {name: _seconds(name, value) for name, value in pairs if name in _TIMES}
        except ValueError:
            return cls(no_store=_names_no_store(header), no_cache=True, said=True)
        flags = {name for name, _ in pairs} & _FLAGS
        ages = [_seconds(name, value) for name, value in pairs if name == "max-age"]
        fresh = [_seconds(name, value) for name, value in pairs if name == "min-fresh"]
        return cls(
            no_store="no-store" in flags,
            no_cache="no-cache" in flags,
            only_if_cached="only-if-cached" in flags,
            max_age=min(ages, default=None),
            min_fresh=max(fresh, default=0),
            max_stale=times.get("max-stale"),
            said=True,
        )

    @property
    def asks(self) -> bool:
        """Whether the caller asks for stored answers, and thereby for answers to be stored.

        `no-cache` and `max-age=0` alone do not: programs that know of no cache send them by themselves.
        """
        wants = self.only_if_cached or self.max_age or self.min_fresh or self.max_stale is not None
        return bool(wants) and not self.no_store

    def allows(self, age: float, lifetime: float) -> bool:
        """Return whether an answer may be used.

        Args:
            age: of the answer, seconds.
            lifetime: seconds for which an answer is fresh.
        """
        if self.no_store or self.no_cache or (self.max_age is not None and age > self.max_age):
            return False
        return age + self.min_fresh <= lifetime + (self.max_stale or 0)


def _pairs(header: str) -> Iterator[tuple[str, str | None]]:
    place = 0
    while header[place:].strip(" \t,"):
        found = _DIRECTIVE.match(header, place)
        if found is None:
            raise ValueError(header[place:])
        name, quoted, plain = found.groups()
        yield name.lower(), plain if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        place = found.end()


def _seconds(name: str, value: str | None) -> int:
    if value is None and name == "max-stale":  # any staleness will do
        return _MOST
    if value is None or not (value.isascii() and value.isdigit()):
        raise ValueError(f"{name}={value}")
    return min(int(value[:20]), _MOST)


def _names_no_store(header: str) -> bool:
    return "no-store" in header.lower()
