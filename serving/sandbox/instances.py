"""A small value that a JSON schema accepts, so that structured answers parse."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import cast

Schema = Mapping[str, object]

_DEEPEST = 24
_BY_FORMAT = {
    "date": "2026-01-01",
    "date-time": "2026-01-01T00:00:00Z",
    "time": "00:00:00Z",
    "duration": "PT0S",
    "email": "simulated@example.invalid",
    "uri": "https://example.invalid/",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "hostname": "example.invalid",
}


def minimal_instance(schema: object, draws: Iterable[float] = ()) -> object:
    """Return a small value for a JSON schema: required properties only, the shortest lists and strings.

    Understands what the structured outputs of OpenAI allow (`type`, `properties`, `enum`, `const`, `anyOf`,
    `oneOf`, `allOf`, `$ref` into the same document, bounds on numbers, lengths and items, common formats);
    a `pattern` is ignored. A recursive schema is cut off with null after 24 levels.

    Args:
        schema: of the value.
        draws: fractions in [0, 1]: one for each integer between a minimum and a maximum, in the order of the
            schema, for how far between them it is; when they have run out, the smallest values follow.

    >>> minimal_instance({"type": "array", "minItems": 2, "items": {"type": "integer", "minimum": 3}})
    [3, 3]
    >>> minimal_instance({"type": "integer", "minimum": 1, "maximum": 5}, [0.5])
    3
    >>> minimal_instance({"anyOf": [{"type": "string"}, {"type": "null"}]}) is None
    True
    """
    root = schema if isinstance(schema, Mapping) else {}
    return _instance(root, _Source(root, iter(draws)), 0)


def minimal_json(schema: object, draws: Iterable[float] = ()) -> str:
    """Return `minimal_instance(schema, draws)` as JSON text."""
    return json.dumps(minimal_instance(schema, draws))


@dataclass(frozen=True, slots=True)
class _Source:
    root: Schema
    draws: Iterator[float]


def _instance(schema: object, source: _Source, depth: int) -> object:
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return None
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    if "$ref" in schema:
        return _instance(_resolve(str(schema["$ref"]), source.root), source, depth + 1)
    for name in ("anyOf", "oneOf"):
        if schema.get(name):
            return _instance(_simplest(schema[name]), source, depth + 1)
    if schema.get("allOf"):
        return _instance(_merged(schema, source.root), source, depth + 1)
    return _typed(schema, source, depth)


def _typed(schema: Schema, source: _Source, depth: int) -> object:
    kind = _kind(schema)
    if kind == "object":
        properties = _mapping(schema.get("properties"))
        wanted = [str(name) for name in _sequence(schema.get("required"))]
        return {name: _instance(properties.get(name), source, depth + 1) for name in wanted}
    if kind == "array":
        return _array(schema, source, depth)
    if kind in ("integer", "number"):
        return _between(schema, source.draws) if kind == "integer" else _number(schema, whole=False)
    if kind == "boolean":
        return False
    return _string(schema) if kind == "string" else None


def _kind(schema: Schema) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        return "null" if "null" in kind else str(kind[0]) if kind else "null"
    if kind is None and "properties" in schema:
        return "object"
    return str(kind)


def _array(schema: Schema, source: _Source, depth: int) -> list[object]:
    fixed = _sequence(schema.get("prefixItems"))
    items = [_instance(item, source, depth + 1) for item in fixed]
    missing = max(0, int(_bound(schema, "minItems") or 0) - len(items))
    return items + [_instance(schema.get("items"), source, depth + 1) for _ in range(missing)]


def _string(schema: Schema) -> str:
    text = _BY_FORMAT.get(str(schema.get("format")), "simulated")
    least, most = _bound(schema, "minLength"), _bound(schema, "maxLength")
    padded = text.ljust(int(least), ".") if least else text
    return padded[: int(most)] if most is not None else padded


def _between(schema: Schema, draws: Iterator[float]) -> float:
    low, high = _bound(schema, "minimum"), _bound(schema, "maximum")
    smallest = _number(schema, whole=True)
    if low is None or high is None:
        return smallest
    largest = floor(high)
    return smallest + max(0, round((largest - smallest) * next(draws, 0.0)))


def _number(schema: Schema, *, whole: bool) -> float:
    low, high = _bound(schema, "minimum"), _bound(schema, "maximum")
    above, below = _bound(schema, "exclusiveMinimum"), _bound(schema, "exclusiveMaximum")
    value: float = 0
    if low is not None and value < low:
        value = ceil(low) if whole else low
    if above is not None and value <= above:
        value = floor(above) + 1 if whole or below is None else (above + below) / 2
    if high is not None and value > high:
        value = floor(high) if whole else high
    if below is not None and value >= below:
        value = ceil(below) - 1
    return value


def _simplest(options: object) -> object:
    branches = _sequence(options)
    nulls = [branch for branch in branches if isinstance(branch, Mapping) and branch.get("type") == "null"]
    return (nulls or branches)[0]


def _merged(schema: Schema, root: Schema) -> Schema:
    parts = [_resolved(part, root) for part in _sequence(schema["allOf"])]
    rest = {name: value for name, value in schema.items() if name != "allOf"}
    merged: dict[str, object] = {}
    for part in (*parts, rest):
        properties = {**_mapping(merged.get("properties")), **_mapping(part.get("properties"))}
        required = [*_sequence(merged.get("required")), *_sequence(part.get("required"))]
        merged |= {**part, "properties": properties, "required": required}
    return merged if merged["properties"] else {name: merged[name] for name in merged if name != "properties"}


def _resolved(part: object, root: Schema) -> Schema:
    schema = _mapping(part)
    return _mapping(_resolve(str(schema["$ref"]), root)) if "$ref" in schema else schema


def _resolve(reference: str, root: Schema) -> object:
    node: object = root
    for step in reference.removeprefix("#").split("/"):
        if step:
            node = _mapping(node).get(step.replace("~1", "/").replace("~0", "~"))
    return node


def _bound(schema: Schema, name: str) -> float | None:
    value = schema.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _mapping(value: object) -> Schema:
    return cast(Schema, value) if isinstance(value, Mapping) else {}


def _sequence(value: object) -> Sequence[object]:
    return cast(Sequence[object], value) if isinstance(value, list | tuple) else ()
