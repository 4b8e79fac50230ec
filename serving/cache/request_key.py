"""What makes two requests the same one, and whether asking twice gives the same answer."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

__all__ = ["Place", "canonical", "is_repeatable", "normalised", "request_key"]

_FORM = 1  # of what is hashed; a change of meaning needs another number
_WITHOUT_EFFECT = frozenset(
    {
        "metadata",
        "model",  # the place says who answers
        "prompt_cache_key",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "stream",  # in the place
        "user",
    }
)
_CLIENT_TOOLS = ("function", "custom")  # that the caller runs; the others act or look things up elsewhere
_LINKS = ("image_url", "file_url", "video_url", "audio_url")


@dataclass(frozen=True, slots=True)
class Place:
    """Everything beside a request's body that its answer depends on.

    Attributes:
        path: below the base URL, for example `/chat/completions`.
        scope: whose requests share answers.
        upstreams: base URLs, in a fixed order.
        tier: the label of the tier that was settled on, or None where the caller named a model.
        model: that is meant to answer.
        model_version: of the classifier's model that decided, or None.
        streamed: whether a stream is wanted.
    """

    path: str
    scope: str
    upstreams: tuple[str, ...]
    tier: str | None
    model: str
    model_version: str | None
    streamed: bool


def normalised(body: Mapping[str, Any], *, streamed: bool) -> dict[str, Any]:
    """Return what a body's answer depends on.

    Left out are nulls, which say the same as nothing, and the fields by which a provider knows users, bills
    and keeps books: they change nothing in the answer.
    """
    kept = {name: each for name, each in body.items() if each is not None and name not in _WITHOUT_EFFECT}
    if not streamed:
        kept.pop("stream_options", None)
    if kept.get("store") is False:
        del kept["store"]
    return kept


def canonical(value: object) -> str:
    """Return JSON text that is the same for all ways of writing the same value.

    >>> canonical({"b": 1.0, "a": [True, "x"]})
    '{"a":[true,"x"],"b":1}'

    Raises:
        RecursionError: it is nested too deeply.
    """
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"))


def request_key(place: Place, body: Mapping[str, Any]) -> str:
    """Return the key of a request: SHA-256 in hexadecimal digits.

    The request cannot be read from it; whoever guesses all of one can tell whether the guess is right.

    Args:
        place: what the answer depends on beside the body.
        body: normalised.

    Raises:
        RecursionError: it is nested too deeply.
    """
    names = (each for each in Place.__slots__)
    told = {"form": _FORM, "body": body, "place": {name: getattr(place, name) for name in names}}
    return sha256(canonical(told).encode()).hexdigest()


def is_repeatable(path: str, body: Mapping[str, Any]) -> bool:
    """Return whether the same request is meant to get the same answer whenever it is asked.

    So it is for embeddings, and for one answer in text at temperature 0 that rests on nothing but the
    request: no tools that the provider runs, no pictures or files behind links, no conversation that the
    provider keeps, no wish that it keep the answer.

    Args:
        path: below the base URL.
        body: of the request, its values of any type.
    """
    if path == "/embeddings":
        return True
    temperature = body.get("temperature")
    if isinstance(temperature, bool) or temperature != 0 or body.get("n") not in (None, 1):
        return False
    if path == "/chat/completions" and body.get("store"):
        return False
    if any(body.get(name) for name in ("web_search_options", "conversation", "background")):
        return False
    if body.get("modalities") not in (None, ["text"]):
        return False
    return _tools_are_the_caller_s(body.get("tools")) and not any(map(_is_link, _parts(body)))


def _plain(value: object) -> object:
    match value:
        case float():
            return int(value) if value.is_integer() else value
        case dict():
            return {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
    return value


def _tools_are_the_caller_s(tools: object) -> bool:
    if not tools:
        return True
    listed = tools if isinstance(tools, list) else [tools]
    return all(isinstance(tool, Mapping) and tool.get("type") in _CLIENT_TOOLS for tool in listed)


def _parts(body: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """Yield the parts that messages, or the items of an input, are made of."""
    for name in ("messages", "input"):
        items = body.get(name)
        for item in items if isinstance(items, list) else ():
            content = item.get("content") if isinstance(item, Mapping) else None
            parts = content if isinstance(content, list) else ()
            yield from (part for part in parts if isinstance(part, Mapping))


def _is_link(part: Mapping[str, Any]) -> bool:
    found = (part.get(name) for name in _LINKS)
    urls = (each.get("url") if isinstance(each, Mapping) else each for each in found)
    return any(isinstance(url, str) and not url.startswith("data:") for url in urls)
