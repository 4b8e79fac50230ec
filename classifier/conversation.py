"""Judge a conversation from what the prompt model says of each of the human's turns.

A short follow-up ("and in French?", "yes, do it") says little by itself and inherits from what came before;
"thanks!" does not. So the prompt model reads every turn on its own, and a small linear head weighs the
contrasts of several roles: the last turn, the one before it, the first, the mean of all, all of them read as
one text, and, the more so the shorter the last turn is, once more the last turn and the one before it. A few
counts stand beside them. It is linear in the contrasts, which keeps explanations additive down to n-grams.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log1p
from typing import NamedTuple

from classifier.contribution import Contrast, Direction, Part
from classifier.follow_up import is_assent, is_closing
from classifier.prompt_model import StatisticWeight, shifts
from classifier.reading import Reading

__all__ = ["ROLES", "ConversationHead", "Matrix", "RoleWeight", "conversation_features", "judged_texts"]

ROLES = ("last", "previous", "first", "mean", "joined", "brief", "inherited")
"""What is judged: single turns, their mean, all of them as one text; "brief" is the last turn and "inherited"
the previous one, both times the brevity of the last. Without a previous turn, the last stands in for it."""

_RECENT_TURNS = 8
_BRIEF = 60.0  # characters after which brevity has fallen to 1/e


class Matrix(NamedTuple):
    """How a text's contrast moves the conversation's; a matrix of two by two."""

    balanced_to_balanced: float
    balanced_to_premium: float
    premium_to_balanced: float
    premium_to_premium: float

    def apply(self, contrast: Contrast) -> Contrast:
        """Return what a text with this contrast adds."""
        balanced, premium = contrast
        return Contrast(
            self.balanced_to_balanced * balanced + self.premium_to_balanced * premium,
            self.balanced_to_premium * balanced + self.premium_to_premium * premium,
        )

    def back(self, direction: Direction) -> Direction:
        """Return the direction in the text's contrast that moves the conversation's along `direction`."""
        balanced, premium = direction
        return Direction(
            balanced * self.balanced_to_balanced + premium * self.balanced_to_premium,
            balanced * self.premium_to_balanced + premium * self.premium_to_premium,
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
    shares = _shares(reading, len(contrasts))
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
        matrices = self.matrices(reading, len(contrasts))
        parts = [matrix.apply(contrast) for matrix, contrast in zip(matrices, contrasts, strict=True)]
        counts = _counts(reading)
        balanced, premium = (
            self.intercept[axis]
            + sum(part[axis] for part in parts)
            + sum(value for _, value in shifts(self.counts, counts, along))
            for axis, along in enumerate((Direction(1.0, 0.0), Direction(0.0, 1.0)))
        )
        return Contrast(balanced, premium)

    def matrices(self, reading: Reading, texts: int) -> list[Matrix]:
        """Return, for each of so many judged texts, how its contrast moves the conversation's."""
        shares = _shares(reading, texts)
        return [
            Matrix(*(sum(shares[w.role][place] * w.matrix[cell] for w in self.roles) for cell in range(4)))
            for place in range(texts)
        ]

    def count_contributions(self, reading: Reading, direction: Direction) -> list[Part]:
        """Return what each count adds to the log-odds in a direction."""
        return shifts(self.counts, _counts(reading), direction)


def _shares(reading: Reading, texts: int) -> dict[str, list[float]]:
    """How much of each role each judged text makes up."""
    turns, brevity = texts - 1, _brevity(reading)
    alone = [[float(place == other) for other in range(texts)] for place in range(texts)]
    last, previous = alone[turns - 1], alone[max(turns - 2, 0)]
    return {
        "last": last,
        "previous": previous,
        "first": alone[0],
        "mean": [*[1.0 / turns] * turns, 0.0],
        "joined": alone[turns],
        "brief": [brevity * share for share in last],
        "inherited": [brevity * share for share in previous],
    }


def _brevity(reading: Reading) -> float:
    """How little the last turn says by itself, in [0, 1]; 0 where nothing precedes it or nothing is asked."""
    last = reading.turns[-1]
    if len(reading.turns) < 2 or is_closing(last):
        return 0.0
    return 1.0 if is_assent(last) else exp(-len(last) / _BRIEF)


def _counts(reading: Reading) -> tuple[float, ...]:
    return (
        log1p(len(reading.turns)),
        log1p(len(reading.turns[-1])),
        log1p(reading.system_characters),
        log1p(reading.assistant_characters),
        log1p(reading.tool_results),
        float(reading.ends_with_tool),
        _brevity(reading),
        float(is_closing(reading.turns[-1])),
        float(is_assent(reading.turns[-1])),
    )
