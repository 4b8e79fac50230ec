"""What a month of tokens costs as traffic grows, by who answers them.

A month's bill is tokens times a price: every row of such a table is the one above it times the same factor,
and no saving grows faster than traffic. What it shows is when a share of the bill becomes a sum worth a day
of work.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from training.errors import EvaluationError
from training.routed_rows import TIERS, FloatArray, IntArray

__all__ = ["GPT_4O", "MONTHLY_TOKENS", "TokenPrice", "growth_table", "mixed_price", "token_shares"]

MONTHLY_TOKENS: Final = (5_000_000, 50_000_000, 500_000_000, 5_000_000_000)
_MILLION: Final = 1e6


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """What a model, or a mix of models, asks for tokens.

    Attributes:
        name: who answers, for people.
        input_usd: US dollars per million tokens that are sent, 0 or more.
        output_usd: US dollars per million tokens of answers, 0 or more.

    Raises:
        EvaluationError: when a price is negative or not finite.
    """

    name: str
    input_usd: float
    output_usd: float

    def __post_init__(self) -> None:
        if not all(math.isfinite(usd) and usd >= 0 for usd in (self.input_usd, self.output_usd)):
            raise EvaluationError(
                f"{self.name} is priced at {self.input_usd} and {self.output_usd}; expected US dollars of 0 "
                "or more per million tokens"
            )

    @classmethod
    def flat(cls, name: str, usd: float) -> TokenPrice:
        """Return one price for input and output alike."""
        return cls(name, usd, usd)

    def usd_per_million(self, output_share: float) -> float:
        """Return US dollars per million tokens of a traffic.

        Args:
            output_share: share of its tokens that are answers, in [0, 1].

        Raises:
            EvaluationError: when the share is no share.

        >>> TokenPrice("a", 2.0, 10.0).usd_per_million(0.25)
        4.0
        """
        if not 0.0 <= output_share <= 1.0:
            raise EvaluationError(f"the share of output tokens is {output_share}; it lies in [0, 1]")
        return self.input_usd + output_share * (self.output_usd - self.input_usd)


GPT_4O: Final = TokenPrice("GPT-4o", 2.50, 10.00)
"""The output price is given with the project's task; the input price is assumed, at a quarter of it."""


def token_shares(chosen: IntArray, tokens: FloatArray) -> FloatArray:
    """Return the share of all tokens that each tier gets, shape (3,), summing to 1.

    Args:
        chosen: the tier that answers each prompt, shape (n_prompts,), 0 to 2 in Tier order.
        tokens: input and output tokens of each prompt, shape (n_prompts,).

    >>> token_shares(np.array([0, 2]), np.array([100.0, 300.0])).tolist()
    [0.25, 0.0, 0.75]
    """
    per_tier = np.bincount(chosen, weights=tokens, minlength=TIERS)
    return np.asarray(per_tier / tokens.sum(), dtype=np.float64)


def mixed_price(name: str, prices: Sequence[TokenPrice], shares: FloatArray) -> TokenPrice:
    """Return the price of a mix of models.

    Args:
        name: of the mix.
        prices: of the models, n of them.
        shares: of the tokens that each of them gets, shape (n,), summing to 1.
    """
    return TokenPrice(
        name,
        float(np.dot([price.input_usd for price in prices], shares)),
        float(np.dot([price.output_usd for price in prices], shares)),
    )


def growth_table(
    prices: Sequence[TokenPrice],
    *,
    output_share: float,
    monthly_tokens: Sequence[int] = MONTHLY_TOKENS,
) -> pd.DataFrame:
    """Return US dollars a month: a row for each volume, a column for each price under its name.

    The tokens are the same, whoever answers.

    Args:
        prices: who could answer.
        output_share: share of the tokens that are answers, in [0, 1].
        monthly_tokens: input and output together.
    """
    millions = np.asarray(monthly_tokens, dtype=np.float64) / _MILLION
    bills = {price.name: millions * price.usd_per_million(output_share) for price in prices}
    return pd.DataFrame(bills, index=pd.Index(monthly_tokens, name="tokens a month"))
