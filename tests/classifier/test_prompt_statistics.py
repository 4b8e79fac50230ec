from math import isfinite, log1p

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.prompt_statistics import measure
from classifier.statistic import STATISTICS
from tests.classifier.texts import HUGE, HUGE_IDS, TEXTS

SHARES = {statistic.name for statistic in STATISTICS if statistic.name.endswith("_share")}


def measured(text: str, tokens: int = 0, distinct: int = 0) -> dict[str, float]:
    names = [statistic.name for statistic in STATISTICS]
    return dict(zip(names, measure(text, tokens, distinct), strict=True))


@given(TEXTS, st.integers(0, 100), st.integers(0, 100))
def test_any_text_has_finite_statistics_with_shares_of_at_most_one(text: str, one: int, other: int) -> None:
    found = measured(text, max(one, other), min(one, other))
    assert all(isfinite(value) and value >= 0 for value in found.values())
    assert all(found[name] <= 1 for name in SHARES)


@pytest.mark.parametrize("text", HUGE, ids=HUGE_IDS)
def test_so_has_a_huge_one(text: str) -> None:
    assert all(isfinite(value) for value in measured(text).values())


def test_nothing_measures_nothing() -> None:
    assert set(measured("").values()) == {0.0}


def test_counts_come_as_logarithms_of_one_more() -> None:
    found = measured("Why?\nWhy not?!\n")
    assert found["log_words"] == pytest.approx(log1p(3))  # white spaces
    assert found["log_lines"] == pytest.approx(log1p(2))
    assert found["log_questions"] == pytest.approx(log1p(2))


def test_shares_are_of_all_bytes() -> None:
    found = measured("AB12(é")
    assert found["capital_share"] == pytest.approx(2 / 7)
    assert found["digit_share"] == pytest.approx(2 / 7)
    assert found["code_share"] == pytest.approx(1 / 7)
    assert found["symbol_share"] == pytest.approx(1 / 7)
    assert found["non_ascii_share"] == pytest.approx(2 / 7)


def test_repetition_lowers_the_share_of_distinct_words() -> None:
    assert measured("the cat sat", tokens=3, distinct=3)["distinct_share"] == 1.0
    assert measured("ha ha ha ha", tokens=4, distinct=1)["distinct_share"] == 0.25
