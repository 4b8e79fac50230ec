"""A decision about a promotion as it is remembered: what was judged, on which set, how often, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from training.errors import PromotionError
from training.promotion import Compared, Judgement
from training.promotion_wording import listed, reasons, warnings
from training.resampling import json_number

__all__ = [
    "DIGEST_TAG",
    "LOOKS_TAG",
    "Decision",
    "EvaluationSet",
    "changed_set",
    "looks_of",
    "looks_tag",
]

FORMAT: Final = 1
DIGEST_TAG: Final = "evaluation_digest"
LOOKS_TAG: Final = "evaluations_on_this_set"
_NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class EvaluationSet:
    """The rows that a promotion was decided by.

    Attributes:
        digest: `LabelledData.digest` of the set as a whole; it stays with the champion.
        source: Where it was read from.
        part: "all", "validation" or "test": the rows that neither model was fitted on.
        rows: How many these are.
        looks: How many promotions this set has decided, this one among them.
        replaces: Digest of the set that the champion was decided by, where this is another one.
    """

    digest: str
    source: str
    part: str
    rows: int
    looks: int
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A promotion that was granted or refused.

    Attributes:
        name: The registered model.
        version: The candidate's version.
        champion: The champion's version at the time; None where there was none.
        judgement: The figures and what they say.
        evaluation: What was judged on.
        at: When, ISO 8601 in UTC.
    """

    name: str
    version: int
    champion: int | None
    judgement: Judgement
    evaluation: EvaluationSet
    at: str

    @property
    def promoted(self) -> bool:
        """Whether the candidate becomes champion."""
        return self.judgement.promoted

    def tags(self) -> dict[str, str]:
        """Return what is written on the candidate's version; every key each time, so that none goes stale."""
        judgement, terms, found = self.judgement, self.judgement.terms, self.judgement.criterion
        difference = found.difference
        return {
            "decision": "promoted" if self.promoted else "refused",
            "decision_reason": " ".join(reasons(judgement)),
            "decided_at": self.at,
            "previous_champion": _NONE if self.champion is None else str(self.champion),
            "criterion": terms.criterion_in_words,
            "criterion_candidate": f"{found.candidate:.6g}",
            "criterion_champion": _NONE if found.champion is None else f"{found.champion:.6g}",
            "criterion_difference": _NONE if difference is None else f"{difference.value:.6g}",
            "criterion_interval": (
                _NONE if difference is None else f"{difference.low:.6g} to {difference.high:.6g}"
            ),
            "fallen": listed(judgement.fallen) or _NONE,
            "slices_not_judged": listed(judgement.not_judged) or _NONE,
            "margin": f"{terms.margin:g}",
            "figures": json.dumps({name: round(value, 6) for name, value in judgement.figures.items()}),
            DIGEST_TAG: self.evaluation.digest,
            "evaluation_source": self.evaluation.source,
            "evaluation_part": self.evaluation.part,
            "evaluation_rows": str(self.evaluation.rows),
            "evaluation_set_replaces": self.evaluation.replaces or _NONE,
            LOOKS_TAG: str(self.evaluation.looks),
        }

    def as_dict(self) -> dict[str, object]:
        """Return the decision under stable keys, ready for JSON."""
        judgement, terms = self.judgement, self.judgement.terms
        return {
            "format": FORMAT,
            "decision": "promoted" if self.promoted else "refused",
            "reasons": list(reasons(judgement)),
            "warnings": list(warnings(judgement)),
            "name": self.name,
            "version": self.version,
            "model": judgement.candidate,
            "previous_champion": self.champion,
            "previous_champion_model": judgement.champion,
            "decided_at": self.at,
            "criterion": {"measure": judgement.criterion.measure.key, **judgement.criterion.as_dict()},
            "guards": {found.measure.key: self._standing(found) for found in judgement.guards},
            "slices": {found.of: self._standing(found) for found in judgement.slices},
            "figures": {name: json_number(value) for name, value in judgement.figures.items()},
            "evaluation": {
                "digest": self.evaluation.digest,
                "source": self.evaluation.source,
                "part": self.evaluation.part,
                "rows": self.evaluation.rows,
                "replaces": self.evaluation.replaces,
                LOOKS_TAG: self.evaluation.looks,
            },
            "terms": {
                "margin": terms.margin,
                "poor_answer_usd": terms.poor_answer_usd,
                "least_effective_rows": terms.least_rows,
                "least_effective_rows_of_a_slice": terms.least_slice_rows,
                "interval": 0.95,
                "resamples": terms.resamples,
                "seed": terms.seed,
            },
        }

    def _standing(self, found: Compared) -> dict[str, object]:
        return {"standing": self.judgement.standing(found), **found.as_dict()}


def looks_tag(digest: str) -> str:
    """Return the tag of the registered model that counts the promotions which a set has decided."""
    return f"{LOOKS_TAG}.{digest[:16]}"


def looks_of(tags: Mapping[str, str], digest: str) -> int:
    """Return how many promotions a set has decided so far, by the tags of the registered model."""
    count = tags.get(looks_tag(digest), "0")
    return int(count) if count.isascii() and count.isdigit() else 0


def changed_set(champion_tags: Mapping[str, str], digest: str, *, allowed: bool) -> str | None:
    """Return the digest of the set that the champion was decided by where it is another one, else None.

    Args:
        champion_tags: The tags of the champion's version.
        digest: Of the set at hand.
        allowed: Whether the caller asked for a new set.

    Raises:
        PromotionError: It is another one, and nobody asked for that.
    """
    before = champion_tags.get(DIGEST_TAG)
    if before is None or before == digest:
        return None
    if not allowed:
        raise PromotionError(
            f"the champion was decided by the evaluation set {before[:12]}, this one is {digest[:12]}:"
            " give that set again, or --new-evaluation-set to decide by another from now on"
        )
    return before
