"""The words of a language that carry a difference, or none.

A lexicon is a text file, `lexicons/<language>.txt`, with a line to a concept:

    kind name: phrase, phrase, phrase

All phrases of a line mean the same, as far as the answer goes. `light` words are left out of a comparison,
`preposition` and `direction` words tell the part that the next word plays, `same` are plain synonyms, and
the other kinds are those of `serving.cache.differences.kinds`. A phrase is looked up as written first, then
in small letters; the longest one wins, and of two lines that hold it the later one.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

from serving.cache.differences.tokens import Form, tokens_of

__all__ = ["LANGUAGES", "Concept", "Lexicon", "lexicon_of", "spaced"]

LANGUAGES = ("en", "de", "fr", "es", "ru", "zh", "ja", "ar")

_FOLDER = "lexicons"
_LINE = re.compile(r"(\w+) ?([^:]*): (.+)")


@dataclass(frozen=True, slots=True)
class Concept:
    """What a phrase stands for.

    Attributes:
        kind: the first word of the lexicon's line.
        name: what follows it; all phrases with the same kind and name are one concept.
    """

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The phrases of one language.

    Attributes:
        language: ISO 639-1 code.
        concepts: of each phrase.
        longest: tokens of the longest phrase that begins with a token, in small letters.
    """

    language: str
    concepts: dict[str, Concept]
    longest: dict[str, int]

    @classmethod
    def parse(cls, language: str, text: str) -> "Lexicon":
        """Read a lexicon's text.

        Raises:
            ValueError: a line has another form.
        """
        concepts: dict[str, Concept] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            found = _LINE.fullmatch(line)
            if found is None:
                raise ValueError(f"{language}.txt, line {number}: write it as 'kind name: phrase, phrase'")
            concept = Concept(found[1], found[2])
            for phrase in found[3].split(","):
                concepts[phrase.strip()] = concept
                concepts[spaced(phrase)] = concept
        longest: dict[str, int] = {}
        for phrase in concepts:
            tokens = [token.text.lower() for token in tokens_of(phrase)]
            for first in tokens[:1]:
                longest[first] = max(longest.get(first, 1), len(tokens))
        return cls(language, concepts, longest)

    def concept(self, phrase: str) -> Concept | None:
        """Return what a phrase stands for, or None where it is not listed."""
        return self.concepts.get(phrase) or self.concepts.get(phrase.lower())


def spaced(phrase: str) -> str:
    """Return a phrase as its tokens with spaces between, which is how it is looked up."""
    return " ".join(token.text for token in tokens_of(phrase) if token.form is not Form.BREAK)


@cache
def lexicon_of(language: str) -> Lexicon | None:
    """Return the lexicon of a language, or None where there is none; read at its first use."""
    if language not in LANGUAGES:
        return None
    path = resources.files("serving.cache.differences") / _FOLDER / f"{language}.txt"
    return Lexicon.parse(language, path.read_text(encoding="utf-8"))
