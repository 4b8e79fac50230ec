from itertools import permutations
from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import TIERS, Contribution, Tier
from classifier.contribution import Contrast, Direction, Feature, Shift
from classifier.prompt_model import softmax

LOGIT = st.floats(-20, 20)


@pytest.mark.parametrize(("tier", "other"), list(permutations(TIERS, 2)), ids=str)
@given(balanced=LOGIT, premium=LOGIT)
def test_a_direction_gives_the_log_odds_between_two_tiers(
    tier: Tier, other: Tier, balanced: float, premium: float
) -> None:
    contrast = Contrast(balanced, premium)
    probabilities = softmax(contrast)
    expected = log(probabilities[tier]) - log(probabilities[other])
    direction = Direction.between(tier, other)
    assert direction.along(contrast) == pytest.approx(expected, abs=1e-9)
    assert direction.times(0.5).along(contrast) == pytest.approx(expected / 2, abs=1e-9)


@pytest.mark.parametrize(
    ("feature", "name"),
    [
        ("prove", "'prove'"),
        ("finit…", "'finit…'"),
        (("prove", "that"), "'prove that'"),
        (("докажи", "что"), "'докажи что'"),
        (("απόδειξε", "ότι"), "'απόδειξε ότι'"),
        (("한국어로", "번역해"), "'한국어로 번역해'"),
        (("اثبت", "أن"), "'اثبت أن'"),
        (("où", "été"), "'où été'"),
        (("証", "明"), "'証明'"),
        (("ก", "ข"), "'กข'"),
        (("证", "x"), "'证 x'"),
        (Shift("symbol_share", True), "many symbols"),
        (Shift("symbol_share", False), "few symbols"),
        (Shift("is_closing", True), "thanks or leave-taking"),
    ],
    ids=str,
)
def test_a_feature_is_named_as_a_person_would(feature: Feature, name: str) -> None:
    assert Contribution(feature, 1.0).name == name
