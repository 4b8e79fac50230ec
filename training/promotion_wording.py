"""The figures of a promotion and the reasons for a decision in words, the same on a terminal and in tags."""

from __future__ import annotations

from collections.abc import Sequence

from training.measures import Measure
from training.promotion import Compared, Judgement
from training.text_tables import printable
from training.wording import change, percent

__all__ = ["changed", "listed", "measured", "reasons", "span", "title", "warnings"]

NAMED = 4  # fallen slices in the sentence that says why; the table has them all
SHARES = ("accuracy", "right_tier", "under_routing")


def reasons(judgement: Judgement) -> tuple[str, ...]:
    """Return why, a sentence for each condition that mattered."""
    found = judgement.criterion
    if judgement.champion is None:
        return (f"There is no champion to beat; {title(found)} {measured(found.measure, found.candidate)}.",)
    sentences = [f"{_comparison(judgement)}: {_figures(found)}."]
    if judgement.fallen:
        points = f"{judgement.terms.margin * 100:g} points"
        sentences.append(f"Worse by more than {points}: {listed(judgement.fallen, at_most=NAMED)}.")
    elif judgement.better:
        sentences.append("Nothing else fell.")
    return tuple(sentences)


def warnings(judgement: Judgement) -> tuple[str, ...]:
    """Return what did not decide and should be known, a sentence each."""
    found = judgement.constant
    if found is None or found.champion is None or found.gain.low > 0:
        return ()
    ours, theirs = measured(found.measure, found.candidate), measured(found.measure, found.champion)
    told = "is worse than" if found.gain.high < 0 else "cannot be told from"
    return (
        f"It {told} sending every prompt to one tier, {found.of}: {found.measure.title} {ours} against"
        f" {theirs} (95 % {span(found)}).",
    )


def listed(found: Sequence[Compared], at_most: int | None = None) -> str:
    """Return the names of guards and slices, with commas; of more than `at_most` the number of the rest."""
    names = [printable(title(each)) for each in found[:at_most]]
    rest = len(found) - len(names)
    return ", ".join(names) + (f" and {rest} more" if rest else "")


def title(found: Compared) -> str:
    """Return what a line of the comparison is about: a slice, or a measure on all rows."""
    if found.of != "all":
        return found.of
    return f"choice: {found.measure.title}" if found.measure.key in SHARES[1:] else found.measure.title


def measured(measure: Measure, value: float) -> str:
    """Return a figure: shares in per cent, dollars as numbers."""
    return percent(value) if measure.key in SHARES else f"{value:.3f}"


def changed(measure: Measure, value: float) -> str:
    """Return a difference with its sign; of shares, in percentage points."""
    return change(measure, value) if measure.key in SHARES else f"{value:+.3f}"


def span(found: Compared) -> str:
    """Return the interval of the difference; a dash where there is none."""
    difference = found.difference
    if difference is None:
        return "–"
    scale, digits = (100, 1) if found.measure.key in SHARES else (1, 3)
    return f"{difference.low * scale:+.{digits}f} to {difference.high * scale:+.{digits}f}"


def _comparison(judgement: Judgement) -> str:
    gain = judgement.criterion.gain
    if gain.low > 0:
        return "It is better"
    return "It is worse" if gain.high < 0 else "It cannot be told from the champion"


def _figures(found: Compared) -> str:
    if found.champion is None or found.difference is None:
        return measured(found.measure, found.candidate)
    ours, theirs = measured(found.measure, found.candidate), measured(found.measure, found.champion)
    gap = changed(found.measure, found.difference.value)
    return f"{title(found)} {ours} against {theirs}, {gap} (95 % {span(found)})"
