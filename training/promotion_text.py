"""Promotions, rollbacks and fetched models in words, for a terminal of 100 columns."""

from __future__ import annotations

from training.measures import Measure
from training.promotion import Compared, Judgement, Standing
from training.promotion_record import Decision, reasons
from training.text_tables import aligned, printable, shortened, wrapped
from training.wording import change, percent

__all__ = ["decision_text"]

NAME_WIDTH = 34
MANY_LOOKS = 10
STANDINGS: dict[Standing, str] = {
    "held": "held",
    "fell": "FELL",
    "within chance": "lower, within chance",
    "not judged": "not judged",
}


def decision_text(decision: Decision) -> str:
    """Return the decision: one line, what it rests on, and a table where there was a champion."""
    judgement = decision.judgement
    blocks = [_verdict(decision), _head(decision)]
    if judgement.champion is not None:
        blocks += [_table(judgement), _rules(judgement)]
    return "\n\n".join([*blocks, _looks(decision)])


def _verdict(decision: Decision) -> str:
    word = "Promoted" if decision.promoted else "Refused"
    why = " ".join(reasons(decision.judgement))
    return printable(f"{word}: {decision.name} version {decision.version}. {why}")


def _head(decision: Decision) -> str:
    judgement, evaluation = decision.judgement, decision.evaluation
    rival = f"version {decision.champion}, model {judgement.champion}" if judgement.champion else "none yet"
    part = (
        "all rows"
        if evaluation.part == "all"
        else f"the {evaluation.part} rows, which no model was fitted on"
    )
    effective = judgement.criterion.effective_rows
    lines = [
        ("candidate", f"version {decision.version}, model {judgement.candidate}"),
        ("champion", rival),
        ("judged on", f"{printable(evaluation.source)}, {evaluation.digest[:12]}: {part}"),
        ("rows", f"{evaluation.rows:,}, as good as {effective:,.0f} of equal weight"),
        ("criterion", f"{judgement.criterion.measure.title}: {_figure_of(judgement)}"),
    ]
    if evaluation.replaces:
        lines.insert(3, ("new set", f"in place of {evaluation.replaces[:12]}, by --new-evaluation-set"))
    return "\n".join(f"{name:<11} {value}" for name, value in lines)


def _figure_of(judgement: Judgement) -> str:
    found = judgement.criterion
    ours = _figure(found.measure, found.candidate)
    if found.champion is None or found.difference is None:
        return ours
    return f"{ours} against {_figure(found.measure, found.champion)}, {_interval(found)}"


def _table(judgement: Judgement) -> str:
    head = ("", "rows", "champion", "candidate", "change", "95 %", "")
    criterion = _row(judgement.criterion, "better" if judgement.better else "not better")
    others = (*judgement.guards, *judgement.slices)
    rows = [criterion, *(_row(found, STANDINGS[judgement.standing(found)]) for found in others)]
    return aligned([head, *rows], indent="")


def _row(found: Compared, standing: str) -> tuple[str, ...]:
    measure, difference = found.measure, found.difference
    name = found.of if found.of != "all" else _short(measure)
    low, high = (difference.low, difference.high) if difference else (float("nan"), float("nan"))
    return (
        shortened(name, NAME_WIDTH),
        f"{found.rows:,}",
        "–" if found.champion is None else _figure(measure, found.champion),
        _figure(measure, found.candidate),
        "–" if difference is None else _change(measure, difference.value),
        f"{_bare(measure, low)} to {_bare(measure, high)}",
        standing,
    )


def _rules(judgement: Judgement) -> str:
    terms = judgement.terms
    looks_at = "most probable tier" if terms.poor_answer_usd is None else "policy's choice"
    sentences = [
        "Promoted is what is better by the criterion, the 95 % interval of the paired bootstrap"
        f" ({terms.resamples:,} draws, seed {terms.seed}) leaving 0 out, while nothing below it falls: by"
        f" more than {terms.margin * 100:g} points and by more than chance (95 % interval below 0).",
        f"Slices are judged by the share of right tiers of the {looks_at}, from {terms.least_slice_rows}"
        " effective rows on; fewer say nothing.",
    ]
    if terms.poor_answer_usd is not None:
        sentences.append(terms.cost_model.assumptions())
    return "\n".join(wrapped(sentence) for sentence in sentences)


def _looks(decision: Decision) -> str:
    looks = decision.evaluation.looks
    count = "the first promotion" if looks == 1 else f"promotion number {looks:,}"
    text = f"This is {count} that this evaluation set decides."
    if looks > 1:
        text += " Each time a candidate that is no better passes by luck in 1 case of 40, and luck adds up."
    if looks >= MANY_LOOKS:
        text += " Time for a new set: --new-evaluation-set."
    return wrapped(text)


def _short(measure: Measure) -> str:
    if _is_share(measure):
        return f"{'choice' if measure.view == 'choice' else 'all'}: {measure.title}"
    return "expected cost"


def _is_share(measure: Measure) -> bool:
    return measure.key in ("accuracy", "right_tier", "under_routing")


def _figure(measure: Measure, value: float) -> str:
    return percent(value) if _is_share(measure) else f"{value:.3f}"


def _change(measure: Measure, value: float) -> str:
    return change(measure, value) if _is_share(measure) else f"{value:+.3f}"


def _bare(measure: Measure, value: float) -> str:
    return f"{value * 100:+.1f}" if _is_share(measure) else f"{value:+.3f}"


def _interval(found: Compared) -> str:
    difference = found.difference
    if difference is None:
        return ""
    ends = f"{_bare(found.measure, difference.low)} to {_bare(found.measure, difference.high)}"
    return f"{_change(found.measure, difference.value)} (95 % {ends})"
