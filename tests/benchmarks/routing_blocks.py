"""The blocks of the routing table: RouteLLM's three benchmarks, and learning curves on pooled ZeroEval."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

import numpy as np

from classifier import TierPredictor
from tests.benchmarks.material import say
from tests.benchmarks.routing_fits import RoutingFits
from tests.benchmarks.routing_lines import Block, Line, line_of, published_line
from tests.benchmarks.routing_prompts import ROUTELLM, ZEROEVAL, RoutingPrompts, read_pairs
from tests.benchmarks.routing_protocols import (
    Recovered,
    bootstrapped,
    few_labels,
    five_fold,
    packaged_win_rate,
    recovered,
    rule_win_rate,
)
from tests.benchmarks.routing_published import PUBLISHED
from tests.benchmarks.row import Unavailable
from training.baselines import KeywordRule, LengthRule
from training.resampling import percentile_interval

__all__ = ["FIVE_FOLD_FLOORS", "RoutingChoices", "routing_blocks"]

FIVE_FOLD_FLOORS: Final[Mapping[str, float]] = {"mmlu": 0.69, "gsm8k": 0.63}
_LABELS: Final = 1_500
_LABELS_FLOOR: Final = 0.64
_CURVE: Final = (100, 200, 500, 1_000, 2_000)
_CURVE_FLOORS: Final[Mapping[int, float]] = {200: 0.60}


@dataclass(frozen=True)
class RoutingChoices:
    """What the caller asked for.

    Attributes:
        outcomes: the folder of public outcome tables.
        draws: how many draws of labels are averaged.
        deals: how many deals of the prompts into five folds are averaged.
        resamples: bootstrap draws of the prompts behind each interval.
    """

    outcomes: Path
    draws: int = 20
    deals: int = 3
    resamples: int = 500

    @cached_property
    def predictor(self) -> TierPredictor:
        """The packaged model."""
        return TierPredictor.default()

    @cached_property
    def routellm(self) -> Mapping[str, RoutingPrompts]:
        """RouteLLM's tables by benchmark."""
        return {name: read_pairs(self.outcomes, [pair]) for name, pair in ROUTELLM.items()}


def routing_blocks(choices: RoutingChoices) -> Iterator[Block]:
    """Yield the blocks as they are measured; where a table is missing, the block says so."""
    makers: tuple[tuple[str, Callable[[RoutingChoices], Block]], ...] = (
        ("RouteLLM MMLU", _mmlu),
        ("RouteLLM GSM8K", _gsm8k),
        ("RouteLLM MT-Bench", _mtbench),
        ("Pooled ZeroEval", _zeroeval),
    )
    for title, make in makers:
        say(title)
        try:
            yield make(choices)
        except Unavailable as missing:
            yield Block(title, (), str(missing))


def _mmlu(choices: RoutingChoices) -> Block:
    table = choices.routellm["mmlu"]
    fits = RoutingFits(table)
    lines = (
        _folds_line(choices, fits, "tierwise, five-fold", FIVE_FOLD_FLOORS["mmlu"]),
        _labels_line(choices, fits, _LABELS, "tierwise, 1,500 labels", _LABELS_FLOOR),
        *_unlearned(choices, table),
        *map(published_line, PUBLISHED["mmlu"]),
    )
    note = 'Beside "1,500 labels" stand routers that had about as many MMLU labels; five-fold has 11,000.'
    return Block(_title("RouteLLM MMLU", table), lines, note)


def _gsm8k(choices: RoutingChoices) -> Block:
    table = choices.routellm["gsm8k"]
    lines = (
        _folds_line(choices, RoutingFits(table), "tierwise, five-fold", FIVE_FOLD_FLOORS["gsm8k"]),
        *_unlearned(choices, table),
        *map(published_line, PUBLISHED["gsm8k"]),
    )
    note = (
        "The table has fewer than 1,500 prompts: five-fold trains on four fifths of it. The published routers"
        " saw general chat with a judge's labels, and no GSM8K."
    )
    return Block(_title("RouteLLM GSM8K", table), lines, note)


