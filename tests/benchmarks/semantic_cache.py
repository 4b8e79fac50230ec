"""What the semantic cache's guard lets pass of pairs that nobody chose it on, and what similarity adds.

Sums of hashed words, as the sandbox gives them, stand in for a sentence model: look-alikes are nearer than
paraphrases to them, and the guard has to keep apart alone what they cannot. With an endpoint of your own
`python -m serving calibrate-cache` measures the same.
"""

from collections.abc import Callable, Iterator
from time import process_time

from serving.cache.calibration import Rate, calibrate, judged
from serving.cache.differences import difference
from serving.cache.indexed_ask import Vector
from serving.cache.pairs import Pair, read_pairs
from serving.sandbox.embeddings import unit_vector
from tests.benchmarks.material import Material, say
from tests.benchmarks.row import Goal, Peer, Row, Sense

__all__ = ["semantic_cache_rows"]

_DIMENSIONS = 256
_NONE = Goal(0.0, Sense.AT_MOST)


def semantic_cache_rows(material: Material) -> Iterator[Row]:
    """Yield rows on the held-out half of the pairs, by embedding model."""
    pairs = read_pairs(material.choices.data / "cache" / "pairs.jsonl")
    yield _speed(pairs)
    texts = sorted({text for pair in pairs for text in (pair.first, pair.second)})
    yield from _rows("hashed words", pairs, _hashed(texts).__getitem__)


def _rows(name: str, pairs: list[Pair], vector_of: Callable[[str], Vector]) -> Iterator[Row]:
    found = calibrate(judged(pairs, vector_of), vector_of)
    note = f"threshold {found.threshold:g}, separation {found.separation:.2f}"
    yield _row(f"{name}: look-alikes, false hits", found.false_hits, found.unguarded_false_hits, note, _NONE)
    yield _row(f"{name}: the same, hits", found.hits, found.unguarded_hits, note)
    alone = found.guard_only
    words = f"{alone.hits} of {alone.pairs}, at whatever similarity"
    yield Row("guard alone: look-alikes that pass", alone.share, interval=_interval(alone), note=words)


def _row(what: str, rate: Rate, unguarded: Rate, note: str, goal: Goal | None = None) -> Row:
    told = f"{rate.hits} of {rate.pairs}; {note}"
    peer = Peer("without the guard", unguarded.share)
    return Row(what, rate.share, interval=_interval(rate), peer=peer, goal=goal, note=told)


def _interval(rate: Rate) -> tuple[float, float]:
    """Return the exact bounds, 2.5 % on each side."""
    mirrored = Rate(rate.pairs - rate.hits, rate.pairs)
    return 1 - mirrored.bound(0.025), rate.bound(0.025)


def _speed(pairs: list[Pair]) -> Row:
    say("timing the guard")
    begun = process_time()
    for pair in pairs:
        difference(pair.first, pair.second)
    each = (process_time() - begun) / len(pairs)
    return Row("guard: one comparison, mean over the pairs, of processor time", each * 1e6, "us")


def _hashed(texts: list[str]) -> dict[str, Vector]:
    return {text: tuple(unit_vector(text, _DIMENSIONS)) for text in texts}
