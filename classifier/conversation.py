"""Judge a conversation from what the prompt model says of each of the human's turns.

A short follow-up ("and in French?", "yes, do it") says little by itself and inherits from what came before;
"thanks!" does not. So the prompt model reads every turn on its own, and a small linear head weighs the
contrasts of five roles (the last turn, the one before it, the first, the mean of all, and all of them read as
one text) beside a few counts. It is linear in the contrasts, which keeps explanations additive down to single
n-grams.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log1p
from typing import NamedTuple

from classifier.prompt_model import Contrast, Part, StatisticWeight, shifts
from classifier.prompt_statistics import Statistic
from classifier.reading import Reading

__all__ = [
    "COUNTS",
    "ROLES",
    "ConversationHead",
    "Matrix",
    "RoleWeight",
    "conversation_features",
    "judged_texts",
]

ROLES = ("last", "previous", "first", "mean", "joined")
"""What is judged: single turns, their mean, and all of them as one text. Where there is no previous turn, the
last one stands in for it."""

COUNTS: tuple[Statistic, ...] = (
    Statistic("log_turns", "many turns", "few turns"),
    Statistic("log_last_characters", "long last turn", "short last turn"),
    Statistic("log_system_characters", "long system prompt", "short or no system prompt"),
    Statistic("log_assistant_characters", "long last answer", "short last answer"),
    Statistic("log_tool_results", "many tool results", "few tool results"),
    Statistic("ends_with_tool", "a tool result comes last", "a human comes last"),
)
"""The counts that the head weighs beside the turns."""

_RECENT_TURNS = 8


class Matrix(NamedTuple):
    """How a turn's contrast moves the conversation's; a matrix of two by two."""

    balanced_to_balanced: float
    balanced_to_premium: float
    premium_to_balanced: float
    premium_to_premium: float

    def apply(self, contrast: tuple[float, float]) -> Contrast:
        """Return what a turn with this contrast adds."""
        balanced, premium = contrast
        return Contrast(
            self.balanced_to_balanced * balanced + self.premium_to_balanced * premium,
            self.balanced_to_premium * balanced + self.premium_to_premium * premium,
        )


class RoleWeight(NamedTuple):
    """The matrix of a role."""

    role: str
    matrix: Matrix


def judged_texts(reading: Reading) -> tuple[str, ...]:
    """Return the texts that the prompt model reads: the human's turns, then all of them joined.

    Of a long conversation only the first turn and the most recent eight, so that time stays bounded.
    """
    turns = reading.turns
    if len(turns) > _RECENT_TURNS + 1:
        turns = (turns[0], *turns[-_RECENT_TURNS:])
    return (*turns, "\n".join(turns))


def conversation_features(reading: Reading, contrasts: Sequence[Contrast]) -> tuple[float, ...]:
    """Return the head's input for training.

    Args:
        reading: the conversation.
        contrasts: the prompt model's contrasts of `judged_texts(reading)`.

    Returns:
        Both contrasts of each of `ROLES`, then `COUNTS`; shape (2 * len(ROLES) + len(COUNTS),).
    """
    shares = _shares(len(contrasts))
    return (
        *(
            sum(share * contrast[axis] for share, contrast in zip(shares[role], contrasts, strict=True))
            for role in ROLES
            for axis in (0, 1)
        ),
        *_counts(reading),
    )


@dataclass(frozen=True, slots=True)
class ConversationHead:
    """The linear head over a conversation's turns.

    Attributes:
        intercept: contrasts of a conversation with average counts and turns of contrast 0.
        roles: one weight for each of `ROLES`, in that order.
        counts: one weight for each of `COUNTS`, in that order.
    """

    intercept: Contrast
    roles: tuple[RoleWeight, ...]
    counts: tuple[StatisticWeight, ...]

    def contrast(self, reading: Reading, contrasts: Sequence[Contrast]) -> Contrast:
        """Return the conversation's contrast from those of its `judged_texts`."""
        matrices = self.matrices(len(contrasts))
        texts = [matrix.apply(contrast) for matrix, contrast in zip(matrices, contrasts, strict=True)]
        counts = [(balanced, premium) for _, balanced, premium in self.count_parts(reading)]
        parts = [self.intercept, *texts, *counts]
        return Contrast(sum(part[0] for part in parts), sum(part[1] for part in parts))

    def matrices(self, texts: int) -> list[Matrix]:
        """Return, for each of so many judged texts, how its contrast moves the conversation's."""
        shares = _shares(texts)
        return [
            Matrix(*(sum(shares[w.role][place] * w.matrix[cell] for w in self.roles) for cell in range(4)))
            for place in range(texts)
        ]

    def count_parts(self, reading: Reading) -> list[Part]:
        """Return what each count adds."""
        return shifts(self.counts, _counts(reading))


def _shares(texts: int) -> dict[str, list[float]]:
    """How much of each role each judged text makes up; every role's shares sum to 1."""
    alone = [[float(place == other) for other in range(texts)] for place in range(texts)]
    turns = texts - 1
    return {
        "last": alone[turns - 1],
        "previous": alone[max(turns - 2, 0)],
        "first": alone[0],
        "mean": [*[1.0 / turns] * turns, 0.0],
        "joined": alone[turns],
    }


def _counts(reading: Reading) -> tuple[float, ...]:
    return (
        log1p(len(reading.turns)),
        log1p(len(reading.turns[-1])),
        log1p(reading.system_characters),
        log1p(reading.assistant_characters),
        log1p(reading.tool_results),
        float(reading.ends_with_tool),
    )
