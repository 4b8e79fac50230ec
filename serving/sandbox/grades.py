"""Grades for simulated answers, so that a rehearsal of a judge has something to show.

They are made up, and made to look like the usual case: dearer models do better, much can be done by all, some
by none but the dearest. No answer is read for what it says.
"""

import re
from collections.abc import Iterator

from serving.sandbox.answers import fingerprint, profile_of

__all__ = ["simulated_grades"]

_ANSWER = re.compile(r"\(Simulated answer of (\S+); no model was called\.\) To \"([^\"\n]*)\"")
_STRENGTHS = (0.95, 1.05, 1.25)  # of models by how many sentences they write: fewest, more, most
_HARDEST = 0.8
_WHIM = 0.1


def simulated_grades(prompt: str) -> Iterator[float]:
    """Yield fractions in [0, 1] without end: the same ones for the same prompt.

    Args:
        prompt: what is to be graded. For each simulated answer that stands in it, in order, there is a
            fraction that rises with the strength of its model, falls with the difficulty drawn for its
            question, and has a whim of the judge in it; after those come plain draws.
    """
    for place, found in enumerate(_ANSWER.finditer(prompt)):
        model, asked = found.groups()
        hard = _HARDEST * _draw(f"hard\n{asked}")
        luck = _WHIM * (2 * _draw(f"luck\n{model}\n{asked}") - 1)
        whim = _WHIM * (2 * _draw(f"whim\n{place}\n{prompt}") - 1)
        yield min(1.0, max(0.0, _strength(model) - hard + luck + whim))
    count = 0
    while True:
        yield _draw(f"{count}\n{prompt}")
        count += 1


def _strength(model: str) -> float:
    sentences = profile_of(model).sentences
    weak, solid, strong = _STRENGTHS
    return weak if sentences <= 3 else solid if sentences <= 6 else strong


def _draw(text: str) -> float:
    return int.from_bytes(fingerprint(text)[:6]) / 2**48
