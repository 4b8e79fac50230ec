"""What a reader of a cost-quality curve should be told before they believe it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

import numpy as np

from training.cost_quality_result import CostQuality

__all__ = ["FEW_PROMPTS", "Verdict", "remarks", "verdict"]

FEW_PROMPTS = 200
Verdict: TypeAlias = Literal["better", "not told apart", "worse", "undefined"]


def verdict(found: CostQuality, key: str = "risk") -> Verdict:
    """Return how one curve stands to the random mix of the tiers for the same dollars.

    By the 95 % interval of their mean difference in quality over the dollars between cheapest and dearest.
    """
    over = found.area(key).over_mix
    if over is None or np.isnan(over.value):
        return "undefined"
    if over.low > 0:
        return "better"
    return "worse" if over.high < 0 else "not told apart"


def remarks(found: CostQuality) -> tuple[str, ...]:
    """Return what holds of these outcomes and this model, as sentences; nothing where all is well."""
    return (*_of_the_prompts(found), *_of_the_tiers(found), *_of_the_model(found), *_of_the_fit(found))


def _of_the_prompts(found: CostQuality) -> Iterator[str]:
    if found.prompts < FEW_PROMPTS:
        yield (
            f"Only {found.prompts:,} prompts: the intervals are wide, and on a few dozen too narrow even so."
            f" Decide nothing on fewer than {FEW_PROMPTS}."
        )
    if found.differ == 0:
        yield "The tiers score the same on every prompt: there is no gap to recover and nothing to route by."


def _of_the_tiers(found: CostQuality) -> Iterator[str]:
    low, high = found.ends
    if found.gap.value <= 0 < found.differ:
        yield (
            f"{high.title.capitalize()} is not better than {low.title} here ({high.quality.value:.3f} against"
            f" {low.quality.value:.3f}): there is no gap to recover, so APGR and CPT are undefined."
        )
    elif found.gap.value > 0 >= found.gap.low:
        yield (
            f"Whether {high.title} is better than {low.title} at all is not certain here: the difference is"
            f" {found.gap.value:+.3f}, 95 % interval {found.gap.low:+.3f} to {found.gap.high:+.3f}."
        )
    if high.usd_per_1000.value <= low.usd_per_1000.value:
        yield (
            f"{high.title.capitalize()} costs no more than {low.title} here: there is no range of dollars, so"
            " the gap over cost and AIQ are undefined."
        )
    if len(found.tiers) == 3 and found.mark("always_balanced").quality.value >= high.quality.value:
        yield (
            f"Always balanced scores {found.mark('always_balanced').quality.value:.3f}, no less than"
            f" {high.title} ({high.quality.value:.3f}): no router needs the dearest tier here."
        )


def _of_the_model(found: CostQuality) -> Iterator[str]:
    if found.differ == 0:
        return
    told = verdict(found, found.best_knob)
    if told in ("not told apart", "worse"):
        how = "no better than" if told == "not told apart" else "worse than"
        yield (
            f"The model is {how} the random mix of the tiers for the same dollars. Labels from other work"
            " seldom tell which prompts these models fail: train on outcomes of your own (python -m training"
            " outcomes)."
        )
    if found.best_knob == "expected_cost" and _is_clearly_above(found, "expected_cost", "risk"):
        yield (
            "With these prices the risk policy wastes money, since it never weighs what a tier costs: the"
            " expected-cost policy does better here."
        )


def _is_clearly_above(found: CostQuality, one: str, other: str) -> bool:
    higher, lower = found.area(one).over_mix, found.area(other).over_mix
    return higher is not None and lower is not None and higher.low > lower.high


def _of_the_fit(found: CostQuality) -> Iterator[str]:
    if found.seen == "yes":
        yield (
            "The model was fitted on some of these very prompts: the figures flatter it. Judge it by prompts"
            " that it has not seen (--part test)."
        )
    elif found.seen == "unknown":
        yield (
            "Whether the model was fitted on any of these prompts is not known: a model file names its data"
            " by digest alone, and a copy of them within other data would go unnoticed."
        )
