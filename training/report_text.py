"""Evaluations and comparisons as tables for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from training.comparison import Comparison, Difference
from training.evaluation import Confusion, Evaluation, Measured
from training.measures import Measure, View
from training.resampling import Estimate
from training.rivals import Rival
from training.routed_rows import TIER_NAMES
from training.slices import Slice, SliceTable
from training.text_tables import aligned, printable, shortened, wrapped
from training.wording import (
    VIEW_TITLES,
    abstaining_sentence,
    change,
    figure,
    percent,
    percent_over,
    verdict_sentences,
)

__all__ = ["comparison_text", "evaluation_text"]

NAME_WIDTH = 30
SLICES_SHOWN = 15
SLICES_NOTE = (
    "Parts of the data. Accuracy and chp-prm (cheap for premium or the reverse) are of the most probable\n"
    "tier; under- and over-routing and dollars are of the policy's choice."
)


def evaluation_text(evaluation: Evaluation) -> str:
    """Return the whole evaluation as text, lines of at most 100 columns, ending in a newline."""
    blocks = [
        _head(evaluation),
        *(_view(evaluation, view) for view in VIEW_TITLES),
        _calibration(evaluation),
        _rivals(evaluation),
        *_abstained(evaluation),
        SLICES_NOTE,
        *(_slices(table) for table in evaluation.slices),
    ]
    return "\n\n".join(blocks) + "\n"


def comparison_text(comparison: Comparison) -> str:
    """Return the whole comparison as text, lines of at most 100 columns, ending in a newline."""
    head = f"A  {printable(comparison.first)}\nB  {printable(comparison.second)}"
    tables = [
        f"{title}\n" + _difference_table([d for d in comparison.differences if d.measure.view == view])
        for view, title in VIEW_TITLES.items()
    ]
    note = wrapped(
        f"95 % intervals of B - A from {comparison.resamples:,} paired resamples (seed {comparison.seed}). "
        "The verdict rests on the first line; of ten lines one may differ by accident now and then."
    )
    return "\n\n".join([wrapped(comparison.sentence()), head, *tables, note]) + "\n"


def _head(evaluation: Evaluation) -> str:
    subject = evaluation.subject
    lines = [
        ("Model", printable(subject.model)),
        ("Policy", printable(subject.policy)),
        ("Data", printable(subject.data)),
        ("Prompts", f"{evaluation.rows:,}, of summed weight {evaluation.weight:,.1f}"),
        ("Intervals", f"95 %, {evaluation.resamples:,} bootstrap resamples, seed {evaluation.seed}"),
    ]
    return "\n".join(f"{name:<10} {value}" for name, value in lines)


def _view(evaluation: Evaluation, view: View) -> str:
    measured = [found for found in evaluation.measured if found.measure.view == view]
    table = [("", "value", "95 % interval"), *(_measured_row(found) for found in measured)]
    confusion = _confusion_table(evaluation.confusions[view], "chosen" if view == "choice" else "predicted")
    return f"{VIEW_TITLES[view]}\n{aligned(table)}\n\n{confusion}"


def _measured_row(found: Measured) -> tuple[str, str, str]:
    return (
        found.measure.title,
        figure(found.measure, found.estimate.value),
        _interval(found.measure, found.estimate),
    )


def _interval(measure: Measure, estimate: Estimate) -> str:
    return f"{figure(measure, estimate.low)} to {figure(measure, estimate.high)}"


def _interval_of_change(measure: Measure, estimate: Estimate) -> str:
    return f"{change(measure, estimate.low)} to {change(measure, estimate.high)}"


def _confusion_table(confusion: Confusion, verb: str) -> str:
    head = ("needed", *(f"{verb} {name}" for name in TIER_NAMES))
    rows = [(name, *map(_weight, cells)) for name, cells in zip(TIER_NAMES, confusion, strict=True)]
    return aligned([head, *rows])


def _weight(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def _calibration(evaluation: Evaluation) -> str:
    found = evaluation.calibration
    table = [
        ("expected calibration error", f"{found.error:.3f}"),
        ("  a perfectly calibrated model here, mean", f"{found.by_chance:.3f}"),
        ("  and in one case of twenty above", f"{found.by_chance_high:.3f}"),
        ("class-wise calibration error", f"{found.classwise:.3f}"),
    ]
    return f"Calibration (top label, 15 equal-width bins, Guo et al. 2017)\n{aligned(table)}"


def _rivals(evaluation: Evaluation) -> str:
    balanced = evaluation.rival("always_balanced")
    head = ("", "share c/b/p", "USD/1,000", "vs bal.", "right", "under", "over", "chp-prm")
    table = aligned([head, *(_rival_row(rival, balanced) for rival in evaluation.rivals)])
    words = [*verdict_sentences(evaluation), evaluation.cost_model.assumptions()]
    rules = [f"{rival.title}: {rival.description}." for rival in evaluation.rivals if rival.kind == "rule"]
    text = "\n".join(wrapped(sentence, "  ") for sentence in [*words, *rules])
    return f"Cost and quality against the rivals\n{table}\n\n{text}"


def _rival_row(rival: Rival, balanced: Rival) -> tuple[str, ...]:
    rates = rival.rates
    shares = "/".join(f"{share * 100:3.0f}" for share in rival.shares)
    gaps = map(percent, (rates.right, rates.under, rates.over, rates.cheap_premium))
    return (rival.title, f"{shares} %", f"{rival.usd_per_1000:.3f}", percent_over(rival, balanced), *gaps)


def _abstained(evaluation: Evaluation) -> Iterator[str]:
    sentence = abstaining_sentence(evaluation)
    if sentence:
        yield f"Abstaining\n{wrapped(sentence, '  ')}"


def _slices(table: SliceTable) -> str:
    head = (
        f"By {printable(table.by)}",
        "prompts",
        "accuracy",
        "95 %",
        "chp-prm",
        "under",
        "over",
        "USD per 1,000",
    )
    shown = table.slices[:SLICES_SHOWN]
    text = aligned([head, *map(_slice_row, shown)], indent="")
    rest = len(table.slices) - len(shown)
    more = f"\n  and {rest} smaller ones: the JSON and HTML reports list them all" if rest else ""
    return text + more


def _slice_row(part: Slice) -> tuple[str, ...]:
    accuracy = part.accuracy
    shares = (part.cheap_premium_errors, part.under_routing, part.over_routing)
    return (
        f"  {shortened(part.name, NAME_WIDTH)}",
        f"{part.rows:,}",
        percent(accuracy.value),
        f"{accuracy.low * 100:.0f}-{accuracy.high * 100:.0f}",
        *map(percent, shares),
        f"{part.usd_per_1000:.3f}",
    )


def _difference_table(differences: Iterable[Difference]) -> str:
    rows = [
        (
            found.measure.title,
            figure(found.measure, found.first),
            figure(found.measure, found.second),
            change(found.measure, found.difference.value),
            _interval_of_change(found.measure, found.difference),
            f"B is {found.verdict}" if found.verdict != "not told apart" else found.verdict,
        )
        for found in differences
    ]
    return aligned([("", "A", "B", "B - A", "95 % interval", ""), *rows])
