"""Models, prices and what a journal holds fast."""

import pytest

from serving import ConfigError, RouterConfig
from serving.keys import CHANNELS
from serving.labelling.settings import LabelSettings

CHEAP, PREMIUM = "deepseek-ai/DeepSeek-V4-Flash", "Pro/deepseek-ai/DeepSeek-V3.2"


def test_the_premium_model_judges_unless_another_is_named() -> None:
    config = RouterConfig.from_dict({"prices": {"x/judge": 1.0}})
    usual, cheap, other = (
        LabelSettings.of(config, judge=judge, simulated=False) for judge in (None, "cheap", "x/judge")
    )
    assert (usual.judge, cheap.judge, other.judge) == (PREMIUM, CHEAP, "x/judge")
    assert [each.judge_is_candidate for each in (usual, cheap, other)] == [True, True, False]
    assert set(usual.channels) == set(CHANNELS)


def test_every_base_url_is_named() -> None:
    config = RouterConfig.from_dict({"base_url": "http://a/v1", "pro_base_url": "http://b/v1"})
    assert LabelSettings.of(config, judge=None, simulated=False).upstream == "http://a/v1 and http://b/v1"
    simulated = LabelSettings.of(config, judge=None, simulated=True)
    assert (simulated.upstream, simulated.simulated) == ("simulated", True)


@pytest.mark.parametrize(
    ("values", "judge", "told"),
    [
        ({}, "x/unpriced", r'prices."x/unpriced": missing'),
        ({}, "auto", "'auto' is no model's name"),
        ({"tiers": {"cheap": {"model": "Qwen/Qwen3-32B"}}}, None, "two tiers have the same model"),
    ],
    ids=["no price", "auto", "one model twice"],
)
def test_what_cannot_be_labelled_with_is_told(values: dict[str, object], judge: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        LabelSettings.of(RouterConfig.from_dict(values), judge=judge, simulated=False)
