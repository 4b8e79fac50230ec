"""Promotions, rollbacks and fetched models in words, for a terminal of 100 columns."""

from __future__ import annotations

from training.promotion import JUDGED_BY, Compared, Judgement, Standing
from training.promotion_record import Decision
from training.promotion_wording import changed, measured, reasons, span, title, warnings
from training.text_tables import aligned, printable, shortened, wrapped
from training.wording import percent

__all__ = ["decision_text"]

NAME_WIDTH = 26
MANY_LOOKS = 10
STANDINGS: dict[Standing, str] = {
    "held": "held",
    "fell": "FELL",
    "within chance": "within chance",
    "not judged": "not judged",
}


def decision_text(decision: Decision) -> str:
    """Return the decision: one line, what it rests on, and a table where there was a champion."""
    judgement = decision.judgement
    warned = [wrapped(printable(f"Warning: {each}")) for each in warnings(judgement)]
    blocks = [_verdict(decision), *warned, _head(decision)]
    if judgement.champion is not None:
        blocks += [_table(judgement), _rules(judgement)]
    return "\n\n".join([*blocks, _looks(decision)])


def _verdict(decision: Decision) -> str:
    word = "Promoted" if decision.promoted else "Refused"
    why = " ".join(reasons(decision.judgement))
    return wrapped(printable(f"{word}: {decision.name} version {decision.version}. {why}"))


def _head(decision: Decision) -> str:
    judgement, evaluation = decision.judgement, decision.evaluation
    rival = f"version {decision.champion}, model {judgement.champion}" if judgement.champion else "none yet"
    unseen = evaluation.part if evaluation.part != "all" else "all its"
    effective = judgement.criterion.effective_rows
    lines = [
        ("candidate", f"version {decision.version}, model {judgement.candidate}"),
        ("champion", rival),
        ("judged on", f"{printable(evaluation.source)}, {evaluation.digest[:12]}"),
        ("rows", f"{unseen} rows: {evaluation.rows:,}{_worth(evaluation.rows, effective)}"),
        ("criterion", judgement.terms.criterion_in_words),
        ("figures", _figures(judgement)),
    ]
    if evaluation.replaces:
        lines.insert(3, ("", f"a new set in place of {evaluation.replaces[:12]}, by --new-evaluation-set"))
    return "\n".join(f"{name:<10}  {value}" for name, value in lines)


def _worth(rows: int, effective: float) -> str:
    return "" if round(effective) == rows else f", which say as much as {effective:,.0f} of equal weight"


def _figures(judgement: Judgement) -> str:
    figures = judgement.figures
    shares = ("most_probable.accuracy", "choice.right_tier", "choice.under_routing")
    accuracy, right, under = (percent(figures[name]) for name in shares)
    usd = figures["choice.usd_per_1000_prompts"]
    return f"accuracy {accuracy}; choice right {right}, under-routed {under}, USD {usd:.3f} per 1,000 prompts"


def _table(judgement: Judgement) -> str:
    head = ("", "rows", "champion", "candidate", "change", "95 %", "")
    criterion = _row(judgement.criterion, "better" if judgement.better else "not better")
    others = (*judgement.guards, *judgement.slices)
    standings = [(found, judgement.standing(found)) for found in others]
    judged = [_row(found, STANDINGS[standing]) for found, standing in standings if standing != "not judged"]
    table = aligned([head, criterion, *judged], indent="")
    if not judgement.not_judged:
        return table
    least = judgement.terms.least_slice_rows
    small = "; ".join(filter(None, (_small(judgement, by) for by in JUDGED_BY)))
    return f"{table}\n\n{wrapped(f'Not judged, fewer than {least} effective rows: {small}.')}"


def _small(judgement: Judgement, by: str) -> str:
    """Name the slices along one property that were not judged, with their rows."""
    found = [part for part in judgement.not_judged if part.of.startswith(by)]
    names = [f"{printable(part.of.removeprefix(by).strip(' :'))} ({part.rows})" for part in found]
    return f"{by} {', '.join(names)}" if names else ""


def _row(found: Compared, standing: str) -> tuple[str, ...]:
    measure, difference = found.measure, found.difference
    return (
        shortened(title(found), NAME_WIDTH),
        f"{found.rows:,}",
        "–" if found.champion is None else measured(measure, found.champion),
        measured(measure, found.candidate),
        "–" if difference is None else changed(measure, difference.value),
        span(found),
        standing,
    )


def _rules(judgement: Judgement) -> str:
    terms = judgement.terms
    how = (
        "how often the most probable tier is right"
        if terms.poor_answer_usd is None
        else "how often the policy's choice under-routes"
    )
    sentences = [
        "Promoted is what is better by the criterion, the 95 % interval of the paired bootstrap"
        f" ({terms.resamples:,} draws, seed {terms.seed}) leaving 0 out, while nothing below it falls: by"
        f" more than {terms.margin * 100:g} points and by more than chance (95 % interval below 0).",
        f"Slices are judged by {how}, from {terms.least_slice_rows} effective rows on; rarer ones together.",
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
