"""A tuned policy in words and tables, for a terminal of 100 columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from training.abstention_effect import AbstentionEffect
from training.resampling import Estimate
from training.routed_rows import TIER_NAMES
from training.routing_figures import RoutingFigures
from training.text_tables import aligned, printable, wrapped
from training.tuning import TunedPolicy

__all__ = ["tuning_text"]

HEAD = ("share, %", "under", "quality", "USD/1,000")
LEGEND = (
    "under: answered by too low a tier. quality: of always-premium's mean. share: cheap/balanced/premium, by "
    "the tier that answers."
)


def tuning_text(
    tuned: TunedPolicy, effect: AbstentionEffect | None, *, model: str, data: str, written: Path, version: str
) -> str:
    """Return the report, lines of at most 100 columns.

    Args:
        tuned: The policy.
        effect: What its abstaining does; None where it never abstains.
        model: Which model it was tuned for.
        data: Where the prompts come from.
        written: The model file.
        version: The version of the model in it.
    """
    best = tuned.best
    facts = [
        ("Model", printable(model)),
        ("Data", printable(data)),
        ("Prompts", _prompts(tuned)),
        ("Target", tuned.target.describe()),
        ("Policy", best.policy.describe()),
        *_bound(tuned),
    ]
    blocks = [
        "\n".join(_fact(name, value) for name, value in facts),
        wrapped(tuned.target.guarantee()),
        _families(tuned),
        _held_out(tuned),
        *_abstention(tuned, effect),
        wrapped(f"{LEGEND} {tuned.dollars}"),
        f"written    {written} (version {version})",
    ]
    return "\n\n".join(blocks)


def _fact(name: str, value: str) -> str:
    """Return a name and what is to be said of it, in lines of which all but the first are indented."""
    indent = " " * 11
    return name.ljust(11) + wrapped(value, indent).removeprefix(indent)


def _prompts(tuned: TunedPolicy) -> str:
    calibration, held_out = (int(each.prompts) for each in (tuned.best.calibration, tuned.best.held_out))
    return f"{calibration:,} distinct ones to choose by (calibration), {held_out:,} held out to judge by"


def _bound(tuned: TunedPolicy) -> Iterator[tuple[str, str]]:
    if tuned.bound is not None:
        found = tuned.best.calibration
        counted = f"{int(found.under_routed):,} of {int(found.prompts):,} calibration prompts under-routed"
        yield "Bound", f"{_percent(tuned.bound)}, from {counted}"


def _families(tuned: TunedPolicy) -> str:
    rows = [
        (_name(tuned, place), *_cells(candidate.calibration), *_cells(candidate.held_out)[1:])
        for place, candidate in enumerate(tuned.candidates)
    ]
    head = ("Calibration, then held out", *HEAD, *HEAD[1:])
    notes = [wrapped(f"{key}: {why}", "  ") for key, why in tuned.failures.items()]
    return "\n".join([aligned([head, *rows], indent=""), *notes])


def _name(tuned: TunedPolicy, place: int) -> str:
    candidate = tuned.candidates[place]
    knob = f"{'max_risk' if candidate.family.key == 'risk' else 'USD'} {candidate.knob:.4g}"
    return f"{'*' if candidate is tuned.best else ' '} {candidate.family.key} ({knob})"


def _held_out(tuned: TunedPolicy) -> str:
    rows = [("* this policy", *_cells(tuned.best.held_out))]
    rows += [("  95 % interval", "", *_intervals(tuned))]
    rows += [(f"  always {name}", *_cells(found)) for name, found in _scored(tuned)]
    table = aligned([("Held out", *HEAD), *rows], indent="")
    return "\n".join([table, *(wrapped(remark, "  ") for remark in _remarks(tuned))])


def _scored(tuned: TunedPolicy) -> list[tuple[str, RoutingFigures]]:
    """The tiers that answer for themselves: in a table of two tiers, not the third."""
    named = enumerate(zip(TIER_NAMES, tuned.rivals, strict=True))
    return [(name, found) for tier, (name, found) in named if found.shares[tier] == 1]


def _remarks(tuned: TunedPolicy) -> Iterator[str]:
    scored = dict(_scored(tuned))
    for name, found in zip(TIER_NAMES, tuned.rivals, strict=True):
        if name not in scored:
            stand_in = TIER_NAMES[int(np.argmax(found.shares))]
            yield f"{name} was not scored: {stand_in}'s answers stand for its own."
    ours = tuned.best.held_out
    for name, found in scored.items():
        if _is_as_good(found, ours) and found.usd_per_1000_prompts < ours.usd_per_1000_prompts:
            yield f"Always {name} does as well for fewer dollars: on such prompts this routing does not pay."


def _is_as_good(one: RoutingFigures, other: RoutingFigures) -> bool:
    return bool(
        one.quality_of_premium >= other.quality_of_premium and one.under_routing <= other.under_routing
    )


def _intervals(tuned: TunedPolicy) -> tuple[str, str, str]:
    under, quality, usd = (
        tuned.intervals[name] for name in ("under_routing", "quality_of_premium", "usd_per_1000_prompts")
    )
    return (_range(under), _range(quality), f"{usd.low:.3f}-{usd.high:.3f}")


def _range(estimate: Estimate) -> str:
    return f"{estimate.low * 100:.1f}-{estimate.high * 100:.1f} %"


def _abstention(tuned: TunedPolicy, effect: AbstentionEffect | None) -> Iterator[str]:
    if effect is None:
        return
    rows = [("  with abstaining", *_cells(tuned.best.held_out))]
    if effect.without is not None:
        rows.append(("  tuned without it", *_cells(effect.without.held_out)))
    if effect.abstaining is not None and effect.otherwise is not None:
        rows.append((f"  abstaining, to {effect.rule.safe_tier}", *_cells(effect.abstaining)))
        rows.append(("  the same prompts otherwise", *_cells(effect.otherwise)))
    head = f"Abstaining, on {effect.share * effect.prompts:,.0f} of {effect.prompts:,} held-out prompts"
    fails = wrapped(f"Without it: {effect.without_fails}", "  ") if effect.without is None else ""
    yield "\n".join(filter(None, [aligned([(head, *HEAD), *rows], indent=""), fails]))


def _cells(figures: RoutingFigures) -> tuple[str, ...]:
    return (
        "/".join(f"{share * 100:.0f}" for share in figures.shares),
        _percent(float(figures.under_routing)),
        _percent(float(figures.quality_of_premium)),
        f"{float(figures.usd_per_1000_prompts):.3f}",
    )


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %" if np.isfinite(share) else "–"
