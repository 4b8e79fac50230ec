"""A model of a few words, written as a real model file: quick to load, and plain to predict."""

from pathlib import Path

from classifier import RiskPolicy
from classifier.contribution import Contrast
from classifier.features import EXCERPT
from classifier.model_file import Model, write_model
from classifier.prompt_model import PromptModel, StatisticWeight
from classifier.statistic import STATISTICS

CHEAP, BALANCED, PREMIUM = (1.0, -9.0, -9.0), (1.0, 12.0, 0.0), (1.0, 0.0, 12.0)
WORDS = {"capital": CHEAP, "thanks": CHEAP, "function": BALANCED, "prove": PREMIUM, "race": PREMIUM}


def write_small_model(path: Path) -> Path:
    """Write the model: "prove" and "race" need premium, "function" needs balanced, the rest is cheap."""
    prompts = PromptModel(
        excerpt=EXCERPT,
        intercept=Contrast(-3.0, -3.0),
        statistics=tuple(StatisticWeight(each.name, 0.0, 1.0, 0.0, 0.0) for each in STATISTICS),
        words=WORDS,
        stems={},
        pairs={},
    )
    write_model(Model(prompts, None, RiskPolicy(0.2), {"made for": "tests"}), path)
    return path
