"""Quality against dollars as a picture: a model's curve between its rivals."""

from __future__ import annotations

import io
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.cost_quality_result import CostQuality, Curve, Mark
from training.plots import LIGHT, Palette
from training.text_tables import shortened

__all__ = ["cost_quality_figure", "png"]

_MARKERS = {"model": "o", "rule": "s", "bound": "*", "fixed": "D"}
_BASES = {"billed": "as billed", "tokens": "tokens at list prices", "assumed": "assumed answer lengths"}
_LABELS: dict[str, tuple[tuple[int, int], Literal["left", "right"]]] = {
    "always_cheap": ((7, -12), "left"),
    "always_balanced": ((5, 13), "left"),
    "always_premium": ((-6, 8), "right"),
}
_TARGET = 0.95
_NAME_WIDTH = 36
_DPI = 150


def cost_quality_figure(found: CostQuality, palette: Palette = LIGHT) -> Figure:
    """Draw mean score against US dollars per 1,000 prompts: up and to the left is better.

    The model's curves, its own policy with 95 % intervals, the tiers by themselves and their random mixes,
    the rules, and the oracle, which knows the outcomes beforehand.
    """
    figure = Figure(figsize=(8.6, 5.2), layout="constrained", facecolor=palette.background)
    axes = figure.add_subplot()
    _dress(axes, palette)
    _draw_lines(axes, found, palette)
    _draw_target(axes, found, palette)
    for mark in found.marks:
        if mark.kind == "fixed":
            _draw_tier(axes, mark, palette)
        elif mark.kind != "bound":
            _draw_mark(axes, mark, palette)
    axes.set_xlabel(f"US dollars per 1,000 prompts ({_BASES[found.basis]})")
    axes.set_ylabel("quality: mean score, 0 to 1")
    title = f"Cost against quality on {found.prompts:,} prompts: upper left is better"
    figure.suptitle(title, fontsize=10, color=palette.text)
    axes.set_title(_names(found), fontsize=8, color=palette.text)
    axes.margins(x=0.08, y=0.08)
    axes.legend(
        loc="lower right",
        fontsize=8,
        facecolor=palette.background,
        edgecolor=palette.faint,
        labelcolor=palette.text,
    )
    return figure


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG image."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=_DPI, metadata={"Software": None})
    return drawn.getvalue()


def _names(found: CostQuality) -> str:
    """The models behind the tiers, in characters that every font has; a dollar sign would begin a formula."""
    named = ", ".join(shortened(name, _NAME_WIDTH) for name in found.named_tiers)
    return named.encode("ascii", "replace").decode().replace("$", r"\$")


def _dress(axes: Axes, palette: Palette) -> None:
    axes.set_facecolor(palette.background)
    axes.tick_params(colors=palette.text, labelsize=9)
    axes.grid(visible=True, color=palette.faint, linewidth=0.4, alpha=0.6)
    for part in (axes.xaxis.label, axes.yaxis.label):
        part.set_color(palette.text)
        part.set_fontsize(10)
    for edge, spine in axes.spines.items():
        spine.set_visible(edge in ("left", "bottom"))
        spine.set_color(palette.faint)


def _draw_lines(axes: Axes, found: CostQuality, palette: Palette) -> None:
    styles = {
        "oracle": (palette.tiers[0], "-", 1.2),
        "random_mix": (palette.text, "--", 1.2),
        "length": (palette.text, ":", 1.2),
        "expected_cost": (palette.warning, "-", 1.8),
        "risk": (palette.accent, "-", 2.2),
    }
    drawn = {curve.key: curve for curve in found.curves}
    for key, (colour, dashes, width) in styles.items():
        if key in drawn:
            _draw_line(axes, drawn[key], colour, dashes, width)


def _draw_line(axes: Axes, curve: Curve, colour: str, dashes: str, width: float) -> None:
    axes.plot(
        curve.usd_per_1000.tolist(),
        curve.quality.tolist(),
        color=colour,
        linestyle=dashes,
        linewidth=width,
        label=curve.title,
    )


def _draw_target(axes: Axes, found: CostQuality, palette: Palette) -> None:
    level = next(target.quality for target in found.targets if target.share == _TARGET)
    axes.axhline(level, color=palette.faint, linewidth=1.2, zorder=1)
    words = f"{_TARGET * 100:.0f} % of {found.ends[1].title}"
    axes.annotate(
        words,
        (1.0, level),
        xycoords=("axes fraction", "data"),
        xytext=(0, 3),
        textcoords="offset points",
        ha="right",
        fontsize=8,
        color=palette.text,
    )


def _draw_tier(axes: Axes, mark: Mark, palette: Palette) -> None:
    spot = (mark.usd_per_1000.value, mark.quality.value)
    axes.scatter(*spot, 34, palette.text, marker=_MARKERS[mark.kind], zorder=4)
    offset, side = _LABELS[mark.key]
    axes.annotate(
        mark.title, spot, offset, textcoords="offset points", ha=side, fontsize=8, color=palette.text
    )


def _draw_mark(axes: Axes, mark: Mark, palette: Palette) -> None:
    is_model = mark.kind == "model"
    colour = palette.accent if is_model else palette.text
    hollow = mark.key in ("length", "policy_without_abstention")
    usd, quality = mark.usd_per_1000, mark.quality
    axes.errorbar(
        usd.value,
        quality.value,
        xerr=[[max(usd.value - usd.low, 0.0)], [max(usd.high - usd.value, 0.0)]],
        yerr=[[max(quality.value - quality.low, 0.0)], [max(quality.high - quality.value, 0.0)]],
        fmt=_MARKERS[mark.kind],
        markersize=9 if is_model else 6,
        color=colour,
        markerfacecolor="none" if hollow else colour,
        elinewidth=1,
        zorder=5,
        label=mark.title.strip() + (" (95 %)" if mark.key == "policy" else ""),
    )
