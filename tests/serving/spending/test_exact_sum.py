from fractions import Fraction
from math import fsum
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from serving.spending.exact_sum import ExactSum

AMOUNTS = st.lists(st.floats(-1e9, 1e9, allow_nan=False))


def total(values: list[float]) -> float:
    summed = ExactSum()
    for value in values:
        summed.add(value)
    return summed.value


@given(AMOUNTS)
def test_a_sum_is_exact_but_for_one_rounding(values: list[float]) -> None:
    assert total(values) == fsum(values) == float(sum(map(Fraction, values)))


@given(st.lists(st.floats(0, 1e6)), st.randoms())
def test_the_order_makes_no_difference(values: list[float], random: Random) -> None:
    shuffled = random.sample(values, len(values))
    assert total(values) == total(shuffled)


def test_nothing_sums_to_nothing() -> None:
    assert total([]) == 0.0
