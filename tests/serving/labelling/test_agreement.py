"""Figures of agreement on verdicts whose answers are known."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import TIERS, Tier
from serving.labelling.agreement import agreement_of, mean_step_by_place, weighted_kappa
from serving.labelling.judge import Verdict


def verdict(*steps: int, reverse: bool = False) -> Verdict:
    order = tuple(reversed(TIERS)) if reverse else TIERS
    return Verdict(dict(zip(TIERS, steps, strict=True)), order)


def test_without_second_judgements_nothing_is_claimed() -> None:
    assert agreement_of([]) is None
    assert mean_step_by_place([]) == ()


def test_a_judge_that_agrees_with_itself_has_no_bias() -> None:
    found = agreement_of([(verdict(1, 3, 5), verdict(1, 3, 5, reverse=True))] * 2)
    assert found is not None
    assert (found.prompts, found.grades, found.exact, found.within_one) == (2, 6, 1.0, 1.0)
    assert (found.kappa, found.same_label, found.first_over_last) == (1.0, 1.0, 0.0)


def test_a_judge_that_favours_the_first_place_is_found_out() -> None:
    found = agreement_of([(verdict(5, 3, 3), verdict(3, 3, 5, reverse=True))])
    assert found is not None
    assert found.first_over_last == 2.0
    assert found.exact == pytest.approx(1 / 3)
    assert found.within_one == pytest.approx(1 / 3)
    assert found.same_label == 0.0
    assert mean_step_by_place([verdict(5, 3, 3), verdict(3, 3, 5, reverse=True)]) == (5.0, 3.0, 3.0)


def test_kappa_agrees_with_a_table_worked_by_hand() -> None:
    pairs = [(1, 1), (1, 2), (2, 2), (3, 3)]  # observed 1/4; by chance, over all 16 pairs, 20/16
    assert weighted_kappa(pairs) == pytest.approx(1 - (1 / 4) / (20 / 16))


def test_kappa_of_grades_that_never_vary_is_not_defined() -> None:
    assert weighted_kappa([(4, 4)] * 9) is None


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=1))
def test_kappa_is_symmetric_and_at_most_one(pairs: list[tuple[int, int]]) -> None:
    kappa = weighted_kappa(pairs)
    assert kappa == weighted_kappa([(b, a) for a, b in pairs])
    assert kappa is None or kappa <= 1


def test_the_cheapest_of_equals_is_the_label() -> None:
    assert verdict(4, 4, 4).cheapest_best is Tier.CHEAP
    assert verdict(2, 5, 5).cheapest_best is Tier.BALANCED
