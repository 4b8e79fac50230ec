"""Which part of some data no model at hand was fitted on, as far as the models' files tell.

What a model was fitted on is known by the digest of its data as a whole: a copy of these rows inside other
data goes unnoticed.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal

from training.errors import EvaluationError

__all__ = ["Part", "fitted_parts", "unseen_part"]

Part = Literal["all", "train", "validation", "test"]

_KEPT_BACK: Sequence[Part] = ("validation", "test")


def fitted_parts(provenances: Sequence[Mapping[str, Any]], digests: Collection[str]) -> frozenset[str]:
    """Return the parts of some data that any of the models was fitted on.

    Args:
        provenances: What the model files tell of their origin (`TierPredictor.provenance`).
        digests: Every digest by which a model may know this data.
    """
    return frozenset(part for facts in provenances for part in _fitted_on(facts, digests))


def unseen_part(fitted: Collection[str]) -> Part:
    """Return the part to judge by: everything, or the first of validation and test that was kept back.

    Raises:
        EvaluationError: When no part was.
    """
    if not fitted:
        return "all"
    for part in _KEPT_BACK:
        if part not in fitted:
            return part
    raise EvaluationError(
        "every part of this data was fitted on, so nothing is left to judge by: give rows that are new"
    )


def _fitted_on(provenance: Mapping[str, Any], digests: Collection[str]) -> Sequence[str]:
    facts = provenance.get("training_data")
    if not isinstance(facts, Mapping) or facts.get("digest") not in digests:
        return ()
    return tuple(facts.get("fitted_on", ()))
