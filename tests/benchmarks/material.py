"""What the benchmarks share: the labelled data, the packaged predictor, a model trained in this run."""

import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from time import perf_counter

import pandas as pd

from classifier import TierPredictor
from training.evaluation import Evaluation, evaluate_model
from training.labelled import LabelledData, read_labelled
from training.settings import DEFAULT_SETTINGS
from training.split import Split, split_data
from training.train_run import Trained, TrainOptions, train

__all__ = ["Choices", "Material", "TimedTraining", "say"]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the caller asked for.

    Attributes:
        data: the folder of labelled prompts.
        outcomes: the folder of outcome tables.
        environments: where the peers' environments are kept.
        full: also what takes many minutes.
        rounds: how often the classifiers take turns in timings.
    """

    data: Path
    outcomes: Path
    environments: Path
    full: bool = False
    rounds: int = 7


@dataclass(frozen=True, slots=True)
class TimedTraining:
    """A training run, with the seconds from labelled rows in memory to an evaluated model."""

    trained: Trained
    seconds: float


def say(text: str) -> None:
    """Tell the progress on standard error."""
    print(f"... {text}", file=sys.stderr, flush=True)


class Material:
    """Read, loaded and trained when first asked for, then kept."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices

    @cached_property
    def data(self) -> LabelledData:
        """All labelled rows."""
        say(f"reading {self.choices.data}")
        return read_labelled(self.choices.data)

    @cached_property
    def split(self) -> Split:
        """The rows to train, to choose and to judge by."""
        return split_data(self.data)

    @cached_property
    def predictor(self) -> TierPredictor:
        """The packaged predictor."""
        return TierPredictor.default()

    @cached_property
    def evaluation(self) -> Evaluation:
        """Of the packaged predictor on the test split."""
        say("evaluating the packaged model on the test split")
        return evaluate_model(self.predictor, self.split.test)

    @cached_property
    def test_prompts(self) -> pd.DataFrame:
        """The single prompts of the test split, which every classifier can read; conversations are not."""
        frame = self.split.test.frame
        return frame[~frame["is_conversation"]].reset_index(drop=True)

    @cached_property
    def train_prompts(self) -> pd.DataFrame:
        """The single prompts of the training split."""
        frame = self.split.train.frame
        return frame[~frame["is_conversation"]].reset_index(drop=True)

    @cached_property
    def training(self) -> TimedTraining:
        """A run with the stored settings, as `python -m training train` makes it."""
        return self.timed_training(tune=False)

    def timed_training(self, *, tune: bool) -> TimedTraining:
        """Train once; `tune` searches the settings first, on two processes."""
        data = self.data
        say("training with the full search" if tune else "training with the stored settings")
        start = perf_counter()
        trained = train(data, TrainOptions(DEFAULT_SETTINGS, tune=tune, jobs=2), step=say)
        return TimedTraining(trained, perf_counter() - start)
