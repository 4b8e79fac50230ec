"""What a call costs: from the upstream's own token counts, and only without those from the text."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

__all__ = ["UNKNOWN", "Cost", "Price", "Tokens", "cached_of", "estimate_prompt", "estimate_tokens"]

_MILLION = 1_000_000
_TOKENS_PER_MESSAGE = 4  # what chat formats spend on the role and the marks around a message
_WIDE = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\uff00-\uffef\U00010000-\U0010ffff]"
)
_LATIN = re.compile("[\u0000-\u024f\u2000-\u206f]")


@dataclass(frozen=True, slots=True)
class Price:
    """A model's price.

    Attributes:
        input: US dollars per million tokens of the prompt.
        output: US dollars per million tokens of the answer.
        cached_input: US dollars per million tokens of the prompt that the provider still had in its cache;
            None where that is not known, or not billed otherwise.
    """

    input: float
    output: float
    cached_input: float | None = None

    def of(self, tokens: "Tokens") -> float:
        """Return the US dollars that so many tokens cost.

        >>> Price(0.25, 0.25).of(Tokens(600_000, 400_000))
        0.25
        >>> Price(2.0, 2.0, cached_input=0.5).of(Tokens(600_000, 400_000, cached=600_000))
        1.1
        """
        full = tokens.input * self.input + tokens.output * self.output
        if self.cached_input is None:
            return full / _MILLION
        return (full - tokens.cached * (self.input - self.cached_input)) / _MILLION

    def at_most(self, other: "Price", times: float) -> bool:
        """Whether neither kind of token is more than `times` as dear as the other model's.

        >>> Price(2.5, 2.5).at_most(Price(0.25, 0.25), 10)
        True
        """
        return self.input <= other.input * times and self.output <= other.output * times


@dataclass(frozen=True, slots=True)
class Tokens:
    """Tokens of one call.

    Attributes:
        input: of the prompt.
        output: of the answer, hidden reasoning included where the upstream counts it.
        estimated: whether they were counted from the text, because the upstream did not say.
        cached: of the prompt's, those that the provider had in its cache, where the upstream tells them.
    """

    input: int
    output: int
    estimated: bool = False
    cached: int = 0

    @classmethod
    def from_usage(cls, usage: object) -> "Tokens | None":
        """Read the upstream's `usage` object, or return None when it holds no usable counts."""
        counts = (getattr(usage, "prompt_tokens", None), getattr(usage, "completion_tokens", None))
        match counts:
            case (int() as prompt, int() as answer) if prompt >= 0 and answer >= 0:
                told = getattr(getattr(usage, "prompt_tokens_details", None), "cached_tokens", None)
                return cls(prompt, answer, cached=cached_of(told, prompt))
        return None


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call cost.

    Attributes:
        usd: US dollars, or None when nobody can say.
        tokens: what it was reckoned from, or None.
        note: why the cost is unknown or estimated; empty when it is exact.
    """

    usd: float | None
    tokens: Tokens | None = None
    note: str = ""

    @property
    def estimated(self) -> bool:
        """Whether the tokens were counted from the text."""
        return self.tokens is not None and self.tokens.estimated

    @classmethod
    def of(cls, model: str, tokens: Tokens, price: Price | None, note: str = "") -> "Cost":
        """Reckon the cost of an answer; without a price it is unknown, and says so."""
        if price is None:
            return cls(None, tokens, f"no price is configured for {model!r}")
        if tokens.estimated:
            note = f"{note or 'the upstream sent no usage'}: counted from the text"
        return cls(price.of(tokens), tokens, note)

    def as_dict(self) -> dict[str, object]:
        """Return the cost as JSON-able values."""
        counts = self.tokens
        return {
            "usd": self.usd,
            "input_tokens": counts.input if counts else None,
            "output_tokens": counts.output if counts else None,
            "estimated": self.estimated,
            "note": self.note,
        }


UNKNOWN = Cost(None, None, "not known yet")


def cached_of(told: object, prompt: int) -> int:
    """Return how many tokens of a prompt were cached, by what the upstream told; 0 where that is no count.

    >>> cached_of(10, 30), cached_of(40, 30), cached_of(None, 30), cached_of(True, 30)
    (10, 30, 0, 0)
    """
    return max(0, min(told, prompt)) if isinstance(told, int) and not isinstance(told, bool) else 0


def estimate_tokens(text: str) -> int:
    """Return about how many tokens a text has, by the density of its scripts.

    Four Latin characters to a token, two of the other alphabets, and one token to each character that is
    written without spaces (Chinese, Japanese, Korean, Thai, Lao, Burmese, Khmer) or is an emoji. A rule of
    thumb, for want of the model's own tokeniser: good for an order of magnitude, not for an invoice.

    >>> estimate_tokens("How are you?"), estimate_tokens("你好吗"), estimate_tokens("")
    (3, 3, 0)
    """
    wide, latin = len(_WIDE.findall(text)), len(_LATIN.findall(text))
    other = len(text) - wide - latin
    return wide + -(-(latin + 2 * other) // 4)


def estimate_prompt(body: Mapping[str, object]) -> int:
    """Return about how many tokens the prompt of a chat request has: texts, tool calls and tool schemas.

    Pictures, sound and files are not counted: what they cost differs by model.
    """
    messages = body.get("messages")
    listed = list(messages) if isinstance(messages, Iterable) else []
    texts = (text for message in listed for text in _texts(message))
    tools = body.get("tools")
    schemas = estimate_tokens(json.dumps(tools, ensure_ascii=False, default=str)) if tools else 0
    return sum(map(estimate_tokens, texts)) + _TOKENS_PER_MESSAGE * len(listed) + schemas


def _texts(message: object) -> list[str]:
    if not isinstance(message, Mapping):
        return []
    content, calls = message.get("content"), message.get("tool_calls")
    texts = [json.dumps(calls, ensure_ascii=False, default=str)] if calls else []
    if isinstance(content, str):
        return [*texts, content]
    parts = content if isinstance(content, Iterable) else ()
    found = (part.get("text") for part in parts if isinstance(part, Mapping))
    return [*texts, *(text for text in found if isinstance(text, str))]
