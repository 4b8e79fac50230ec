"""Which rows of labelled data no model at hand was fitted on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.errors import PromotionError
from training.labelled import LabelledData
from training.split import split_data

__all__ = ["UnseenRows", "unseen_rows"]


@dataclass(frozen=True, slots=True)
class UnseenRows:
    """Rows to judge by.

    Attributes:
        part: "all", "validation" or "test".
        data: The rows.
    """

    part: str
    data: LabelledData


def unseen_rows(data: LabelledData, provenances: Sequence[Mapping[str, Any]]) -> UnseenRows:
    """Return the rows that `evaluate --part auto` takes: all, or a part that no model was fitted on.

    What a model was fitted on is known by the digest of its data: a copy of these rows inside other data goes
    unnoticed.

    Args:
        data: The labelled data as a whole.
        provenances: What the model files tell of their origin (`TierPredictor.provenance`).

    Raises:
        PromotionError: The models were fitted on every part between them.
    """
    fitted = {part for facts in provenances for part in _fitted_on(facts, data.digest)}
    if not fitted:
        return UnseenRows("all", data)
    for part in ("validation", "test"):
        if part not in fitted:
            return UnseenRows(part, getattr(split_data(data), part))
    raise PromotionError(
        "candidate or champion was fitted on every part of this data: nothing is left to judge by; give rows"
        " that neither has seen"
    )


def _fitted_on(provenance: Mapping[str, Any], digest: str) -> Sequence[str]:
    facts = provenance.get("training_data")
    if not isinstance(facts, Mapping) or facts.get("digest") != digest:
        return ()
    return tuple(facts.get("fitted_on", ()))
