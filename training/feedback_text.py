"""What `feedback` tells a person, and a program."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from classifier import TIERS, Tier
from training.feedback_labels import Feedback, LabelledPrompt
from training.feedback_merge import Merged
from training.text_tables import aligned, wrapped
from training.wording import percent

__all__ = ["feedback_facts", "feedback_text"]

_SIGNS = ("thumb up", "thumb down", "escalated", "retried", "silence")


def feedback_text(feedback: Feedback, merged: Merged | None, skipped: int, written: Path) -> str:
    """Return the report on a log."""
    counts = feedback.counts
    lines = [
        f"log         {counts.rows:,} rows; {skipped:,} bad ones skipped, {counts.superseded:,} superseded "
        "by a later one of the same request",
        f"labelled    {len(feedback.labels):,} prompts of {feedback.prompts:,} with a sign, total weight "
        f"{_weight(feedback.labels):,.1f}",
        *_unlabelled(feedback),
        *_merged(merged),
        f"written     {written}",
        "",
        aligned(list(_answered(feedback))),
        "",
        aligned(list(_labels(feedback))),
        "",
        wrapped(_bias(feedback)),
    ]
    return "\n".join(lines)


def feedback_facts(feedback: Feedback, merged: Merged | None, skipped: int, written: Path) -> dict[str, Any]:
    """Return the report for JSON."""
    counts = feedback.counts
    return {
        "rows": counts.rows,
        "skipped": skipped,
        "superseded": counts.superseded,
        "answered": {
            tier.label: {
                "rows": counts.tiers[tier],
                "silent": counts.silent[tier],
                "signs": {name: counts.signs[name, tier] for name in _SIGNS if counts.signs[name, tier]},
            }
            for tier in TIERS
        },
        "chosen_by": {name: count for name, count in counts.chosen_by.items() if count},
        "prompts_with_a_sign": feedback.prompts,
        "nothing_learnt": feedback.nothing_learnt,
        "contradicting": feedback.contradicting,
        "nobody_solved": counts.premium_failed,
        "probabilities_unknown": feedback.prior_unknown,
        "labels": {
            tier.label: {"prompts": len(labels), "weight": _weight(labels)}
            for tier, labels in feedback.by_tier().items()
        },
        "rules": {name: getattr(feedback.rules, name) for name in feedback.rules.__slots__},
        "merged": None
        if merged is None
        else {
            "from_data": merged.from_data,
            "from_feedback": merged.from_feedback,
            "agreeing": merged.agreeing,
            "contradicting": merged.contradicting,
        },
        "written": str(written),
    }


def _unlabelled(feedback: Feedback) -> Iterator[str]:
    if feedback.nothing_learnt:
        told = "only signs at premium, or signs that cancel"
        yield f"            {feedback.nothing_learnt:,} taught nothing: {told}"
    if feedback.counts.premium_failed:
        told = "nobody solved it, and which tier is needed it does not say"
        yield f"            thumbs down at premium: {feedback.counts.premium_failed:,}; {told}"
    if feedback.contradicting:
        yield f"            {feedback.contradicting:,} with contradicting signs: weighed together"
    if feedback.prior_unknown:
        told = "every tier taken as likely beforehand"
        yield f"            {feedback.prior_unknown:,} labelled without logged probabilities: {told}"


def _merged(merged: Merged | None) -> Iterator[str]:
    if merged is not None:
        yield (
            f"with data   {merged.from_data:,} rows of the data and {merged.from_feedback:,} of the "
            f"feedback; of the prompts in both {merged.agreeing:,} agree, {merged.contradicting:,} do not"
        )


def _answered(feedback: Feedback) -> Iterator[tuple[str, ...]]:
    counts = feedback.counts
    yield ("tier", "answered", "silent", "thumb up", "thumb down", "escalated", "retried")
    for tier in TIERS:
        seen = (counts.signs[name, tier] for name in _SIGNS[:4])
        yield (
            tier.label,
            f"{counts.tiers[tier]:,}",
            f"{counts.silent[tier]:,}",
            *(f"{count:,}" for count in seen),
        )


def _labels(feedback: Feedback) -> Iterator[tuple[str, str, str, str]]:
    yield ("label", "prompts", "weight", "mean weight")
    for tier, labels in feedback.by_tier().items():
        mean = f"{_weight(labels) / len(labels):.2f}" if labels else "–"
        yield (tier.label, f"{len(labels):,}", f"{_weight(labels):,.1f}", mean)


def _weight(labels: Sequence[LabelledPrompt]) -> float:
    return round(sum(label.weight for label in labels), 4)


def _bias(feedback: Feedback) -> str:
    counts = feedback.counts
    explored = counts.chosen_by["exploration"]
    total = sum(counts.tiers.values())
    at_premium = percent(counts.tiers[Tier.PREMIUM] / total, 0) if total else "none"
    spoke = percent(1 - sum(counts.silent.values()) / total, 0) if total else "none"
    return (
        f"What the log cannot show: only the tier that was chosen was tried. {at_premium} of the rows were "
        f"answered by premium, where no thumb tells whether a cheaper tier would have done; only exploration "
        f"(rows: {explored:,}) tries that. {spoke} of the rows carry a sign, and who gives signs is not who "
        "stays silent. Judge a model trained on this by labels or outcomes, not by the feedback itself."
    )
