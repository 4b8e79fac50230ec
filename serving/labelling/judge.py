"""Reading the judge's verdict: scores that it gave, or the reason why there are none. Nothing is made up."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from classifier import Tier
from serving.labelling.record import Reply
from serving.labelling.rubric import BEST_STEP, WORST_STEP, score_name

__all__ = ["MOST_JUDGEMENTS", "Unreadable", "Verdict", "read_verdict", "score_of", "verdict_among"]

MOST_JUDGEMENTS = 2
"""How often the judge is asked for one verdict: again, more strictly, when the first cannot be read."""

_THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)  # how open models show their reasoning
_CODE_FENCE = re.compile(r"\A```(?:json)?\s*\n(.*)\n```\Z", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the judge gave.

    Attributes:
        steps: the grade of each tier's answer, whole numbers from 1 to 5.
        order: in which the answers were shown.
    """

    steps: dict[Tier, int]
    order: tuple[Tier, ...]

    @property
    def scores(self) -> dict[Tier, float]:
        """The grades as fractions in [0, 1]."""
        return {tier: score_of(step) for tier, step in self.steps.items()}

    @property
    def cheapest_best(self) -> Tier:
        """The cheapest tier among those with the best grade."""
        best = max(self.steps.values())
        return min(tier for tier, step in self.steps.items() if step == best)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A judgement without grades, and why."""

    reason: str


def score_of(step: float) -> float:
    """Return a grade as a fraction in [0, 1]: (step - 1) / 4.

    >>> [score_of(step) for step in (1, 2, 5)]
    [0.0, 0.25, 1.0]
    """
    return (step - WORST_STEP) / (BEST_STEP - WORST_STEP)


def read_verdict(reply: Reply, order: tuple[Tier, ...]) -> Verdict | Unreadable:
    """Read one judgement.

    Args:
        reply: what the judge sent.
        order: of the answers as it saw them.
    """
    if reply.refusal or reply.finish == "content_filter":
        return Unreadable("the judge refused")
    if reply.finish == "length":
        return Unreadable("the judge's reply was cut off: raise --judge-max-tokens")
    try:
        grades = json.loads(_bare(reply.text))
    except (ValueError, RecursionError):
        return Unreadable("the judge's reply is not JSON")
    names = [score_name(place) for place in range(len(order))]
    if not isinstance(grades, dict) or not all(_is_grade(grades.get(name)) for name in names):
        return Unreadable(f"the judge's reply lacks a grade from {WORST_STEP} to {BEST_STEP}")
    return Verdict({tier: grades[name] for tier, name in zip(order, names, strict=True)}, order)


def verdict_among(replies: Sequence[Reply], order: tuple[Tier, ...]) -> Verdict | Unreadable | None:
    """Return the first verdict that can be read; why there is none; or None while the judge may be asked.

    Args:
        replies: to the same question, in the order of asking.
        order: of the answers as the judge saw them.
    """
    read = [read_verdict(reply, order) for reply in replies]
    verdict = next((each for each in read if isinstance(each, Verdict)), None)
    if verdict is not None or len(read) < MOST_JUDGEMENTS:
        return verdict
    return read[-1]


def _bare(text: str) -> str:
    stripped = _THOUGHTS.sub("", text, count=1).strip()
    fenced = _CODE_FENCE.match(stripped)
    return fenced.group(1) if fenced else stripped


def _is_grade(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and WORST_STEP <= value <= BEST_STEP
