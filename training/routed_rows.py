"""The raw material of every evaluation: what a model made of labelled prompts, row by row.

Two readings of a row are kept apart everywhere. The *most probable tier* says how good the model is; the
*policy's choice* says what would have been called and paid for. A metric names the reading that it is about.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifier import Tier
from training.errors import EvaluationError

__all__ = [
    "TIERS",
    "TIER_NAMES",
    "BoolArray",
    "FloatArray",
    "IntArray",
    "RoutedRows",
    "check_probabilities",
    "check_tiers",
]

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]

TIERS = len(Tier)
TIER_NAMES = tuple(tier.label for tier in Tier)
SUM_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class RoutedRows:
    """Labelled prompts with what a model and its policy said of them.

    Attributes:
        probabilities: Shape (n, 3), columns in Tier order, rows sum to 1.
        chosen: The policy's choice, shape (n,), values 0 to 2 in Tier order.
        needed: The labels, shape (n,), values 0 to 2.
        weights: Sample weights, shape (n,), each above 0.
        input_tokens: Tokens sent with each prompt, shape (n,), at least 0; they matter to cost alone.
        known_vocabulary: Share of each prompt's words that the model knows, shape (n,), in [0, 1].

    Raises:
        EvaluationError: When there are no rows, a shape is off or a value is out of its range.
    """

    probabilities: FloatArray
    chosen: IntArray
    needed: IntArray
    weights: FloatArray
    input_tokens: FloatArray
    known_vocabulary: FloatArray

    def __post_init__(self) -> None:
        rows = len(self.needed)
        if rows == 0:
            raise EvaluationError("there are no labelled prompts to evaluate on; give at least one")
        for name in ("probabilities", "chosen", "weights", "input_tokens", "known_vocabulary"):
            _check_length(name, getattr(self, name), rows)
        check_probabilities(self.probabilities)
        check_tiers("chosen", self.chosen)
        check_tiers("needed", self.needed)
        _check_numbers("weights", self.weights, above_zero=True)
        _check_numbers("input_tokens", self.input_tokens, above_zero=False)
        _check_numbers("known_vocabulary", self.known_vocabulary, above_zero=False)
        if (self.known_vocabulary > 1).any():
            raise EvaluationError(
                f"known_vocabulary reaches {self.known_vocabulary.max():g}; expected shares in [0, 1]"
            )

    @classmethod
    def of(
        cls,
        probabilities: ArrayLike,
        chosen: ArrayLike,
        needed: ArrayLike,
        weights: ArrayLike | None = None,
        input_tokens: ArrayLike | None = None,
        known_vocabulary: ArrayLike | None = None,
    ) -> RoutedRows:
        """Build the rows from anything that numpy can read.

        Without weights every row weighs 1; without tokens every prompt counts as sent empty; without known
        vocabulary every word counts as known.

        Raises:
            EvaluationError: As the class says.
        """
        labels = _tiers_of("needed", needed)
        return cls(
            probabilities=_floats_of("probabilities", probabilities),
            chosen=_tiers_of("chosen", chosen),
            needed=labels,
            weights=np.ones(len(labels)) if weights is None else _floats_of("weights", weights),
            input_tokens=np.zeros(len(labels))
            if input_tokens is None
            else _floats_of("input_tokens", input_tokens),
            known_vocabulary=np.ones(len(labels))
            if known_vocabulary is None
            else _floats_of("known_vocabulary", known_vocabulary),
        )

    def __len__(self) -> int:
        return len(self.needed)

    @property
    def most_probable(self) -> IntArray:
        """The most probable tier of each row, shape (n,); the cheaper one on an exact tie."""
        return np.asarray(np.argmax(self.probabilities, axis=1), dtype=np.int64)

    def where(self, mask: BoolArray) -> RoutedRows:
        """Return the rows that the mask of shape (n,) picks out."""
        return RoutedRows(
            self.probabilities[mask],
            self.chosen[mask],
            self.needed[mask],
            self.weights[mask],
            self.input_tokens[mask],
            self.known_vocabulary[mask],
        )

    def with_choice(self, chosen: IntArray) -> RoutedRows:
        """Return the same rows under another policy's choice, shape (n,)."""
        return replace(self, chosen=chosen)


def check_probabilities(probabilities: FloatArray) -> None:
    """Refuse anything but tier probabilities.

    Raises:
        EvaluationError: When the shape is not (n, 3) or a row is not three numbers in [0, 1] that sum to 1.
    """
    if probabilities.ndim != 2 or probabilities.shape[1] != TIERS:
        raise EvaluationError(
            f"probabilities have shape {probabilities.shape}; expected (n, {TIERS}), one column a tier"
        )
    in_range = np.isfinite(probabilities).all(axis=1) & (probabilities >= 0).all(axis=1)
    sums = np.where(in_range, probabilities.sum(axis=1), np.nan)
    bad = np.flatnonzero(~(np.abs(sums - 1) <= SUM_TOLERANCE))
    if bad.size:
        row = int(bad[0])
        shown = ", ".join(f"{value:.6g}" for value in probabilities[row])
        raise EvaluationError(
            f"probabilities of row {row} are ({shown}); expected three numbers in [0, 1] that sum to 1"
        )


def check_tiers(name: str, tiers: IntArray) -> None:
    """Refuse anything but a one-dimensional array of tiers.

    Raises:
        EvaluationError: When the array has another shape or a value outside 0, 1, 2.
    """
    if tiers.ndim != 1:
        raise EvaluationError(f"{name} has shape {tiers.shape}; expected (n,), one tier a row")
    bad = np.flatnonzero((tiers < 0) | (tiers >= TIERS))
    if bad.size:
        raise EvaluationError(
            f"{name} of row {bad[0]} is {tiers[bad[0]]}; expected 0 (cheap), 1 (balanced) or 2 (premium)"
        )


def _check_length(name: str, values: NDArray[Any], rows: int) -> None:
    if values.shape[:1] != (rows,):
        raise EvaluationError(
            f"{name} has shape {values.shape} where needed has {rows} rows; expected as many"
        )


def _check_numbers(name: str, values: FloatArray, *, above_zero: bool) -> None:
    if values.ndim != 1:
        raise EvaluationError(f"{name} has shape {values.shape}; expected (n,), one number a row")
    bad = np.flatnonzero(~np.isfinite(values) | (values < 0) | ((values == 0) & above_zero))
    if bad.size:
        bound = "above 0" if above_zero else "of 0 or more"
        raise EvaluationError(
            f"{name} of row {bad[0]} is {values[bad[0]]:g}; expected a finite number {bound}"
        )


def _floats_of(name: str, values: ArrayLike) -> FloatArray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise EvaluationError(f"{name} cannot be read as an array of numbers: {error}") from error


def _tiers_of(name: str, values: ArrayLike) -> IntArray:
    numbers = np.atleast_1d(_floats_of(name, values))
    fractional = np.flatnonzero(~np.isfinite(numbers) | (numbers != np.floor(numbers)))
    if fractional.size:
        raise EvaluationError(
            f"{name} holds {numbers.flat[fractional[0]]:g}; expected 0 (cheap), 1 (balanced) or 2 (premium)"
        )
    return numbers.astype(np.int64)
