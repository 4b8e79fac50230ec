import math
from dataclasses import replace

import numpy as np
import pytest

from tests.training.routed import evaluation_of, noisy_rows
from training.costs import CostModel
from training.measures import measure_of
from training.wording import change, figure, percent_over, verdict_sentences

ACCURACY, KAPPA = measure_of("most_probable", "accuracy"), measure_of("most_probable", "quadratic_kappa")


def test_shares_read_as_per_cent_and_scores_as_numbers() -> None:
    assert figure(ACCURACY, 0.7654) == "76.5 %"
    assert figure(KAPPA, 0.7654) == "0.765"
    assert figure(KAPPA, math.nan) == "–"


def test_a_difference_of_shares_is_in_points_with_its_sign() -> None:
    assert change(ACCURACY, 0.021) == "+2.1 pt"
    assert change(KAPPA, -0.021) == "-0.021"
    assert change(KAPPA, math.nan) == "–"


def test_the_verdict_says_plainly_what_cheap_saves_and_who_the_rival_is() -> None:
    found = evaluation_of(noisy_rows())
    words = " ".join(verdict_sentences(found))
    assert "cheap saves only 11 % over balanced" in words
    balanced, choice = found.rival("always_balanced"), found.rival("choice")
    assert f"Always-balanced is the rival to beat: it costs USD {balanced.usd_per_1000:.3f}" in words
    assert f"The policy costs USD {choice.usd_per_1000:.3f}" in words
    assert "more than always-balanced" in words
    assert "less than always-premium" in words


def test_a_large_saving_is_not_called_only() -> None:
    found = replace(evaluation_of(noisy_rows(50)), cost_model=CostModel((0.1, 1.0, 2.0)))
    assert "cheap saves 90 % over balanced" in verdict_sentences(found)[0]


def test_the_blind_rival_is_not_named_where_there_is_none() -> None:
    found = evaluation_of(noisy_rows(50).with_choice(np.zeros(50, dtype=np.int64)))
    assert not [sentence for sentence in verdict_sentences(found) if "blindly" in sentence]


def test_a_better_setting_of_the_same_model_is_named_when_there_is_one() -> None:
    found = evaluation_of(noisy_rows(400))
    (sentence,) = [sentence for sentence in verdict_sentences(found) if "expected-cost" in sentence]
    as_good = [p for p in found.cost_curve if p.under_routing <= found.rival("choice").rates.under]
    assert f"for USD {min(point.usd_per_1000 for point in as_good):.3f}" in sentence


@pytest.mark.parametrize(("price", "expected"), [(0.0, "–"), (0.5, "+100 %")], ids=["free", "half"])
def test_nothing_is_a_share_of_nothing(price: float, expected: str) -> None:
    rival = evaluation_of(noisy_rows(30)).rival("always_cheap")
    assert percent_over(replace(rival, usd_per_1000=1.0), replace(rival, usd_per_1000=price)) == expected
