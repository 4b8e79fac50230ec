"""Cost and quality as tables for a terminal of 100 columns."""

from __future__ import annotations

import math
from collections.abc import Iterator

from training.cost_quality_areas import Area
from training.cost_quality_result import CostQuality, Mark
from training.cost_quality_targets import Price, Target
from training.curve_remarks import remarks
from training.resampling import LEVEL, Estimate
from training.text_tables import aligned, printable, shortened, wrapped
from training.wording import percent

__all__ = ["cost_quality_text"]

NAME_WIDTH = 50
NEGLIGIBLE = 1e-9
HALF_A_PERCENT = 0.005


def cost_quality_text(found: CostQuality) -> str:
    """Return everything as text, lines of at most 100 columns, ending in a newline."""
    words = [wrapped(sentence, "  ") for sentence in _conclusions(found)]
    notes = [wrapped(f"note: {remark}") for remark in remarks(found)]
    blocks = [_head(found), _marks(found), _areas(found), _targets(found), "\n".join(words), *notes]
    return "\n\n".join(blocks) + "\n"


def _head(found: CostQuality) -> str:
    models = ", ".join(shortened(name, NAME_WIDTH) for name in found.named_tiers)
    lines = [
        ("Model", printable(f"{found.model}, {found.policy}")),
        ("Outcomes", f"{found.prompts:,} prompts, each counted once: {models}"),
        ("Quality", f"mean score, 0 to 1; the tiers differ on {percent(found.differ, 0)} of the prompts"),
        ("Dollars", f"US dollars per 1,000 prompts. {found.basis_words}"),
        ("Intervals", f"95 %, {found.resamples:,} paired resamples of the prompts, seed {found.seed}"),
    ]
    return "\n".join(f"{name:<11}{wrapped(value, ' ' * 11).lstrip()}" for name, value in lines)


def _marks(found: CostQuality) -> str:
    tiers = "/".join(tier.label[0] for tier in found.tiers)
    head = ("", f"{tiers} %", "USD", "95 %", "quality", "95 %", "over mix", "95 %")
    table = aligned([head, *map(_mark, found.marks)])
    note = wrapped("over mix: quality above what a random mix of the tiers reaches for the same money", "  ")
    return f"As it is set\n{table}\n{note}"


def _mark(mark: Mark) -> tuple[str, ...]:
    over = mark.over_mix
    on_it = mark.kind == "fixed" and abs(over.value) < NEGLIGIBLE
    return (
        mark.title,
        "/".join(f"{share * 100:.0f}" for share in mark.shares),
        _usd(mark.usd_per_1000.value),
        _usd_interval(mark.usd_per_1000),
        _number(mark.quality.value),
        _interval(mark.quality),
        "–" if on_it else _number(over.value, "+.3f"),
        "" if on_it else _interval(over, "+.3f"),
    )


def _areas(found: CostQuality) -> str:
    two_tier = len(found.tiers) == 2
    measure = ("APGR", "95 %", "CPT50/80 %") if two_tier else ("gap/cost", "95 %")
    head = ("", *measure, "AIQ", "95 %", "over mix", "95 %")
    table = aligned([head, *(_area(area, two_tier) for area in found.areas)])
    ours = (
        "APGR and CPT: RouteLLM's, chance 0.5 and 50/80; "
        if two_tier
        else "gap/cost: ours, the share of the gap between always cheapest and always dearest that is"
        " recovered, on average over the dollars between them; 0.5 by a random mix of these two. "
    )
    note = (
        f"{ours}AIQ: RouterBench's, mean quality of the non-decreasing hull over the dollars from cheapest to"
        " dearest; it keeps lucky points. over mix: mean quality above the random mix over the same dollars."
    )
    return f"Over all settings\n{table}\n{wrapped(note, '  ')}"


def _area(area: Area, two_tier: bool) -> tuple[str, ...]:
    main = area.apgr if two_tier else area.gap_over_cost
    cells = ["–", ""] if main is None else [_number(main.value), _interval(main)]
    if two_tier:
        cells.append("/".join(_hundredths(calls) for calls in (area.cpt50, area.cpt80)))
    over = area.over_mix
    mixed = ("–", "") if over is None else (_number(over.value, "+.3f"), _interval(over, "+.3f"))
    return (area.title, *cells, _number(area.aiq.value), _interval(area.aiq), *mixed)


