"""What each answer in an outcome table cost, from the best that the table knows: bills, tokens or neither.

Labelled prompts have an assumed answer length for each needed tier (`training.costs`). Outcomes have not:
whether one model happened to fail on a prompt says nothing of how long its answer was, and a length that
depended on it would leak the outcome into the dollars. So where a table has no tokens, all are as long.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from classifier import Tier
from training.costs import BYTES_PER_TOKEN, CostModel, sent_bytes
from training.outcome_table import OutcomeTable
from training.routed_rows import FloatArray

__all__ = ["DollarBasis", "OutcomeDollars", "basis_words", "usd_of"]

DollarBasis: TypeAlias = Literal["billed", "tokens", "assumed"]


class OutcomeDollars(NamedTuple):
    """Dollars of an outcome table.

    Attributes:
        usd: US dollars for one answer, shape (n_prompts, n_tiers), columns in the order of the table's tiers.
        basis: What they rest on; `basis_words` says it to people.
    """

    usd: FloatArray
    basis: DollarBasis


def usd_of(table: OutcomeTable, cost_model: CostModel) -> OutcomeDollars:
    """Return what each answer cost: as billed, else tokens times prices, else assumed tokens times prices.

    >>> table = OutcomeTable(
    ...     (Tier.CHEAP, Tier.PREMIUM), ("a", "b"), ["x" * 1600], np.zeros((1, 2)),
    ...     usd=None, tokens=None, repeats=np.ones(1), noise=None, digest="",
    ... )
    >>> usd_of(table, CostModel())
    OutcomeDollars(usd=array([[0.00025, 0.0025 ]]), basis='assumed')
    """
    if table.usd is not None:
        return OutcomeDollars(table.usd, "billed")
    prices = np.asarray(cost_model.usd_per_million)[[int(tier) for tier in table.tiers]] / 1e6
    if table.tokens is not None:
        return OutcomeDollars(table.tokens * prices, "tokens")
    sent = np.fromiter(map(sent_bytes, table.prompts), np.float64, count=len(table)) / BYTES_PER_TOKEN
    return OutcomeDollars(np.outer(sent + _answer_tokens(cost_model), prices), "assumed")


def basis_words(basis: DollarBasis, cost_model: CostModel) -> str:
    """Return in one sentence what the dollars of an outcome table rest on."""
    prices = ", ".join(f"{price:.2f}" for price in cost_model.usd_per_million)
    priced = f"USD {prices} per million tokens (cheap, balanced, premium), input and output alike"
    if basis == "billed":
        return "Dollars are those of the outcome table."
    if basis == "tokens":
        return f"Not billed: the outcome table's tokens at {priced}."
    return (
        f"Assumed, not billed: {priced}; one input token per {BYTES_PER_TOKEN} bytes of UTF-8; answers of "
        f"{_answer_tokens(cost_model):,.0f} tokens, whichever prompt and whichever tier."
    )


def _answer_tokens(cost_model: CostModel) -> float:
    return cost_model.output_tokens[Tier.BALANCED]
