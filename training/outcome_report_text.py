"""The report on a table of outcomes, for a terminal."""

import shlex
from collections.abc import Sequence

from training.outcome_report import OutcomeReport, TierOutcomes
from training.text_tables import WIDTH, aligned, shortened, wrapped

__all__ = ["next_commands", "outcome_report_text"]


def outcome_report_text(report: OutcomeReport, written: str, commands: Sequence[str]) -> str:
    """Return the report, what was written, and what to run next."""
    parts = [
        _entry("outcomes", _outcomes(report)),
        _entry("left out", _left_out(report)),
        aligned(_table(report), indent=""),
        _entry("solved", _solved(report)),
        _entry("weights", f"sum {report.weight:,.1f}: a prompt counts for what a wrong choice would lose"),
        _entry("noise", _noise(report)),
        *(_entry("warning", warning) for warning in report.warnings),
        _entry("written", f"{written}: {report.prompts:,} labelled prompts, with their outcomes"),
        f"next      {commands[0]}",
        *(" " * 10 + command for command in commands[1:]),
    ]
    return "\n".join(parts)


def next_commands(out: str, model: str, tiers: Sequence[str]) -> list[str]:
    """Return what to run on the labelled set; with two tiers, training has to be told."""
    out, model = shlex.quote(out), shlex.quote(model)
    two = f" --tiers {' '.join(tiers)}" if len(tiers) == 2 else ""
    return [
        f"python -m training train {out} --settings outcomes{two} --out {model}",
        f"python -m training curve {model} {out}",
    ]


def _entry(name: str, text: str) -> str:
    return (
        f"{name:<10}" + wrapped(text, indent=" " * 10).strip()
        if len(text) > WIDTH - 10
        else f"{name:<10}{text}"
    )


def _outcomes(report: OutcomeReport) -> str:
    text = f"{report.rows:,} rows, {report.prompts:,} different prompts"
    if report.disagreeing:
        text += f"; {report.disagreeing:,} with different scores of one model: their mean is taken"
    return text


def _left_out(report: OutcomeReport) -> str:
    found = report.left_out
    counts = {
        "bad rows": found.bad,
        "contaminated rows": found.contaminated,
        "without a score of every tier": found.incomplete,
        "rows of other models": found.unnamed,
    }
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count) or "nothing"


def _table(report: OutcomeReport) -> list[list[str]]:
    head = ["tier", "model", "labels", "share", "best alone", "mean score", "USD per 1,000"]
    return [head, *([str(part.tier), *_cells(part, report.prompts)] for part in report.tiers)]


def _cells(part: TierOutcomes, prompts: int) -> list[str]:
    usd = "unknown" if part.mean_usd is None else f"{1000 * part.mean_usd:,.3f}"
    share = f"{part.labels / prompts:.1%}"
    model = shortened(part.model, 30)
    return [model, f"{part.labels:,}", share, f"{part.best_alone:,}", f"{part.mean_score:.3f}", usd]


def _solved(report: OutcomeReport) -> str:
    nobody, everybody = (_of(count, report.prompts) for count in (report.nobody, report.everybody))
    return f"by nobody {nobody}, by every tier {everybody} (a score of 0.5 or more)"


def _of(count: int, total: int) -> str:
    return f"{count:,} ({count / total:.1%})"


def _noise(report: OutcomeReport) -> str:
    if report.noise is None:
        return "unknown: no model has two scores for one prompt, so some labels are luck"
    parts = [f"{part.tier} {part.noise:.3f}" for part in report.tiers if part.noise is not None]
    text = (
        f"standard deviation {report.noise:.3f} between scores of one model for one prompt"
        f" ({', '.join(parts)}; from {report.noise_prompts:,} prompts)"
    )
    if report.shaky is not None:
        text += (
            f"; of the labels above the lowest tier {report.shaky:.1%} rest on a difference of less than"
            " twice its standard error"
        )
    return text
