"""The report as a person reads it."""

import math
import shlex
from collections.abc import Iterator, Mapping, Sequence

from classifier import Tier
from serving.labelling.report import Report, TierFigures
from serving.labelling.stopping import Why
from serving.wording import counted, usd, wrapped

__all__ = ["go_on", "next_budget", "report_lines", "verdict"]

_COLUMNS = 100
_FEW = 30


def report_lines(report: Report) -> list[str]:
    """Return the report in lines."""
    simulated = " (simulated: no model was called, nothing was paid)" if report.settings.simulated else ""
    repeated = f"; {counted(report.repeated, 'repetition')} asked once" if report.repeated else ""
    lines = [
        f"labelled   {report.labelled:,} of {counted(report.prompts, 'prompt')}{repeated}{simulated}",
        *_reasons("unjudged", report.unjudged, "answered, without a verdict; not asked again"),
        *_reasons("failed", report.failed, "to be asked again by the next run"),
        *_reasons("not sent", report.not_sent, "the redactor failed"),
        *([f"remaining  {counted(report.remaining, 'prompt')}"] if report.remaining else []),
        *_dollars(report),
        *_tiers(report),
        *_trust(report),
    ]
    return [
        *lines,
        f"written    {report.out}" if report.labelled else "written    nothing: no prompt is labelled",
    ]


def verdict(report: Report) -> str:
    """Return, in one line, why the work is not done; empty when it is."""
    if not report.remaining:
        return ""
    left = f"{counted(report.remaining, 'prompt')} left to label"
    match report.why:
        case Why.BUDGET:
            return f"stopped by the budget of {usd(report.budget_usd)}: {report.reason}: {left}"
        case Why.INTERRUPTED:
            return f"interrupted: {left}"
        case None:
            return left
    return f"stopped: {report.reason}: {left}"


def go_on(arguments: Sequence[str], budget_usd: float | None = None) -> str:
    """Return the command that goes on with the work.

    Args:
        arguments: of this run's command.
        budget_usd: the budget that it needs; None for the same.

    >>> go_on(["label", "my prompts.txt", "--budget-usd", "5"], 8.0)
    "python -m serving label 'my prompts.txt' --budget-usd 8"
    """
    words = list(arguments)
    if budget_usd is not None:
        for place, word in enumerate(words):
            if word == "--budget-usd":
                words[place : place + 2] = ["--budget-usd", f"{budget_usd:g}"]
            elif word.startswith("--budget-usd="):
                words[place] = f"--budget-usd={budget_usd:g}"
    return f"python -m serving {shlex.join(words)}"


def next_budget(charged_usd: float, expected_usd: float, admission_usd: float) -> float:
    """Return a budget that will do for what is left, with a quarter more than expected, in two digits.

    >>> next_budget(4.98, 2.0, 0.01)
    7.5
    """
    wanted = charged_usd + expected_usd * 1.25 + admission_usd
    unit = 10.0 ** (math.floor(math.log10(wanted)) - 1) if wanted > 0 else 1.0
    return round(math.ceil(wanted / unit - 1e-9) * unit, 9)


def _reasons(what: str, reasons: Mapping[str, int], about: str) -> Iterator[str]:
    if reasons:
        yield f"{what:<10} {counted(sum(reasons.values()), 'prompt')} ({about})"
        for reason, count in sorted(reasons.items(), key=lambda each: -each[1])[:5]:
            yield from wrapped(f"{count:,}: {reason}", _COLUMNS, " " * 13)


def _dollars(report: Report) -> Iterator[str]:
    yield f"spent      {usd(report.charged_usd)} of {usd(report.budget_usd)}"
    if report.unknown:
        calls = counted(report.unknown, "call")
        yield f"           {usd(report.unknown_usd)} of it for {calls} whose answer was lost, charged at the"
        yield "           upper bound: only the upstream knows whether it billed them"


def _tiers(report: Report) -> Iterator[str]:
    if not report.tiers:
        return
    yield f"{'answers':<10} {'':<34} {'score':>6} {'USD each':>10} {'tokens':>7}  cheapest best"
    for tier, each in report.tiers.items():
        share = each.cheapest_best / report.labelled
        figures = f"{each.score:6.3f} {each.usd:10.6f} {each.tokens:7.0f}"
        yield f"  {tier!s:<8} {each.model:<34} {figures}  {each.cheapest_best:,} ({share:.0%})"
    yield from _cut_off(report.tiers)


def _cut_off(tiers: Mapping[Tier, TierFigures]) -> Iterator[str]:
    cut = {tier: each.cut_off for tier, each in tiers.items() if each.cut_off}
    if cut:
        counts = ", ".join(f"{count:,} {tier}" for tier, count in cut.items())
        yield f"           answers cut off at --max-tokens, and judged as they are: {counts}"


def _trust(report: Report) -> Iterator[str]:
    if report.settings.judge_is_candidate and report.labelled:
        yield f"judge      {report.settings.judge} judged its own answers too, perhaps too kindly"
    if len(report.places) > 1:
        places = ", ".join(f"{mean:.2f}" for mean in report.places)
        yield f"places     mean grade (1 to 5) of the answer shown first, second, third: {places}"
    agreement = report.agreement
    if agreement is None:
        return
    kappa = "not defined (all grades alike)" if agreement.kappa is None else f"{agreement.kappa:.2f}"
    few = " (few: take it as a hint)" if agreement.grades < _FEW else ""
    prompts = counted(agreement.prompts, "prompt")
    same = f"same grade {agreement.exact:.0%}, within one step {agreement.within_one:.0%}"
    yield f"agreement  {prompts} judged twice in swapped order, {agreement.grades:,} grades{few}:"
    yield f"           {same}, weighted kappa {kappa};"
    yield (
        f"           same cheapest best tier {agreement.same_label:.0%}; "
        f"first place over last {agreement.first_over_last:+.2f} steps"
    )