def _targets(found: CostQuality) -> str:
    high = found.ends[1]
    head = ("", *(f"{percent(target.share, 0)} ({_number(target.quality)})" for target in found.targets))
    rows = [(high.title, *[_usd(high.usd_per_1000.value)] * len(found.targets))]
    rows += _target_rows(found)
    cells = [cell for row in rows for cell in row]
    text = f"Dollars for a share of the quality of {high.title}\n{aligned([head, *rows])}"
    if any(" x " in cell for cell in cells):
        text += "\n  x: times the dollars of it, where nothing is saved"
    if any("*" in cell for cell in cells):
        text += "\n  * not reached in some of the resamples; the interval is of the others"
    return text


def _target_rows(found: CostQuality) -> Iterator[tuple[str, ...]]:
    for first in found.targets[0].prices:
        yield (_title(found, first.key), *(_price(target.price(first.key)) for target in found.targets))
        if first.key == found.best_knob:
            yield (
                f"  saved, {found.ends[1].title}",
                *(_saved(target, first.key) for target in found.targets),
            )
            if first.under_balanced is not None:
                yield (
                    "  saved, always balanced",
                    *(_saved_over_balanced(target, first.key) for target in found.targets),
                )


def _title(found: CostQuality, key: str) -> str:
    titles = {mark.key: mark.title for mark in found.marks} | {area.key: area.title for area in found.areas}
    return titles[key]


def _price(price: Price) -> str:
    if not price.is_reached:
        return "not reached"
    star = "*" if price.reached < LEVEL else ""
    return f"{_usd(price.usd_per_1000.value)} ({_usd_interval(price.usd_per_1000)}){star}"


def _saved(target: Target, key: str) -> str:
    return _percentages(target.price(key).under_premium)


def _saved_over_balanced(target: Target, key: str) -> str:
    saved = target.price(key).under_balanced
    return "–" if saved is None else _percentages(saved)


def _percentages(saved: Estimate) -> str:
    if math.isnan(saved.value):
        return "–"
    if saved.value < -HALF_A_PERCENT:
        return f"{1 - saved.value:.1f} x ({1 - saved.high:.1f}-{1 - saved.low:.1f})"
    value, low, high = (round(share, 2) + 0.0 for share in (saved.value, saved.low, saved.high))
    return f"{percent(value, 0)} ({low * 100:.0f} to {high * 100:.0f})"


def _conclusions(found: CostQuality) -> Iterator[str]:
    best, high = found.best_knob, found.ends[1]
    middle = found.targets[1]
    price, mix = middle.price(best), middle.price("random_mix")
    if price.is_reached and high.usd_per_1000.value > 0:
        yield (
            f"For {percent(middle.share, 0)} of the quality of {high.title} the {_title(found, best)}, takes"
            f" USD {_usd(price.usd_per_1000.value)}, the random mix {_usd(mix.usd_per_1000.value)}, and"
            f" {high.title} {_usd(high.usd_per_1000.value)}. The setting is picked on these same prompts:"
            " before counting on it, set it on other ones (python -m training tune)."
        )
    yield (
        "Dollars between two settings are those of both mixed by lot. "
        + ". ".join(
            f"{mark.title.capitalize()}: {mark.description}"
            for mark in found.marks
            if mark.kind in ("rule", "bound")
        )
        + "; scaled: both lengths times a factor."
    )


def _hundredths(estimate: Estimate | None) -> str:
    return "–" if estimate is None or math.isnan(estimate.value) else f"{estimate.value * 100:.1f}"


def _usd(value: float) -> str:
    """Dollars in few digits, whatever the scale of the bills."""
    size = abs(value)
    return _number(value, ".3f" if size == 0 or 0.1 <= size < 100 else ".1f" if size >= 100 else "#.2g")


def _usd_interval(estimate: Estimate) -> str:
    return "–" if math.isnan(estimate.low) else f"{_usd(estimate.low)}-{_usd(estimate.high)}"


def _number(value: float, form: str = ".3f") -> str:
    return "–" if math.isnan(value) else format(value if form == "#.2g" else round(value, 3) + 0.0, form)


def _interval(estimate: Estimate, form: str = ".3f") -> str:
    if math.isnan(estimate.low):
        return "–"
    to = "-" if form == ".3f" else " "
    return f"{_number(estimate.low, form)}{to}{_number(estimate.high, form)}"
