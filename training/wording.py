"""Figures and verdicts in words, the same in every report."""

from __future__ import annotations

import math
from collections.abc import Iterator

from training.evaluation import Evaluation
from training.measures import Measure, View
from training.rivals import Rival

__all__ = [
    "VIEW_TITLES",
    "abstaining_sentence",
    "change",
    "figure",
    "percent",
    "percent_over",
    "verdict_sentences",
]

SMALL_SAVING = 0.25
VIEW_TITLES: dict[View, str] = {
    "most_probable": "Most probable tier (how good the model is)",
    "choice": "The policy's choice (what would be called and paid for)",
}


def verdict_sentences(evaluation: Evaluation) -> tuple[str, ...]:
    """Return what whoever pays should take away: against always-balanced, always-premium and chance."""
    choice, balanced = evaluation.rival("choice"), evaluation.rival("always_balanced")
    premium = evaluation.rival("always_premium")
    saving = evaluation.cost_model.cheap_saving()
    only = "only " if saving < SMALL_SAVING else ""
    sentences = [
        f"Token for token cheap saves {only}{percent(saving, 0)} over balanced. Always-balanced is the rival "
        f"to beat: it costs USD {balanced.usd_per_1000:.3f} per 1,000 prompts and under-routes "
        f"{percent(balanced.rates.under)}.",
        f"The policy costs USD {choice.usd_per_1000:.3f}, {_against(choice, balanced)} always-balanced and "
        f"{_against(choice, premium)} always-premium, and under-routes {percent(choice.rates.under)}.",
    ]
    sentences += [
        f"To under-route as little blindly ({rival.description}) would cost USD {rival.usd_per_1000:.3f}."
        for rival in evaluation.rivals
        if rival.key == "random_premium"
    ]
    return (*sentences, *_expected_cost_sentence(evaluation))


def _expected_cost_sentence(evaluation: Evaluation) -> Iterator[str]:
    choice = evaluation.rival("choice")
    as_good = [point for point in evaluation.cost_curve if point.under_routing <= choice.rates.under]
    best = min(as_good, key=lambda point: point.usd_per_1000, default=None)
    if best is not None and best.usd_per_1000 < choice.usd_per_1000:
        yield (
            f"The same model under an expected-cost policy, a poor answer taken to cost "
            f"USD {best.poor_answer_usd:.2g}, would under-route {percent(best.under_routing)} for "
            f"USD {best.usd_per_1000:.3f} (its setting picked on these same prompts)."
        )


def abstaining_sentence(evaluation: Evaluation) -> str:
    """Return how the prompts fare on which the policy abstains; empty where it never does."""
    found = evaluation.abstained
    if found is None:
        return ""
    if found.sent is None or found.otherwise is None:
        return "The policy can abstain, and did so on none of these prompts."
    choice, other = evaluation.rival("choice"), evaluation.rival("choice_not_abstaining")
    return (
        f"The policy abstains on {found.rows:,} prompts ({percent(found.share)}): "
        f"{percent(found.sent.rates.under)} of them are under-routed, at USD {found.sent.usd_per_1000:.3f} "
        f"per 1,000; were it not to abstain, {percent(found.otherwise.rates.under)}, at "
        f"USD {found.otherwise.usd_per_1000:.3f}. Of all prompts {percent(choice.rates.under)} are "
        f"under-routed, at USD {choice.usd_per_1000:.3f}; were it not to abstain, "
        f"{percent(other.rates.under)}, at USD {other.usd_per_1000:.3f}."
    )


def percent(share: float, digits: int = 1) -> str:
    """Return a share as people read it.

    >>> percent(0.1042)
    '10.4 %'
    """
    return f"{share * 100:.{digits}f} %"


def figure(measure: Measure, value: float) -> str:
    """Return a measure's figure as people read it: shares in per cent, dollars and scores as numbers."""
    if math.isnan(value):
        return "–"
    return percent(value) if measure.is_share else f"{value:.3f}"


def change(measure: Measure, value: float) -> str:
    """Return a difference between two figures with its sign; of shares, in percentage points."""
    if math.isnan(value):
        return "–"
    return f"{value * 100:+.1f} pt" if measure.is_share else f"{value:+.3f}"


def percent_over(rival: Rival, base: Rival) -> str:
    """Return by how much a rival costs more than another, signed; a dash where the other costs nothing."""
    return f"{(rival.usd_per_1000 / base.usd_per_1000 - 1) * 100:+.0f} %" if base.usd_per_1000 else "–"


def _against(rival: Rival, base: Rival) -> str:
    if not base.usd_per_1000:
        return "not to be set against"
    gap = rival.usd_per_1000 / base.usd_per_1000 - 1
    return f"{percent(abs(gap), 0)} {'more' if gap > 0 else 'less'} than"
