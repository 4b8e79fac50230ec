"""The outcome table: a row for each labelled prompt, in the form that `python -m training outcomes` reads."""

import json
from collections.abc import Iterable

from classifier import TIERS, Tier
from serving.labelling.judge import Verdict
from serving.labelling.prompts import PromptToLabel
from serving.labelling.record import Record
from serving.labelling.settings import LabelSettings
from serving.labelling.steps import Standing, standing_of

__all__ = ["mean_scores", "outcome_lines", "outcome_row"]


def outcome_lines(prompts: Iterable[PromptToLabel], record: Record, settings: LabelSettings) -> bytes:
    """Return the table of the prompts that are labelled, as JSON Lines in the order of the prompts."""
    standings = ((each, standing_of(each.digest, record.of(each.digest), settings)) for each in prompts)
    rows = [
        outcome_row(prompt, standing, simulated=settings.simulated)
        for prompt, standing in standings
        if standing.labelled
    ]
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()


def outcome_row(prompt: PromptToLabel, standing: Standing, *, simulated: bool) -> dict[str, object]:
    """Return a labelled prompt as a row of the table.

    `score:TIER` is a fraction in [0, 1], `usd:TIER` US dollars and `tokens:TIER` tokens in and out of the
    tier's answer, the judge's own not counted.
    """
    scores, answers = mean_scores(standing.verdicts), standing.answers
    asked = "prompt" if isinstance(prompt.prompt, str) else "messages"
    row: dict[str, object] = {"id": prompt.id, asked: prompt.prompt, **prompt.about}
    row |= {f"score:{tier}": scores[tier] for tier in TIERS}
    row |= {f"usd:{tier}": answers[tier].usd for tier in TIERS}
    row |= {f"tokens:{tier}": answers[tier].tokens for tier in TIERS}
    return {**row, "simulated": True} if simulated else row


def mean_scores(verdicts: tuple[Verdict, ...]) -> dict[Tier, float]:
    """Return each tier's score, the mean of both verdicts where the prompt was judged twice."""
    return {tier: sum(each.scores[tier] for each in verdicts) / len(verdicts) for tier in TIERS}