def _mtbench(choices: RoutingChoices) -> Block:
    table = choices.routellm["mtbench"]
    pooled = read_pairs(choices.outcomes, [ROUTELLM[name] for name in ("mtbench", "mmlu", "gsm8k")])
    rows = np.arange(len(pooled))
    rates = RoutingFits(pooled).win_rate(rows[len(table) :], rows[: len(table)])
    lines = (
        _line(choices, table, "tierwise, trained on MMLU and GSM8K", [rates]),
        *_unlearned(choices, table),
        *map(published_line, PUBLISHED["mtbench"]),
    )
    note = (
        "Too few prompts to train on. Labels from exams are no labels for chat, and the published routers saw"
        " chat: it is theirs that are at home here."
    )
    return Block(_title("RouteLLM MT-Bench", table), lines, note)


def _zeroeval(choices: RoutingChoices) -> Block:
    table = read_pairs(choices.outcomes, ZEROEVAL)
    fits = RoutingFits(table)
    curve = [
        _labels_line(choices, fits, labels, f"tierwise, {labels:,} labels", _CURVE_FLOORS.get(labels))
        for labels in _CURVE
    ]
    ceiling = _folds_line(choices, fits, "tierwise, five-fold (ceiling)", None)
    chance = Line("random", Recovered(0.5, 0.5, 0.8))
    note = (
        "Llama 3.1 8B against GPT-4o, on MATH against o1-mini. Intervals of the lines with labels: where the"
        f" middle 95 % of {choices.draws} draws of labels lie."
    )
    lines = (*curve, ceiling, *_unlearned(choices, table), chance)
    return Block(_title("Pooled ZeroEval", table), lines, note)


def _folds_line(choices: RoutingChoices, fits: RoutingFits, what: str, floor: float | None) -> Line:
    rates = []
    for seed in range(choices.deals):
        say(f"{what}: deal {seed + 1} of {choices.deals}")
        rates.append(five_fold(fits, seed))
    return _line(choices, fits.table, what, rates, floor)


def _labels_line(
    choices: RoutingChoices, fits: RoutingFits, labels: int, what: str, floor: float | None
) -> Line:
    found = []
    for seed in range(choices.draws):
        say(f"{what}: draw {seed + 1} of {choices.draws}")
        found.append(few_labels(fits, labels, seed))
    return line_of(what, found, floor)


def _unlearned(choices: RoutingChoices, table: RoutingPrompts) -> Iterator[Line]:
    """What needs no labels: the packaged model as it is, and two rules."""
    packaged = packaged_win_rate(choices.predictor, table.prompts)
    yield _line(choices, table, "tierwise, packaged model as it is", [packaged])
    yield _line(choices, table, "keyword rule", [rule_win_rate(KeywordRule(), table.prompts)])
    yield _line(choices, table, "length rule", [rule_win_rate(LengthRule(), table.prompts)])


def _line(
    choices: RoutingChoices,
    table: RoutingPrompts,
    what: str,
    rates: list[np.ndarray[tuple[int], np.dtype[np.float64]]],
    floor: float | None = None,
) -> Line:
    """The mean over some win rates of the same prompts, with the bootstrap interval of all of them."""
    whole = line_of(what, [recovered(rate, table.scores) for rate in rates], floor)
    each = max(1, choices.resamples // len(rates))
    drawn = [draw.apgr for rate in rates for draw in bootstrapped(rate, table.scores, each)]
    return Line(what, whole.found, percentile_interval(np.array(drawn)), floor)


def _title(name: str, table: RoutingPrompts) -> str:
    weak, strong = table.scores.mean(axis=0)
    return f"{name}: {len(table):,} prompts, weak model {weak:.3f}, strong model {strong:.3f}"
