"""What routed prompts would cost: the tiers' prices and the token counts that stand in for unknown ones.

Labelled prompts carry no bills. The text that is sent is there and its tokens can be reckoned from its size;
the answer is not there, so its length is assumed from the tier that the prompt needs: the task sets how much
there is to say, whichever model says it. Dollars from here compare policies; they forecast no invoice.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from classifier import Prompt
from training.errors import EvaluationError
from training.routed_rows import FloatArray, IntArray

__all__ = ["TIER_USD_PER_MILLION", "CostModel", "input_tokens", "sent_bytes"]

TIER_USD_PER_MILLION = (0.25, 0.28, 2.50)
ASSUMED_OUTPUT_TOKENS = (150, 600, 1500)
BYTES_PER_TOKEN = 4
PROMPTS_PER_FIGURE = 1000


@dataclass(frozen=True, slots=True)
class CostModel:
    """Prices and assumed answer lengths.

    Attributes:
        usd_per_million: US dollars per million tokens, input and output alike, in Tier order.
        output_tokens: Assumed tokens of the answer to a prompt that needs each tier, in Tier order.

    Raises:
        EvaluationError: When a price or a length is negative or not finite.
    """

    usd_per_million: tuple[float, float, float] = TIER_USD_PER_MILLION
    output_tokens: tuple[float, float, float] = ASSUMED_OUTPUT_TOKENS

    def __post_init__(self) -> None:
        for name, values in (("price", self.usd_per_million), ("output length", self.output_tokens)):
            if len(values) != 3 or not all(math.isfinite(value) and value >= 0 for value in values):
                raise EvaluationError(
                    f"{name} per tier is {values}; expected three numbers of 0 or more, cheap first"
                )

    def usd_by_tier(self, needed: IntArray, tokens: FloatArray) -> FloatArray:
        """Return US dollars per prompt, shape (n, 3), were each tier to answer it.

        Args:
            needed: Needed tiers, shape (n,); they set the assumed length of the answer.
            tokens: Input tokens, shape (n,).
        """
        total = tokens + np.asarray(self.output_tokens, dtype=np.float64)[needed]
        return np.asarray(np.outer(total, self.usd_per_million) / 1e6, dtype=np.float64)

    def usd(self, chosen: IntArray, needed: IntArray, tokens: FloatArray) -> FloatArray:
        """Return US dollars per prompt for the chosen tiers, shape (n,).

        >>> CostModel().usd(np.array([2]), np.array([0]), np.array([250.0])).tolist()
        [0.001]
        """
        return np.asarray(self.usd_by_tier(needed, tokens)[np.arange(len(chosen)), chosen], dtype=np.float64)

    def cheap_saving(self) -> float:
        """Return what cheap saves over balanced on the same tokens, as a fraction of balanced's price.

        >>> round(CostModel().cheap_saving(), 3)
        0.107
        """
        cheap, balanced, _ = self.usd_per_million
        return 1 - cheap / balanced if balanced else 0.0

    def assumptions(self) -> str:
        """Return in one sentence what the dollars rest on."""
        prices = ", ".join(f"{price:.2f}" for price in self.usd_per_million)
        lengths = ", ".join(f"{length:,.0f}" for length in self.output_tokens)
        return (
            f"Assumed, not billed: USD {prices} per million tokens (cheap, balanced, premium), input and "
            f"output alike; one input token per {BYTES_PER_TOKEN} bytes of UTF-8; answers of {lengths} "
            "tokens where cheap, balanced, premium is needed, whichever tier answers."
        )

    def as_dict(self) -> dict[str, object]:
        """Return prices and assumptions under stable keys, ready for JSON."""
        return {
            "usd_per_million_tokens": list(self.usd_per_million),
            "assumed_output_tokens_by_needed_tier": list(self.output_tokens),
            "assumed_bytes_per_input_token": BYTES_PER_TOKEN,
            "cheap_saves_over_balanced": self.cheap_saving(),
        }


def input_tokens(prompts: Sequence[Prompt]) -> FloatArray:
    """Return the assumed input tokens of each prompt, shape (n,): its bytes of UTF-8 over 4.

    Bytes, since a Chinese character (3 bytes) is nearer to a token than a Latin letter (1 byte) is.
    """
    return np.array([sent_bytes(prompt) for prompt in prompts], dtype=np.float64) / BYTES_PER_TOKEN


def sent_bytes(prompt: Prompt) -> int:
    """Return the bytes of UTF-8 of all text in a prompt or its messages, system and assistant turns included.

    >>> sent_bytes("日本"), sent_bytes([{"role": "user", "content": [{"type": "text", "text": "hi"}]}])
    (6, 2)
    """
    if isinstance(prompt, str):
        return len(prompt.encode("utf-8", "surrogatepass"))
    return sum(_content_bytes(message.get("content")) for message in prompt if isinstance(message, Mapping))


def _content_bytes(content: object) -> int:
    if isinstance(content, str):
        return sent_bytes(content)
    if isinstance(content, Sequence):
        texts = (part.get("text") for part in content if isinstance(part, Mapping))
        return sum(sent_bytes(text) for text in texts if isinstance(text, str))
    return 0
