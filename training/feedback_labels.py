"""Add up a feedback log, prompt by prompt, and count what it says and what it cannot say."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from classifier import TIERS, Tier
from training.feedback_rows import FeedbackRow, Messages
from training.feedback_rules import Evidence, FeedbackRules, Sign, label_of, signs_of

__all__ = ["SOURCE", "Counts", "Feedback", "LabelledPrompt", "label_feedback"]

SOURCE: Final = "feedback"


@dataclass(frozen=True, slots=True)
class LabelledPrompt:
    """A prompt with the label that its feedback comes to.

    Attributes:
        id: The request that first asked it; empty when that has no name.
        prompt: The prompt, or the messages of a conversation.
        text: The normalised text.
        tier: The label.
        weight: How much to believe it, above 0.
        language: Empty when not given.
        domain: Empty when not given.
        signs: How many signs stand behind it.
    """

    id: str
    prompt: str | Messages
    text: str
    tier: Tier
    weight: float
    language: str
    domain: str
    signs: int

    def as_row(self) -> dict[str, Any]:
        """Return the row of a labelled set, ready for JSON."""
        name = "prompt" if isinstance(self.prompt, str) else "messages"
        described = {"id": self.id, "language": self.language, "domain": self.domain}
        return {
            **{key: value for key, value in described.items() if value},
            name: self.prompt,
            "tier": self.tier.label,
            "weight": round(self.weight, 4),
            "source": SOURCE,
            "signs": self.signs,
        }


@dataclass(slots=True)
class Counts:
    """What a log held, counted while it is read.

    Attributes:
        rows: How many rows there are.
        superseded: Rows that a later one with the same request id replaces.
        tiers: Rows that each tier answered.
        silent: Of these, rows without any sign.
        chosen_by: Rows by who chose the tier; "not given" where it is not said.
        signs: How often each sign was seen, by its name and the tier it is about.
        premium_failed: Thumbs down at premium: prompts that nobody solved.
    """

    rows: int = 0
    superseded: int = 0
    tiers: Counter[Tier] = field(default_factory=Counter)
    silent: Counter[Tier] = field(default_factory=Counter)
    chosen_by: Counter[str] = field(default_factory=Counter)
    signs: Counter[tuple[str, Tier]] = field(default_factory=Counter)
    premium_failed: int = 0

    def add(self, row: FeedbackRow, signs: Iterable[Sign], times: int = 1) -> None:
        """Count a row; -1 times where another replaces it."""
        self.tiers[row.tier] += times
        self.silent[row.tier] += times * row.is_silent
        self.chosen_by[row.chosen_by or "not given"] += times
        for sign in signs:
            self.signs[sign.name, sign.tier] += times
            self.premium_failed += times * (sign.tier is Tier.PREMIUM and not sign.enough)


@dataclass(frozen=True, slots=True)
class Feedback:
    """The labels that a log comes to, and why there are not more.

    Attributes:
        labels: One for each prompt of which something was learnt, in the order of the log.
        counts: What the log held.
        rules: The rules that were followed.
        prompts: How many distinct prompts had any sign.
        nothing_learnt: Of these, the ones whose signs say nothing of which tier is needed.
        contradicting: The ones whose signs contradict each other.
        prior_unknown: The labelled ones of which the log has no probabilities.
    """

    labels: tuple[LabelledPrompt, ...]
    counts: Counts
    rules: FeedbackRules
    prompts: int
    nothing_learnt: int
    contradicting: int
    prior_unknown: int

    def by_tier(self) -> Mapping[Tier, Sequence[LabelledPrompt]]:
        """Return the labels of each tier."""
        return {tier: [label for label in self.labels if label.tier is tier] for tier in TIERS}


def label_feedback(rows: Iterable[FeedbackRow], rules: FeedbackRules) -> Feedback:
    """Label every prompt of which the log lets something be learnt.

    Memory grows with the rows that carry a sign; of a silent one only its request id is kept.

    Args:
        rows: The log, in order of time: of rows with the same request id the last counts.
        rules: How far each sign is believed.
    """
    counts = Counts()
    spoken: dict[str, FeedbackRow] = {}
    silent: dict[str, FeedbackRow] = {}
    stripped: dict[FeedbackRow, FeedbackRow] = {}
    for number, row in enumerate(rows, start=1):
        counts.rows += 1
        name = row.request_id or f"\0{number}"
        replaced = spoken.pop(name, None) or silent.pop(name, None)
        if replaced is not None:
            counts.superseded += 1
            counts.add(replaced, signs_of(replaced, rules), times=-1)
        signs = list(signs_of(row, rules))
        counts.add(row, signs)
        if any(not sign.says_nothing or not row.is_silent for sign in signs):
            spoken[name] = row
        elif row.request_id:
            counted = _as_counted(row)
            silent[name] = stripped.setdefault(counted, counted)
    return _labelled(spoken, counts, rules)


def _as_counted(row: FeedbackRow) -> FeedbackRow:
    """Return what `Counts` looks at of a silent row: a few values, the same for thousands of rows."""
    return replace(
        row, request_id="", prompt="", text="", probabilities=None, propensity=None, language="", domain=""
    )


def _labelled(spoken: Mapping[str, FeedbackRow], counts: Counts, rules: FeedbackRules) -> Feedback:
    asked: dict[str, list[FeedbackRow]] = {}
    for row in spoken.values():
        asked.setdefault(row.text, []).append(row)
    labels: list[LabelledPrompt] = []
    contradicting = unknown = 0
    for several in asked.values():
        evidence = Evidence()
        for row in several:
            evidence.add(signs_of(row, rules), row.probabilities)
        contradicting += evidence.contradicts
        found = label_of(evidence, rules)
        if found is not None:
            unknown += all(row.probabilities is None for row in several)
            labels.append(_label(several[0], found.tier, found.weight, evidence.signs))
    nothing = len(asked) - len(labels)
    return Feedback(tuple(labels), counts, rules, len(asked), nothing, contradicting, unknown)


def _label(row: FeedbackRow, tier: Tier, weight: float, signs: int) -> LabelledPrompt:
    return LabelledPrompt(
        id=row.request_id,
        prompt=row.prompt,
        text=row.text,
        tier=tier,
        weight=weight,
        language=row.language,
        domain=row.domain,
        signs=signs,
    )
