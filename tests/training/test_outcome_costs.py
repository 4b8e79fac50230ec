import numpy as np
import pytest

from classifier import Tier
from training.costs import CostModel
from training.outcome_costs import DollarBasis, basis_words, usd_of
from training.outcome_table import OutcomeTable
from training.routed_rows import FloatArray

COSTS = CostModel(usd_per_million=(1.0, 2.0, 10.0), output_tokens=(100, 400, 1000))


def table(usd: FloatArray | None = None, tokens: FloatArray | None = None) -> OutcomeTable:
    return OutcomeTable(
        tiers=(Tier.CHEAP, Tier.PREMIUM),
        names=("small", "large"),
        prompts=["x" * 400, [{"role": "user", "content": "y" * 800}]],
        scores=np.array([[0.0, 1.0], [1.0, 1.0]]),
        usd=usd,
        tokens=tokens,
        repeats=np.ones(2, dtype=np.int64),
        noise=None,
        digest="0" * 64,
    )


def test_bills_come_before_tokens() -> None:
    bills = np.array([[0.5, 2.0], [0.1, 0.3]])
    found = usd_of(table(usd=bills, tokens=np.ones((2, 2))), COSTS)
    assert found.basis == "billed"
    assert found.usd.tolist() == bills.tolist()


def test_tokens_are_paid_at_the_prices_of_their_tiers() -> None:
    found = usd_of(table(tokens=np.array([[1e6, 1e6], [5e5, 2e6]])), COSTS)
    assert found.basis == "tokens"
    assert found.usd.tolist() == [[1.0, 10.0], [0.5, 20.0]]


def test_without_either_every_answer_is_as_long_whatever_its_score() -> None:
    found = usd_of(table(), COSTS)
    assert found.basis == "assumed"
    assert found.usd == pytest.approx(np.array([[500e-6, 5000e-6], [600e-6, 6000e-6]]))


@pytest.mark.parametrize(
    ("basis", "words"),
    [("billed", "of the outcome table"), ("tokens", "Not billed"), ("assumed", "answers of 400 tokens")],
)
def test_the_basis_is_said(basis: DollarBasis, words: str) -> None:
    assert words in basis_words(basis, COSTS)
