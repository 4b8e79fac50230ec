import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.cost import Price
from serving.sessions.cache_cost import TurnSize, usd_of_turns

TOKENS = st.integers(0, 200_000)
USD = st.floats(0, 100)
SIZES = st.builds(TurnSize, TOKENS, TOKENS, TOKENS)
AHEAD = st.integers(0, 5)


def test_a_cached_prompt_is_billed_at_its_own_price_and_what_came_since_in_full() -> None:
    size = TurnSize(cached=1000, fresh=100, answer=50)
    staying = usd_of_turns(Price(2, 4, cached_input=0.5), size, turns_ahead=0, is_cached=True)
    assert staying == pytest.approx((1000 * 0.5 + 100 * 2 + 50 * 4) / 1e6)


def test_from_the_second_turn_on_the_new_provider_has_the_prompt_cached_too() -> None:
    size, price = TurnSize(cached=1000, fresh=100, answer=50), Price(2, 4, cached_input=0.5)
    first = usd_of_turns(price, size, turns_ahead=0, is_cached=False)
    both = usd_of_turns(price, size, turns_ahead=1, is_cached=False)
    assert both - first == pytest.approx((1100 * 0.5 + 100 * 2 + 50 * 4) / 1e6)


@given(SIZES, AHEAD, USD, USD)
def test_where_no_cached_price_is_known_a_cache_makes_no_difference(
    size: TurnSize, ahead: int, usd: float, answer: float
) -> None:
    price = Price(usd, answer)
    costs = [usd_of_turns(price, size, turns_ahead=ahead, is_cached=is_cached) for is_cached in (True, False)]
    assert costs[0] == costs[1]


@given(SIZES, AHEAD, USD, USD, st.floats(0, 1))
def test_a_cache_never_costs_more(
    size: TurnSize, ahead: int, usd: float, answer: float, share: float
) -> None:
    price = Price(usd, answer, cached_input=usd * share)
    cached, uncached = (
        usd_of_turns(price, size, turns_ahead=ahead, is_cached=is_cached) for is_cached in (True, False)
    )
    assert cached <= uncached * (1 + 1e-9)


@given(SIZES, AHEAD)
def test_more_turns_ahead_never_cost_less(size: TurnSize, ahead: int) -> None:
    price = Price(2.5, 2.5, cached_input=0.25)
    fewer, more = (
        usd_of_turns(price, size, turns_ahead=turns, is_cached=True) for turns in (ahead, ahead + 1)
    )
    assert fewer <= more
