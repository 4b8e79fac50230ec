"""What `pick` tells a person."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from training.picking import Picked, Share
from training.text_tables import aligned, shortened, wrapped
from training.wording import percent

__all__ = ["BENCHMARK_VERDICT", "picked_text"]

_MOST_NAMED = 8

BENCHMARK_VERDICT = (
    "Measured on public outcomes (pooled ZeroEval, RouteLLM's GSM8K and MMLU; 100 to 500 labels, 12 draws "
    "each, `python -m tests.benchmarks picking`): no strategy gave a better router than as many random "
    "prompts, neither with the packaged model nor with a model of the first 100 labels; 'uncertain' tended "
    "to be worse. So 'random' among distinct prompts is the default: it is the cheapest and the safest, and "
    "its labels say how good a model is on the log, which labels picked otherwise do not."
)
"""What `tests/benchmarks/picking.py` found; said by the help and by every report."""


def picked_text(picked: Picked, written: Path) -> str:
    """Return the report on a choice."""
    lines = [
        f"picked      {len(picked.places):,} of {_distinct(picked):,} distinct prompts: {picked.strategy}, "
        f"seed {picked.seed}",
        *_short(picked),
        f"log         {picked.pool.read:,} rows; {picked.pool.repeats:,} repeat another word for word, "
        f"{picked.near_duplicates:,} nearly",
        *_aside(picked),
        f"uncertainty {picked.uncertainty_picked:.3f} on average, {picked.uncertainty_log:.3f} in the log "
        f"(1 less the margin, by model {picked.model})",
        f"topics      {picked.topics_picked:,} of the log's {picked.topics:,} groups of like prompts",
        f"written     {written}",
        "",
        aligned(list(_table(picked))),
        "",
        wrapped(BENCHMARK_VERDICT),
    ]
    return "\n".join(lines)


def _distinct(picked: Picked) -> int:
    return len(picked.pool.candidates) - picked.near_duplicates


def _short(picked: Picked) -> Iterator[str]:
    if len(picked.places) < picked.asked:
        yield f"            {picked.asked:,} were asked for: there are no more"


def _aside(picked: Picked) -> Iterator[str]:
    for reason, count in picked.pool.set_aside.most_common():
        yield f"            {count:,} rows set aside: {reason}"
    if picked.pool.not_drawn:
        yield f"            {picked.pool.not_drawn:,} rows not drawn into the pool, a random sample (--pool)"


def _table(picked: Picked) -> Iterator[tuple[str, str, str, str, str]]:
    yield ("", "log", "", "picked", "")
    totals = _distinct(picked), len(picked.places)
    for share in (*_few(picked.languages), *picked.lengths):
        yield (
            shortened(share.name, 40),
            f"{share.log:,}",
            percent(share.log / totals[0]),
            f"{share.picked:,}",
            percent(share.picked / totals[1]),
        )


def _few(shares: Sequence[Share]) -> Sequence[Share]:
    """The most frequent ones, the others together."""
    if len(shares) <= _MOST_NAMED:
        return shares
    rest = shares[_MOST_NAMED - 1 :]
    others = Share(
        f"{len(rest)} other languages", sum(one.log for one in rest), sum(one.picked for one in rest)
    )
    return (*shares[: _MOST_NAMED - 1], others)
