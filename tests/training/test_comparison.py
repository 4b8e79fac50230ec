import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from classifier import FixedPolicy, Tier
from tests.training.routed import LengthPredictor, laws, noisy_rows, routed_rows
from training.comparison import compare, compare_models
from training.errors import EvaluationError
from training.labelled import LabelledData
from training.routed_rows import RoutedRows


@laws
@given(routed_rows())
def test_a_model_differs_from_itself_by_exactly_nothing(rows: RoutedRows) -> None:
    found = compare(rows, rows, resamples=50)
    assert found.verdict == "not told apart"
    for difference in found.differences:
        assert difference.verdict == "not told apart"
        gap = difference.difference
        assert np.nan_to_num([gap.value, gap.low, gap.high]).tolist() == [0, 0, 0]


def test_exchanging_the_models_turns_the_differences_round() -> None:
    weak, strong = noisy_rows(skill=1.5), noisy_rows(skill=2.5, seed=1)
    there, back = compare(weak, strong, resamples=500), compare(strong, weak, resamples=500)
    for one, other in zip(there.differences, back.differences, strict=True):
        assert one.difference.value == pytest.approx(-other.difference.value)
        assert one.difference.low == pytest.approx(-other.difference.high)


@pytest.mark.parametrize(
    ("skill_of_b", "verdict", "words"),
    [
        (4.0, "better", "B is better than A"),
        (0.5, "worse", "B is worse than A"),
        (2.0, "not told apart", "not told"),
    ],
    ids=["better", "worse", "alike"],
)
def test_the_verdict_in_words(skill_of_b: float, verdict: str, words: str) -> None:
    found = compare(noisy_rows(skill=2.0), noisy_rows(skill=skill_of_b, seed=5), resamples=1000)
    assert found.verdict == verdict
    assert words in found.sentence()
    by_loss = next(difference for difference in found.differences if difference.measure.key == "log_loss")
    assert by_loss.verdict == verdict


def test_pairing_sees_a_difference_that_unpaired_intervals_hide() -> None:
    first = noisy_rows(600, skill=1.0)
    wrong = np.flatnonzero(first.most_probable != first.needed)[:12]
    probabilities = first.probabilities.copy()
    probabilities[wrong] = np.eye(3)[first.needed[wrong]]
    second = replace(first, probabilities=probabilities)
    found = compare(first, second, resamples=2000).headline
    assert found.verdict == "better"
    assert found.difference.high - found.difference.low < 0.04


def test_the_same_seed_gives_the_same_comparison() -> None:
    arrays = noisy_rows(), noisy_rows(seed=3)
    assert compare(*arrays, resamples=200).as_dict() == compare(*arrays, resamples=200).as_dict()
    assert compare(*arrays, resamples=200, seed=1).as_dict() != compare(*arrays, resamples=200).as_dict()


@pytest.mark.parametrize("part", ["needed", "weights", "count"])
def test_models_judged_on_different_rows_are_not_compared(part: str) -> None:
    first = noisy_rows(30)
    others = {
        "needed": RoutedRows.of(first.probabilities, first.chosen, (first.needed + 1) % 3, first.weights),
        "weights": RoutedRows.of(first.probabilities, first.chosen, first.needed, first.weights * 2),
        "count": noisy_rows(31),
    }
    with pytest.raises(EvaluationError, match="judged the same prompts in the same order"):
        compare(first, others[part])


def test_two_predictors_are_compared_each_under_its_own_policy(small_labelled: LabelledData) -> None:
    first, second = LengthPredictor(), LengthPredictor(FixedPolicy(Tier.PREMIUM))
    found = compare_models(first, second, small_labelled, resamples=200)
    by_name = {(d.measure.view, d.measure.key): d for d in found.differences}
    assert by_name["most_probable", "accuracy"].difference.value == 0
    assert by_name["choice", "under_routing"].verdict == "better"
    assert by_name["choice", "usd_per_1000_prompts"].verdict == "worse"


def test_a_comparison_is_json() -> None:
    found = compare(noisy_rows(50), noisy_rows(50, seed=1), names=("old", "new"), resamples=50)
    written = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert set(written) == {
        *("format", "a", "b", "rows", "b_is", "judged_by", "sentence", "most_probable", "choice", "intervals")
    }
    assert written["judged_by"] == "most_probable.accuracy"
    assert set(written["choice"]["under_routing"]) == {"a", "b", "b_minus_a", "b_is"}
