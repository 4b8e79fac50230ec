"""Models that several test modules look at, each fitted once in a session."""

import json
from functools import cache
from pathlib import Path

import numpy

from classifier import RiskPolicy, TierPredictor
from tests.training.conftest import DATA
from training.compiling import compile_model
from training.fitting import FittedModel, fit_model, refit_model
from training.labelled import LabelledData, read_labelled
from training.settings import DEFAULT_SETTINGS, FitSettings
from training.split import Split, all_but_test, split_data

SMALL_SETTINGS = FitSettings(max_ngrams=1500, inverse_penalty=2.0)
"""Quick to fit, and with a vocabulary that is pruned."""


@cache
def all_rows() -> LabelledData:
    """All of the project's data."""
    return read_labelled(DATA)


@cache
def some_rows() -> LabelledData:
    """Every sixteenth prompt and every fourth conversation: enough for a conversation head."""
    data = all_rows()
    place, conversation = numpy.arange(len(data)), data.frame["is_conversation"].to_numpy()
    return data.where(numpy.where(conversation, place % 4 == 0, place % 16 == 0))


@cache
def some_split() -> Split:
    return split_data(some_rows())


@cache
def small_fit() -> FittedModel:
    """A model of some rows, with a conversation head."""
    return fit_model(some_split().train, some_split().validation, SMALL_SETTINGS)


@cache
def default_fit() -> FittedModel:
    """A model of all the project's data with the stored settings: what the packaged model is made from."""
    split = split_data(all_rows())
    return refit_model(fit_model(split.train, split.validation, DEFAULT_SETTINGS), all_but_test(split))


def compiled(fitted: FittedModel) -> TierPredictor:
    return TierPredictor(compile_model(fitted, RiskPolicy(0.25), {}))


def write_rows(data: LabelledData, file: Path) -> Path:
    """Write labelled rows as the JSON Lines that they could have come from."""
    tiers = ("cheap", "balanced", "premium")
    names = {True: "messages", False: "prompt"}
    columns = (data.frame[name].tolist() for name in ("prompt", "tier", "source"))
    rows = [
        {names[isinstance(prompt, list)]: prompt, "tier": tiers[tier], "source": source}
        for prompt, tier, source in zip(*columns, strict=True)
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file
