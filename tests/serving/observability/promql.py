"""As much of PromQL as it takes to know which metrics and labels an expression reads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Matcher", "PromqlError", "Read", "reads"]

_TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<range>\[[^\[\]]+\])
      | (?P<number>\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
      | (?P<operator>=~|!~|!=|==|<=|>=|[-+*/%^<>=])
      | (?P<mark>[(){},])""",
    re.VERBOSE,
)
_FUNCTIONS = frozenset(
    {"sum", "max", "min", "avg", "rate", "increase", "histogram_quantile", "time", "vector"}
)
_WORDS = frozenset({"by", "and", "or", "unless"})
_RANGE = re.compile(r"\[(?:\d+[smhd]|\$__rate_interval)\]")


class PromqlError(Exception):
    """The text is no PromQL, as far as this reads it."""


@dataclass(frozen=True)
class Matcher:
    """One condition in braces."""

    label: str
    operator: str
    value: str


@dataclass(frozen=True)
class Read:
    """What an expression reads: metrics with their conditions, and the labels that it groups by."""

    metrics: tuple[tuple[str, tuple[Matcher, ...]], ...]
    grouped_by: tuple[str, ...]


def reads(expression: str) -> Read:
    """Return what an expression reads."""
    tokens = list(_tokens(expression))
    _check_brackets(tokens)
    metrics: list[tuple[str, tuple[Matcher, ...]]] = []
    groups: list[str] = []
    position = 0
    while position < len(tokens):
        kind, text = tokens[position]
        position += 1
        if kind == "range" and not _RANGE.fullmatch(text):
            raise PromqlError(f"{text} is no range")
        if kind != "name":
            continue
        if text == "by":
            labels, position = _until(tokens, position, "(", ")")
            groups += [name for each, name in labels if each == "name"]
        elif text in _FUNCTIONS:
            if tokens[position][1] not in ("(", "by"):
                raise PromqlError(f"{text} is no call")
        elif text not in _WORDS:
            conditions: list[tuple[str, str]] = []
            if position < len(tokens) and tokens[position][1] == "{":
                conditions, position = _until(tokens, position, "{", "}")
            metrics.append((text, tuple(_matchers(conditions))))
    return Read(tuple(metrics), tuple(groups))


def _tokens(expression: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(expression):
        found = _TOKEN.match(expression, position)
        if found is None or found.lastgroup is None:
            raise PromqlError(f"{expression[position:]!r} is no PromQL")
        if found.lastgroup != "space":
            yield found.lastgroup, found.group()
        position = found.end()


def _check_brackets(tokens: list[tuple[str, str]]) -> None:
    opened: list[str] = []
    for _, text in tokens:
        if text in ("(", "{"):
            opened.append({"(": ")", "{": "}"}[text])
        elif text in (")", "}") and (not opened or opened.pop() != text):
            raise PromqlError(f"a {text} too many")
    if opened:
        raise PromqlError(f"{opened} are missing")


def _until(
    tokens: list[tuple[str, str]], position: int, begin: str, end: str
) -> tuple[list[tuple[str, str]], int]:
    if tokens[position][1] != begin:
        raise PromqlError(f"{begin} is missing")
    stop = next(n for n in range(position, len(tokens)) if tokens[n][1] == end)
    return tokens[position + 1 : stop], stop + 1


def _matchers(tokens: list[tuple[str, str]]) -> Iterator[Matcher]:
    for start in range(0, len(tokens), 4):
        (kind, label), (_, operator), (other, value) = tokens[start : start + 3]
        if (kind, other) != ("name", "string"):
            raise PromqlError(f"{label}{operator}{value} is no condition")
        yield Matcher(label, operator, value[1:-1])
