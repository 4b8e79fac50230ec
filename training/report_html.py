"""An evaluation as one HTML file that needs nothing else: no scripts, no outside assets, light and dark.

Everything that comes from data (model and policy names, domains, languages) is escaped by the template
engine, and a content security policy forbids whatever the report does not use, should something slip through.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib import resources

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from training.evaluation import Evaluation, Measured
from training.measures import View
from training.picture_style import DARK, LIGHT, svg
from training.plots import figures
from training.rivals import Rival
from training.slices import Slice, SliceTable
from training.wording import (
    VIEW_TITLES,
    abstaining_sentence,
    figure,
    percent,
    percent_over,
    verdict_sentences,
)

__all__ = ["evaluation_html"]

CAPTIONS = {
    "confusion": "Needed tiers down, predicted or chosen tiers across: summed weights, and the share of each "
    "needed tier.",
    "reliability": "On the dotted line a probability means what it says. Larger dots hold more prompts.",
    "cost_quality": "The full line is this model's risk policy from max_risk 1 (left) to 0 (right), the "
    "dashed one its expected-cost policy over all costs of a poor answer. A rival above a line is beaten at "
    "its own price; one below it does better than that policy could.",
    "risk_share_curve": "As max_risk rises, prompts move to cheaper tiers and under-routing grows; it never "
    "falls. The dashed line is the policy's setting.",
}
SLICES_NOTE = (
    "Accuracy (95 % Wilson interval) and cheap-premium errors are of the most probable tier; under-routing, "
    "over-routing and dollars are of the policy's choice."
)


@dataclass(frozen=True, slots=True)
class Row:
    """A table row; `own` marks the rows of the evaluated model."""

    cells: tuple[str, ...]
    own: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A titled table."""

    title: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture for light and dark screens, as data URIs, with its caption."""

    light: str
    dark: str
    caption: str


def evaluation_html(evaluation: Evaluation) -> str:
    """Return the whole evaluation as an HTML document; the same evaluation gives the same text."""
    style = _packaged("report.css")
    template = Environment(autoescape=True, undefined=StrictUndefined).from_string(
        _packaged("report.html.j2")
    )
    return template.render(
        content_security_policy=_content_security_policy(style),
        style=Markup(style),  # noqa: S704 - our own packaged file, not data
        subject=evaluation.subject,
        prompts=f"{evaluation.rows:,}, of summed weight {evaluation.weight:,.1f}",
        intervals=f"95 %, {evaluation.resamples:,} bootstrap resamples, seed {evaluation.seed}",
        verdicts=list(filter(None, [*verdict_sentences(evaluation), abstaining_sentence(evaluation)])),
        assumptions=evaluation.cost_model.assumptions(),
        views=[_view(evaluation, view) for view in VIEW_TITLES],
        calibration=_calibration(evaluation),
        rivals=_rivals(evaluation),
        rival_notes=[
            f"{rival.title}: {rival.description}"
            for rival in evaluation.rivals
            if rival.kind not in ("model", "fixed")
        ],
        slices=[_slices(table) for table in evaluation.slices],
        slices_note=SLICES_NOTE,
        plots=_pictures(evaluation),
    )


def _packaged(name: str) -> str:
    return resources.files("training").joinpath(name).read_text(encoding="utf-8")


def _content_security_policy(style: str) -> str:
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def _pictures(evaluation: Evaluation) -> dict[str, Picture]:
    light, dark = (figures(evaluation, palette) for palette in (LIGHT, DARK))
    return {name: Picture(_uri(svg(light[name])), _uri(svg(dark[name])), CAPTIONS[name]) for name in light}


def _uri(drawing: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()


def _view(evaluation: Evaluation, view: View) -> Section:
    measured = [found for found in evaluation.measured if found.measure.view == view]
    rows = tuple(Row(_measured_cells(found)) for found in measured)
    return Section(VIEW_TITLES[view], ("", "value", "95 % interval"), rows)


def _measured_cells(found: Measured) -> tuple[str, str, str]:
    value, low, high = (
        figure(found.measure, number)
        for number in (found.estimate.value, found.estimate.low, found.estimate.high)
    )
    return (found.measure.title, value, f"{low} to {high}")


def _calibration(evaluation: Evaluation) -> Section:
    found = evaluation.calibration
    rows = (
        (
            "expected calibration error (top label, 15 equal-width bins, Guo et al. 2017)",
            f"{found.error:.3f}",
        ),
        (
            "what a perfectly calibrated model would show on these prompts, on average",
            f"{found.by_chance:.3f}",
        ),
        ("and what it would exceed in one case of twenty", f"{found.by_chance_high:.3f}"),
        ("class-wise calibration error (mean over the tiers)", f"{found.classwise:.3f}"),
    )
    return Section("Calibration", ("", "value"), tuple(Row(cells) for cells in rows))


def _rivals(evaluation: Evaluation) -> Section:
    balanced = evaluation.rival("always_balanced")
    head = (
        "",
        "cheap / balanced / premium",
        "USD per 1,000",
        "against always-balanced",
        "right tier",
        "under-routing",
        "over-routing",
        "cheap-premium errors",
    )
    rows = tuple(Row(_rival_cells(rival, balanced), rival.kind == "model") for rival in evaluation.rivals)
    return Section("Rivals", head, rows)


def _rival_cells(rival: Rival, balanced: Rival) -> tuple[str, ...]:
    rates = rival.rates
    return (
        rival.title,
        " / ".join(percent(share, 0) for share in rival.shares),
        f"{rival.usd_per_1000:.3f}",
        percent_over(rival, balanced),
        *map(percent, (rates.right, rates.under, rates.over, rates.cheap_premium)),
    )


def _slices(table: SliceTable) -> Section:
    head = (
        table.by,
        "prompts",
        "accuracy",
        "95 %",
        "cheap-premium errors",
        "under-routing",
        "over-routing",
        "USD per 1,000",
    )
    return Section(f"By {table.by}", head, tuple(Row(_slice_cells(part)) for part in table.slices))


def _slice_cells(part: Slice) -> tuple[str, ...]:
    accuracy = part.accuracy
    return (
        part.name,
        f"{part.rows:,}",
        percent(accuracy.value),
        f"{percent(accuracy.low, 0)} to {percent(accuracy.high, 0)}",
        *map(percent, (part.cheap_premium_errors, part.under_routing, part.over_routing)),
        f"{part.usd_per_1000:.3f}",
    )
