"""What the semantic cache's guard lets pass of pairs that nobody chose it on, and what similarity adds.

No pretrained sentence model is here to be had, so two models of the machine's own stand in: sums of hashed
words, as the sandbox gives them, and latent semantic analysis of the project's prompts. Both are weaker
than what an aggregator sells, and the guard has to keep apart alone what they cannot.
"""

from collections.abc import Callable, Iterator
from time import perf_counter

from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from threadpoolctl import threadpool_limits

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
    for name, vectors in (("hashed words", _hashed(texts)), ("LSA", _lsa(texts, material))):
        yield from _rows(name, pairs, vectors.__getitem__)


def _rows(name: str, pairs: list[Pair], vector_of: Callable[[str], Vector]) -> Iterator[Row]:
    found = calibrate(judged(pairs, vector_of), vector_of)
    note = f"threshold {found.threshold:g}, separation {found.separation:.2f}"
    yield _row(f"{name}: look-alikes, false hits", found.false_hits, found.unguarded_false_hits, note, _NONE)
    yield _row(f"{name}: the same, hits", found.hits, found.unguarded_hits, note)
    if name == "LSA":
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
    begun = perf_counter()
    for pair in pairs:
        difference(pair.first, pair.second)
    each = (perf_counter() - begun) / len(pairs)
    return Row("guard: one comparison, mean over the pairs", each * 1e6, "us")


def _hashed(texts: list[str]) -> dict[str, Vector]:
    return {text: tuple(unit_vector(text, _DIMENSIONS)) for text in texts}


def _lsa(texts: list[str], material: Material) -> dict[str, Vector]:
    """Return embeddings from letters' n-grams, their weights and axes learnt from the labelled prompts."""
    say("learning embeddings from the project's prompts")
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=3, sublinear_tf=True)
    axes = TruncatedSVD(_DIMENSIONS, random_state=0)
    with threadpool_limits(1):
        model = make_pipeline(letters, axes, Normalizer()).fit(_prompts(material))
        rows = model.transform(texts)
    return {text: tuple(map(float, row)) for text, row in zip(texts, rows, strict=True)}


def _prompts(material: Material) -> list[str]:
    return [prompt for prompt in material.data.frame["prompt"] if isinstance(prompt, str)]
