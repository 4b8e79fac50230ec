"""The evaluated prompts cut by domain, language, length and kind, so that a good mean hides no bad part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training.costs import CostModel
from training.measures import measure_of
from training.resampling import Estimate, effective_rows, wilson_interval
from training.routed_rows import RoutedRows

__all__ = ["Slice", "SliceTable", "length_name", "slice_labels", "slice_tables"]

LENGTH_EDGES = (100, 500, 2000)
LENGTH_NAMES = ("under 100 characters", "100 to 499", "500 to 1,999", "2,000 and more")
NOT_GIVEN = "not given"


@dataclass(frozen=True, slots=True)
class Slice:
    """One part of the evaluated prompts.

    Attributes:
        name: What the prompts have in common.
        rows: How many there are.
        share: Their share of all weight, in [0, 1].
        accuracy: Of the most probable tier, with a Wilson interval (a bootstrap misleads on few rows).
        cheap_premium_errors: Of the most probable tier, a share of the slice.
        under_routing: Of the policy's choice, a share of the slice.
        over_routing: Of the policy's choice, a share of the slice.
        usd_per_1000: Of the policy's choice, US dollars per 1,000 prompts.
    """

    name: str
    rows: int
    share: float
    accuracy: Estimate
    cheap_premium_errors: float
    under_routing: float
    over_routing: float
    usd_per_1000: float

    def as_dict(self) -> dict[str, object]:
        """Return the slice under stable keys, ready for JSON."""
        return {
            "name": self.name,
            "rows": self.rows,
            "share": self.share,
            "most_probable": {
                "accuracy": self.accuracy.as_dict(),
                "cheap_premium_errors": self.cheap_premium_errors,
            },
            "choice": {
                "under_routing": self.under_routing,
                "over_routing": self.over_routing,
                "usd_per_1000_prompts": self.usd_per_1000,
            },
        }


@dataclass(frozen=True, slots=True)
class SliceTable:
    """The parts of the evaluated prompts along one property; together they are all of them.

    Attributes:
        by: The property: "domain", "language", "length" or "kind".
        slices: Lengths in rising order, others by falling weight.
    """

    by: str
    slices: tuple[Slice, ...]

    def as_dict(self) -> list[dict[str, object]]:
        """Return the slices in order, ready for JSON."""
        return [part.as_dict() for part in self.slices]


def slice_labels(frame: pd.DataFrame) -> dict[str, list[str]]:
    """Return for each property the slice that every row of labelled data belongs to."""
    return {
        "domain": [str(name) or NOT_GIVEN for name in frame["domain"]],
        "language": [str(name) or NOT_GIVEN for name in frame["language"]],
        "length": [length_name(int(characters)) for characters in frame["characters"]],
        "kind": ["conversation" if several else "single prompt" for several in frame["is_conversation"]],
    }


def length_name(characters: int) -> str:
    """Return the name of the length bucket.

    >>> length_name(499)
    '100 to 499'
    """
    return LENGTH_NAMES[int(np.searchsorted(LENGTH_EDGES, characters, side="right"))]


def slice_tables(
    rows: RoutedRows, labels: Mapping[str, Sequence[str]], cost_model: CostModel
) -> tuple[SliceTable, ...]:
    """Return a table for each property, in the order given."""
    return tuple(slice_table(by, rows, names, cost_model) for by, names in labels.items())


def slice_table(by: str, rows: RoutedRows, labels: Sequence[str], cost_model: CostModel) -> SliceTable:
    """Cut the rows by a label and judge each part.

    Args:
        by: The property that the labels tell.
        rows: The evaluated prompts.
        labels: The part that each row belongs to, as many as there are rows.
        cost_model: Prices and assumed lengths.
    """
    names = np.asarray(labels, dtype=object)
    parts = [_slice(name, rows, names, cost_model) for name in dict.fromkeys(labels)]
    return SliceTable(by, tuple(sorted(parts, key=_by_length if by == "length" else _by_weight)))


def _by_length(part: Slice) -> tuple[float, str]:
    return (LENGTH_NAMES.index(part.name) if part.name in LENGTH_NAMES else len(LENGTH_NAMES), part.name)


def _by_weight(part: Slice) -> tuple[float, str]:
    return (-part.share, part.name)


def _slice(name: str, rows: RoutedRows, labels: NDArray[np.object_], cost_model: CostModel) -> Slice:
    part = rows.where(labels == name)
    accuracy = measure_of("most_probable", "accuracy").of_rows(part, cost_model)
    return Slice(
        name=name,
        rows=len(part),
        share=float(part.weights.sum() / rows.weights.sum()),
        accuracy=Estimate(accuracy, *wilson_interval(accuracy, effective_rows(part.weights))),
        cheap_premium_errors=measure_of("most_probable", "cheap_premium_errors").of_rows(part, cost_model),
        under_routing=measure_of("choice", "under_routing").of_rows(part, cost_model),
        over_routing=measure_of("choice", "over_routing").of_rows(part, cost_model),
        usd_per_1000=measure_of("choice", "usd_per_1000_prompts").of_rows(part, cost_model),
    )
