import pytest

from classifier import TIERS, ClassifierError, Tier, TierError


def test_tiers_are_ordered_by_what_they_can_do() -> None:
    assert Tier.CHEAP < Tier.BALANCED < Tier.PREMIUM
    assert TIERS == (Tier.CHEAP, Tier.BALANCED, Tier.PREMIUM)
    assert [int(tier) for tier in TIERS] == [0, 1, 2]


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_is_written_as_its_label_and_read_back(tier: Tier) -> None:
    assert str(tier) == f"{tier}" == tier.label == tier.name.lower()
    assert Tier.parse(tier.label) is tier


@pytest.mark.parametrize(
    "name", ["Cheap", "cheap ", "", "gpt-4o", "0", 0, None, ["cheap"], "\ud800"], ids=repr
)
def test_anything_but_a_label_is_refused_with_the_ones_there_are(name: str) -> None:
    with pytest.raises(TierError, match="is no tier: use cheap, balanced or premium") as caught:
        Tier.parse(name)
    assert repr(name) in str(caught.value)
    assert isinstance(caught.value, ClassifierError)
    assert isinstance(caught.value, ValueError)
