import json
from dataclasses import FrozenInstanceError

import pytest

from classifier import TIERS, Decision, Tier


def decided(probabilities: tuple[float, float, float], tier: Tier = Tier.PREMIUM) -> Decision:
    return Decision(tier, probabilities, 0.0, 0.5, "always premium", "0123456789ab")


@pytest.mark.parametrize("tier", TIERS)
def test_the_most_probable_tier_may_be_another_than_the_chosen_one(tier: Tier) -> None:
    probabilities = [0.25, 0.25, 0.25]
    probabilities[tier] = 0.5
    cheap, balanced, premium = probabilities
    assert decided((cheap, balanced, premium)).most_probable is tier


def test_of_equally_probable_tiers_the_cheaper_one_counts() -> None:
    assert decided((0.4, 0.2, 0.4)).most_probable is Tier.CHEAP
    assert decided((0.2, 0.4, 0.4)).most_probable is Tier.BALANCED


def test_a_decision_is_told_in_json() -> None:
    assert json.loads(json.dumps(decided((0.5, 0.25, 0.25), Tier.BALANCED).as_dict())) == {
        "tier": "balanced",
        "probabilities": {"cheap": 0.5, "balanced": 0.25, "premium": 0.25},
        "risk": 0.0,
        "known_vocabulary": 0.5,
        "policy": "always premium",
        "model_version": "0123456789ab",
    }


def test_a_decision_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError, match="tier"):
        decided((1.0, 0.0, 0.0)).tier = Tier.CHEAP  # type: ignore[misc]
