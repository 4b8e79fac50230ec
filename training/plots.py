"""The pictures of an evaluation.

Every picture is drawn in a palette, light or dark, so that a report can follow its reader's screen.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure

from training.evaluation import Confusion, Evaluation
from training.picture_style import LIGHT, Palette, add_legend, canvas, label_point
from training.rivals import Rival
from training.routed_rows import TIER_NAMES

__all__ = ["PLOTS", "figures"]

UNDER_ROUTING_TARGET = 0.10
LABEL_OFFSETS = {"fixed": (6, -11), "rule": (6, -11), "random": (6, 6), "bound": (6, -11)}  # in points
MARKER_SCALE = 0.7


def figures(evaluation: Evaluation, palette: Palette = LIGHT) -> dict[str, Figure]:
    """Return every picture of an evaluation under a stable name."""
    return {name: plot(evaluation, palette) for name, plot in PLOTS.items()}


def confusion_plot(evaluation: Evaluation, palette: Palette) -> Figure:
    """Draw both confusion tables: shares of each needed tier in colour, summed weights in figures."""
    figure, (left, right) = canvas(palette, 2, height=3.6)
    _draw_confusion(left, evaluation.confusions["most_probable"], palette)
    left.set_title("Most probable tier")
    left.set_xlabel("predicted")
    _draw_confusion(right, evaluation.confusions["choice"], palette)
    right.set_title("The policy's choice")
    right.set_xlabel("chosen")
    left.set_ylabel("needed")
    return figure


def reliability_plot(evaluation: Evaluation, palette: Palette) -> Figure:
    """Draw accuracy against top probability, bin by bin, over the share of prompts in each bin."""
    figure, (axes,) = canvas(palette, 1, height=4.2)
    bins = [part for part in evaluation.calibration.bins if part.rows]
    middles = [(part.above + part.to) / 2 for part in bins]
    width = evaluation.calibration.bins[0].to
    axes.bar(middles, [part.share for part in bins], width, color=palette.faint, label="share of prompts")
    axes.plot([0, 1], [0, 1], color=palette.text, linewidth=1, linestyle=":", label="perfect calibration")
    confidence = [np.nan if part.confidence is None else part.confidence for part in bins]
    accuracy = [np.nan if part.accuracy is None else part.accuracy for part in bins]
    sizes = [20 + 400 * part.share for part in bins]
    axes.plot(confidence, accuracy, color=palette.accent, linewidth=1.2)
    axes.scatter(confidence, accuracy, sizes, color=palette.accent, label="accuracy", zorder=3)
    axes.set(xlim=(1 / 3 - 0.02, 1.02), ylim=(0, 1.02), xlabel="probability of the most probable tier")
    axes.set_ylabel("accuracy, share")
    axes.set_title(f"Reliability (expected calibration error {evaluation.calibration.error:.3f})")
    add_legend(axes, palette, marker_scale=MARKER_SCALE)
    return figure


def risk_plot(evaluation: Evaluation, palette: Palette) -> Figure:
    """Draw the share of each tier, and under- and over-routing, as `max_risk` moves."""
    figure, (left, right) = canvas(palette, 2, height=4.0)
    points = evaluation.curve.points
    risks = [point.max_risk for point in points]
    shares = np.array([point.shares for point in points]).T
    left.stackplot(risks, shares, labels=TIER_NAMES, colors=palette.tiers)
    left.set(
        title="Share of each tier", xlabel="max_risk", ylabel="share of prompts", xlim=(0, 1), ylim=(0, 1)
    )
    right.plot(risks, [point.rates.under for point in points], color=palette.warning, label="under-routing")
    right.plot(risks, [point.rates.over for point in points], color=palette.accent, label="over-routing")
    right.axhline(UNDER_ROUTING_TARGET, color=palette.warning, linewidth=0.8, linestyle=":", label="10 %")
    right.set(title="Under- and over-routing", xlabel="max_risk", xlim=(0, 1), ylim=(0, 1))
    for axes in (left, right):
        _mark_policy(axes, evaluation, palette)
        add_legend(axes, palette, marker_scale=MARKER_SCALE)
    return figure


def cost_plot(evaluation: Evaluation, palette: Palette) -> Figure:
    """Draw under-routing against dollars: both policies at every setting, and the rivals as points."""
    figure, (axes,) = canvas(palette, 1, height=4.6)
    under = [point.rates.under for point in evaluation.curve.points]
    axes.plot(evaluation.curve_usd_per_1000, under, color=palette.accent, label="this model, any max_risk")
    prices = [point.usd_per_1000 for point in evaluation.cost_curve]
    lost = [point.under_routing for point in evaluation.cost_curve]
    axes.plot(prices, lost, color=palette.accent, linestyle="--", label="this model, expected-cost policy")
    choice = evaluation.rival("choice")
    axes.scatter(
        [choice.usd_per_1000], [choice.rates.under], 90, palette.accent, label="the policy", zorder=4
    )
    for rival in _apart(evaluation):
        axes.scatter([rival.usd_per_1000], [rival.rates.under], 28, palette.text, zorder=3)
        spot, offset = (rival.usd_per_1000, rival.rates.under), LABEL_OFFSETS[rival.kind]
        label_point(axes, rival.title, spot, offset, palette)
    axes.set(xlabel="US dollars per 1,000 prompts (assumed answer lengths)", ylabel="under-routing, share")
    axes.set_title("Quality lost against money spent: lower left is better")
    axes.margins(x=0.18, y=0.08)
    add_legend(axes, palette, marker_scale=MARKER_SCALE)
    return figure


PLOTS: dict[str, Callable[[Evaluation, Palette], Figure]] = {
    "confusion": confusion_plot,
    "reliability": reliability_plot,
    "risk_share_curve": risk_plot,
    "cost_quality": cost_plot,
}


def _draw_confusion(axes: Axes, confusion: Confusion, palette: Palette) -> None:
    table = np.array(confusion)
    needed = table.sum(axis=1, keepdims=True)
    shares = np.divide(table, needed, out=np.zeros_like(table), where=needed > 0)
    colours = LinearSegmentedColormap.from_list("shares", [palette.background, palette.accent])
    axes.imshow(shares, cmap=colours, vmin=0, vmax=1)
    axes.set_xticks(range(len(TIER_NAMES)), TIER_NAMES)
    axes.set_yticks(range(len(TIER_NAMES)), TIER_NAMES)
    for row, column in np.ndindex(table.shape):
        colour = _readable_on(to_rgb(colours(shares[row, column])), palette)
        words = f"{table[row, column]:,.4g}\n{shares[row, column] * 100:.0f} %"
        axes.text(column, row, words, ha="center", va="center", color=colour, fontsize=9)


def _readable_on(colour: tuple[float, float, float], palette: Palette) -> str:
    """Return the palette's text or background colour, whichever stands out more."""

    def contrast(candidate: str) -> float:
        light, dark = sorted((_luminance(to_rgb(candidate)), _luminance(colour)), reverse=True)
        return (light + 0.05) / (dark + 0.05)

    return max((palette.text, palette.background), key=contrast)


def _luminance(colour: tuple[float, float, float]) -> float:
    """Return the relative luminance of an sRGB colour, in [0, 1] (WCAG 2.1)."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def _mark_policy(axes: Axes, evaluation: Evaluation, palette: Palette) -> None:
    setting = evaluation.subject.max_risk
    if setting is not None:
        axes.axvline(
            setting, color=palette.text, linewidth=1, linestyle="--", label=f"max_risk {setting:.3g}"
        )


def _apart(evaluation: Evaluation) -> list[Rival]:
    """Return the rivals to draw, without one that stands where another does."""
    spots = {
        (rival.usd_per_1000, rival.rates.under): rival
        for rival in reversed(evaluation.rivals)
        if rival.kind in LABEL_OFFSETS
    }
    return list(spots.values())
