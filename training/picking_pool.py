"""The distinct prompts of a log that are picked from, drawn by hash so that memory stays bounded."""

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from heapq import heappush, heapreplace

import numpy as np
import numpy.typing as npt

from classifier import Prompt
from training.errors import Place
from training.picking_log import LoggedPrompt

__all__ = ["Candidate", "Judge", "Pool", "draw_pool", "prompt_digest", "script_of"]

FloatArray = npt.NDArray[np.float64]
Judge = Callable[[Prompt], tuple[float, float, float]]
"""Gives P(the prompt needs this tier), in Tier order."""

_SCRIPTS = (
    ("Han or kana", 0x3040, 0x30FF),
    ("Han or kana", 0x3400, 0x9FFF),
    ("Hangul", 0xAC00, 0xD7AF),
    ("Cyrillic", 0x0400, 0x052F),
    ("Arabic", 0x0600, 0x06FF),
    ("Devanagari", 0x0900, 0x097F),
    ("Greek", 0x0370, 0x03FF),
    ("Hebrew", 0x0590, 0x05FF),
    ("Thai", 0x0E00, 0x0E7F),
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A distinct prompt that may be picked.

    Attributes:
        rank: 64 bits from a hash of the seed and what is asked; the order of the pool.
        place: The first row of the log that asks it.
        excerpt: Both ends of what is asked, normalised.
        probabilities: P(it needs this tier) by the current model, in Tier order.
        language: As the log gives it, or else the script it is written in.
        characters: Length of the human's turns.
    """

    rank: int
    place: Place
    excerpt: str
    probabilities: tuple[float, float, float]
    language: str
    characters: int


@dataclass(frozen=True, slots=True)
class Pool:
    """What a log holds, and the distinct prompts that were drawn from it.

    Attributes:
        candidates: By rising rank.
        read: How many rows the log has.
        repeats: How many of them ask what a candidate asks, beyond its first row.
        not_drawn: How many rows were left aside because there are more distinct prompts than `limit`.
        set_aside: How many rows cannot be labelled, or are labelled already, by reason.
    """

    candidates: tuple[Candidate, ...]
    read: int
    repeats: int
    not_drawn: int
    set_aside: Counter[str]

    @property
    def uncertainty(self) -> FloatArray:
        """1 less the margin between the two most probable tiers, shape (n_candidates,), in [0, 1].

        Margin sampling: Scheffer and others 2001; Settles, Active Learning, 2012, section 2.3.
        """
        if not self.candidates:
            return np.empty(0)
        ordered = np.sort([candidate.probabilities for candidate in self.candidates], axis=1)
        return np.asarray(1.0 - (ordered[:, 2] - ordered[:, 1]))


def draw_pool(
    rows: Iterable[LoggedPrompt],
    judge: Judge,
    *,
    limit: int,
    seed: int = 0,
    labelled: Collection[bytes] = frozenset(),
) -> Pool:
    """Keep the distinct prompts of a log; where there are more than `limit`, a random sample of them.

    A prompt's rank is a hash of the seed and of its text alone, and the lowest ranks stay: which prompts they
    are depends neither on the order of the rows nor on how often each stands in the log.

    Args:
        rows: The log.
        judge: The current model; asked once for each prompt that is kept for a while.
        limit: Keep at most so many; memory grows with it, by 1 to 3 kB each.
        seed: Of the sample.
        labelled: Digests (`prompt_digest`) of prompts that need no label any more.
    """
    kept: dict[int, Candidate] = {}
    repeats: Counter[int] = Counter()
    highest: list[int] = []
    set_aside: Counter[str] = Counter()
    read = 0
    for row in rows:
        read += 1
        digest = prompt_digest(row.asked)
        rank = _rank(digest, seed)
        if row.problem or digest in labelled:
            set_aside[row.problem or "labelled already"] += 1
        elif rank in kept:
            repeats[rank] += 1
        elif len(kept) < limit:
            kept[rank] = _candidate(row, rank, judge)
            heappush(highest, -rank)
        elif rank < -highest[0]:
            del kept[-heapreplace(highest, -rank)]
            kept[rank] = _candidate(row, rank, judge)
    repeated = sum(repeats[rank] for rank in kept)
    not_drawn = read - sum(set_aside.values()) - len(kept) - repeated
    return Pool(tuple(kept[rank] for rank in sorted(kept)), read, repeated, not_drawn, set_aside)


def prompt_digest(asked: str) -> bytes:
    """Return sixteen bytes by which a prompt is known; `asked` as in `LoggedPrompt`."""
    return hashlib.blake2b(asked.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def script_of(text: str) -> str:
    """Return the script of most letters in the first 200 characters, for want of a language.

    >>> script_of("Was ist das?"), script_of("これは何ですか"), script_of("2 + 2")
    ('Latin script', 'Han or kana script', 'no letters')
    """
    beginning = text[:200]
    if beginning.isascii():  # most are, and a log has many
        return "Latin script" if any(map(str.isalpha, beginning)) else "no letters"
    letters = Counter(_script(ord(char)) for char in beginning if char.isalpha())
    return f"{letters.most_common(1)[0][0]} script" if letters else "no letters"


def _script(code: int) -> str:
    if code < 0x0250:
        return "Latin"
    return next((name for name, first, last in _SCRIPTS if first <= code <= last), "other")


def _candidate(row: LoggedPrompt, rank: int, judge: Judge) -> Candidate:
    return Candidate(
        rank=rank,
        place=row.place,
        excerpt=row.excerpt,
        probabilities=judge(row.prompt),
        language=row.language or script_of(row.asked),
        characters=row.characters,
    )


def _rank(digest: bytes, seed: int) -> int:
    return int.from_bytes(hashlib.blake2b(digest, digest_size=8, key=seed.to_bytes(8)).digest())
