"""The most that a call can come to, told before it is made from nothing but its body.

Input: a token of a byte-level vocabulary is at least one byte long, so that the bytes of the whole body, as
JSON in UTF-8, bound the tokens of all its texts, tools and schemas; the marks around messages and what chat
templates add for tools are allowed for, and pictures and sounds count as a configured number of tokens in
place of their bytes. Output: as many answers as are asked for, each as long as is allowed.

An upstream that exceeds `max_tokens`, or bills hidden reasoning beside it, exceeds the bound; the budgets
charge that as it is, and say so.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from serving.cost import Price, Tokens
from serving.spending.budget_terms import MOST, Unit, micro_dollars

__all__ = ["LIMITS", "Bound", "amount_of", "bound_of"]

LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
"""The keys of a body that limit the length of an answer."""

_AROUND_A_CALL = 256
_AROUND_A_MESSAGE = 16
_AROUND_TOOLS = 1024
_MEDIA = {"image_url": "image_url", "input_image": "image_url", "input_audio": "input_audio"}


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that a call can take.

    Attributes:
        input: tokens of its prompt.
        output: tokens of its answers.
    """

    input: int
    output: int

    def amount(self, unit: Unit, price: Price | None) -> int | None:
        """Return the bound in micro-dollars (rounded up) or tokens; None where there is no price to tell it.

        >>> Bound(1000, 500).amount(Unit.USD, Price(2.5, 2.5))
        3750
        """
        return amount_of(Tokens(self.input, self.output), unit, price)


def amount_of(tokens: Tokens, unit: Unit, price: Price | None) -> int | None:
    """Return what tokens come to in micro-dollars (rounded up) or tokens; None without a price for them."""
    if unit is Unit.TOKENS:
        return min(MOST, tokens.input + tokens.output)
    return None if price is None else min(MOST, micro_dollars(price.of(tokens)))


def bound_of(body: Mapping[str, Any], *, default_max_tokens: int, tokens_per_part: int) -> Bound:
    """Return the most that a request can take.

    Args:
        body: of a request for chat completions, a response or embeddings; its counts are whole numbers.
        default_max_tokens: what is put into the request where it gives no limit.
        tokens_per_part: the most that an image or a sound takes.
    """
    slim, media = _without_media(body)
    listed = [value for name in ("messages", "input") if isinstance(value := body.get(name), list)]
    texts = len(json.dumps(slim, ensure_ascii=False).encode("utf-8", "surrogatepass"))
    tools = (
        _AROUND_TOOLS
        if any(body.get(name) for name in ("tools", "functions", "response_format", "text"))
        else 0
    )
    around = _AROUND_A_CALL + _AROUND_A_MESSAGE * sum(map(len, listed)) + tools
    return Bound(texts + around + media * tokens_per_part, _output(body, default_max_tokens))


def _output(body: Mapping[str, Any], default_max_tokens: int) -> int:
    limits = [limit for name in LIMITS if (limit := body.get(name)) is not None]
    each = max(limits, default=default_max_tokens)
    predicted = body.get("prediction")  # tokens that were predicted wrongly are billed as output
    foretold = (
        len(json.dumps(predicted, ensure_ascii=False).encode("utf-8", "surrogatepass")) if predicted else 0
    )
    return (each + foretold) * max(1, body.get("n") or 1)


def _without_media(body: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    slim, media = dict(body), 0
    for name in ("messages", "input"):
        if isinstance(slim.get(name), list):
            pairs = [_slim(each) for each in slim[name]]
            slim[name] = [each for each, _ in pairs]
            media += sum(count for _, count in pairs)
    return slim, media


def _slim(message: Any) -> tuple[Any, int]:
    parts = message.get("content") if isinstance(message, Mapping) else None
    if not isinstance(parts, list):
        return message, 0
    count = sum(map(_is_media, parts))
    return ({**message, "content": list(_texts_alone(parts))}, count) if count else (message, 0)


def _is_media(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") in _MEDIA


def _texts_alone(parts: Iterable[Any]) -> Iterable[Any]:
    for part in parts:
        if _is_media(part):
            yield {name: value for name, value in part.items() if name != _MEDIA[part["type"]]}
        else:
            yield part
