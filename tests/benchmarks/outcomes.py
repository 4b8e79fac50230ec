"""Two lines of the routing table for the table of all numbers to reach: five-fold APGR on MMLU and GSM8K."""

from collections.abc import Iterator

import numpy as np

from tests.benchmarks.material import Material, say
from tests.benchmarks.routing_blocks import FIVE_FOLD_FLOORS
from tests.benchmarks.routing_fits import RoutingFits
from tests.benchmarks.routing_prompts import ROUTELLM, read_pairs
from tests.benchmarks.routing_protocols import bootstrapped, five_fold, recovered
from tests.benchmarks.routing_published import PUBLISHED
from tests.benchmarks.row import Goal, Peer, Row, Unavailable
from training.resampling import percentile_interval

__all__ = ["outcome_rows"]

_RESAMPLES = 500


def outcome_rows(material: Material) -> Iterator[Row]:
    """Yield one row for each table; `python -m tests.benchmarks.routing` has the others."""
    for name, floor in FIVE_FOLD_FLOORS.items():
        what = f"RouteLLM {name.upper()}, five-fold APGR"
        say(what)
        try:
            yield _row(material, what, name, Goal(floor))
        except Unavailable as missing:
            yield Row(what, goal=Goal(floor), note=str(missing))


def _row(material: Material, what: str, name: str, goal: Goal) -> Row:
    table = read_pairs(material.choices.outcomes, [ROUTELLM[name]])
    rates = five_fold(RoutingFits(table))
    drawn = [draw.apgr for draw in bootstrapped(rates, table.scores, _RESAMPLES)]
    best = max(PUBLISHED[name], key=lambda router: router.apgr)
    return Row(
        what,
        recovered(rates, table.scores).apgr,
        interval=percentile_interval(np.array(drawn)),
        peer=Peer(f"{best.router}, as published", best.apgr),
        goal=goal,
        note=f"{len(table)} prompts, folds by normalised prompt; chance 0.5; the peer is the best published",
    )
