import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.errors import EvaluationError
from training.growth import GPT_4O, MONTHLY_TOKENS, TokenPrice, growth_table, mixed_price, token_shares

SMALL, LARGE = TokenPrice.flat("small", 0.25), TokenPrice("large", 2.0, 10.0)
usd = st.floats(0, 1000)
shares_of_output = st.floats(0, 1)


def test_a_bill_is_tokens_times_the_price_of_their_kind() -> None:
    table = growth_table([SMALL, LARGE], output_share=0.25, monthly_tokens=[5_000_000, 2_000_000_000])
    assert table["small"].tolist() == [1.25, 500.0]
    assert table["large"].tolist() == [20.0, 8000.0]
    assert table.index.tolist() == [5_000_000, 2_000_000_000]


def test_it_grows_from_five_million_to_five_billion_tokens_unless_told_otherwise() -> None:
    assert tuple(growth_table([SMALL], output_share=1.0).index) == MONTHLY_TOKENS
    assert (MONTHLY_TOKENS[0], MONTHLY_TOKENS[-1]) == (5_000_000, 5_000_000_000)


def test_the_price_that_is_given_for_gpt_4o_is_that_of_its_output() -> None:
    assert GPT_4O.usd_per_million(1.0) == 10.0


def test_shares_are_of_tokens_rather_than_of_prompts() -> None:
    shares = token_shares(np.array([0, 0, 2]), np.array([50.0, 50.0, 300.0]))
    assert shares.tolist() == [0.25, 0.0, 0.75]


@given(usd, usd, shares_of_output, shares_of_output)
def test_a_mix_costs_what_its_parts_cost(one: float, other: float, of_one: float, output: float) -> None:
    prices = [TokenPrice("one", one, other), TokenPrice("other", other, one)]
    mix = mixed_price("mix", prices, np.array([of_one, 1 - of_one]))
    parts = of_one * prices[0].usd_per_million(output) + (1 - of_one) * prices[1].usd_per_million(output)
    assert mix.usd_per_million(output) == pytest.approx(parts)


@pytest.mark.parametrize("price", [-0.1, float("nan"), float("inf")])
def test_a_price_that_is_none_is_refused(price: float) -> None:
    with pytest.raises(EvaluationError, match=f"model is priced at 1.0 and {price}"):
        TokenPrice("model", 1.0, price)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_outside_0_to_1_is_refused(share: float) -> None:
    with pytest.raises(EvaluationError, match="share of output tokens"):
        SMALL.usd_per_million(share)
