"""What can set two asks apart."""

import enum
from dataclasses import dataclass

__all__ = ["Difference", "Kind"]


class Kind(enum.StrEnum):
    """In what two asks differ; the earlier of two that apply is told."""

    UNJUDGED = "unjudged"  # too long, or in a language that no lexicon covers
    LANGUAGE = "language"  # of the text, or the one that is asked for
    NEGATION = "negation"
    NUMBER = "number"
    UNIT = "unit"
    TENSE = "tense"
    DIRECTION = "direction"
    OPPOSITE = "opposite"  # more or less, add or remove, all or only
    QUESTION = "question"  # who, when, where, how many
    MODAL = "modal"  # can, should, must, may
    NAME = "name"  # what is quoted, capitalised, code, an address
    WORDING = "wording"  # another word, of which nobody knows that it means the same


@dataclass(frozen=True, slots=True)
class Difference:
    """Why the answer to one ask is no answer to another.

    Attributes:
        kind: in what they differ.
        words: of the two asks that show it; for people, and never complete.
    """

    kind: Kind
    words: tuple[str, ...] = ()
