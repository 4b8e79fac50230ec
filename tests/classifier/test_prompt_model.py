from dataclasses import FrozenInstanceError
from math import exp, fsum, isfinite, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import TIERS, Tier
from classifier.contribution import Contrast, Direction
from classifier.prompt_model import Score, softmax
from classifier.statistic import STATISTICS
from tests.classifier.small_model import PAIRS, STATISTIC_WEIGHTS, STEMS, WORDS, small_prompt_model
from tests.classifier.texts import HUGE, HUGE_IDS, TEXTS

FINITE = st.floats(allow_nan=False, allow_infinity=False)
MODEL = small_prompt_model()
INTERCEPT = (-0.5, -1.5)


def score(text: str) -> Score:
    return MODEL.score(MODEL.features(text))


def from_statistics(text: str, axis: int) -> float:
    """What the formula says of a text without a known n-gram."""
    names = [statistic.name for statistic in STATISTICS]
    values = dict(zip(names, MODEL.features(text).statistics, strict=True))
    return INTERCEPT[axis] + sum(
        weight[axis] * (values[name] - 0.125) / 2.0 for name, weight in STATISTIC_WEIGHTS.items()
    )


@given(FINITE, FINITE)
def test_probabilities_sum_to_one_however_extreme_the_contrasts(balanced: float, premium: float) -> None:
    probabilities = softmax((balanced, premium))
    assert all(0.0 <= probability <= 1.0 for probability in probabilities)
    assert fsum(probabilities) == pytest.approx(1.0, abs=1e-15)


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_contrasts_are_log_odds_against_cheap(balanced: float, premium: float) -> None:
    cheap, second, third = softmax((balanced, premium))
    assert second / cheap == pytest.approx(exp(balanced), rel=1e-9)
    assert third / cheap == pytest.approx(exp(premium), rel=1e-9)


def test_a_score_is_the_formula_of_the_module() -> None:
    text = "Prove that finite capital"
    rows = [WORDS["prove"], WORDS["capital"], STEMS["finit"], PAIRS["prove", "that"]]
    norm = sqrt(sum(square for square, _, _ in rows))
    expected = [from_statistics(text, axis) + sum(row[1 + axis] for row in rows) / norm for axis in (0, 1)]
    assert score(text).contrast == pytest.approx(expected, abs=1e-12)
    assert score(text).known_vocabulary == 0.5  # prove, capital; neither that nor finite


def test_in_the_middle_of_a_text_ngrams_count_at_their_weight() -> None:
    filler = ["a line that says nothing of any interest at all"] * 4
    text = "\n".join([*filler, "please prove", *filler, "nothing more, whatever may come of it capital"])
    weight = MODEL.excerpt.middle_weight
    ask, middle = WORDS["capital"], WORDS["prove"]
    norm = sqrt(ask[0] + weight * weight * middle[0])
    expected = [
        from_statistics(text, axis) + (ask[1 + axis] + weight * middle[1 + axis]) / norm for axis in (0, 1)
    ]
    assert score(text).contrast == pytest.approx(expected, abs=1e-12)


def test_a_text_that_holds_nothing_known_is_judged_by_its_statistics() -> None:
    expected = [from_statistics("zzz (zz)", axis) for axis in (0, 1)]
    assert score("zzz (zz)").contrast == pytest.approx(expected, abs=1e-12)
    assert score("zzz (zz)").known_vocabulary == 0.0


@given(TEXTS, st.permutations(TIERS))
def test_contributions_and_intercept_sum_to_the_score(text: str, tiers: list[Tier]) -> None:
    direction = Direction.between(tiers[0], tiers[1])
    found = MODEL.contributions(MODEL.features(text), direction)
    total = fsum([direction.along(MODEL.intercept), *(contribution[1] for contribution in found)])
    assert total == pytest.approx(direction.along(score(text).contrast), abs=1e-9)


@given(TEXTS)
def test_any_text_gets_a_finite_score_and_a_share_of_known_words(text: str) -> None:
    assert all(map(isfinite, score(text).contrast))
    assert 0.0 <= score(text).known_vocabulary <= 1.0


@pytest.mark.parametrize("text", HUGE, ids=HUGE_IDS)
def test_so_does_a_huge_one(text: str) -> None:
    assert all(map(isfinite, score(text).contrast))


def test_a_model_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError, match="intercept"):
        MODEL.intercept = Contrast(0.0, 0.0)  # type: ignore[misc]
