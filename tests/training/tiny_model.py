"""A model file of a few words, for tests that need one and no particular decisions."""

from pathlib import Path

from classifier import RiskPolicy
from classifier.model_file import Model, write_model
from classifier.prompt_model import Contrast, PromptModel, StatisticWeight
from classifier.prompt_statistics import STATISTICS


def write_tiny_model(path: Path) -> Path:
    """Write a model to which 'capital' is cheap, 'prove' premium and anything else rather balanced."""
    prompts = PromptModel(
        window=1000,
        intercept=Contrast(1.0, 0.0),
        statistics=tuple(StatisticWeight(statistic.name, 0.0, 1.0, 0.0, 0.0) for statistic in STATISTICS),
        words={"capital": (1.0, -5.0, -5.0), "prove": (1.0, 0.0, 5.0)},
        stems={},
        pairs={},
    )
    write_model(Model(prompts, head=None, policy=RiskPolicy(max_risk=0.3), provenance={"by": "a test"}), path)
    return path
