"""Rows to tune policies on, for the tests of it."""

from dataclasses import replace

import numpy as np

from tests.training.routed import noisy_rows
from training.costs import CostModel
from training.routed_rows import BoolArray, FloatArray, RoutedRows
from training.tuning_rows import TuningRows

COSTS = CostModel()


def tunable(rows: RoutedRows, *, known: FloatArray | None = None) -> TuningRows:
    """Return labelled rows as a policy is tuned on them; every other one calibrates."""
    under = np.arange(3) < rows.needed[:, None]
    return TuningRows(
        probabilities=rows.probabilities,
        known_vocabulary=np.ones(len(rows)) if known is None else known,
        answered=np.tile(np.arange(3), (len(rows), 1)),
        under=under,
        quality=np.where(under, 0.0, 1.0),
        premium_quality=np.ones(len(rows)),
        usd=COSTS.usd_by_tier(rows.needed, rows.input_tokens),
        calibrates=np.arange(len(rows)) % 2 == 0,
        dollars="Assumed.",
    )


def some_tunable(count: int = 400, seed: int = 0) -> TuningRows:
    """Return rows of a model that knows something, and less of the words of every fifth prompt."""
    known = np.where(np.arange(count) % 5 == 0, 0.1, 0.9)
    return tunable(noisy_rows(count, seed=seed), known=known)


def calibrating(rows: TuningRows, mask: BoolArray) -> TuningRows:
    """Return the same rows with others to calibrate on."""
    return replace(rows, calibrates=mask)
