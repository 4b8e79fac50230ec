"""Quality against dollars as a picture: a model's curve between its rivals."""

from __future__ import annotations

from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.cost_quality_result import CostQuality, Curve, Mark
from training.picture_style import LIGHT, Palette, add_legend, canvas, label_point
from training.text_tables import shortened

__all__ = ["cost_quality_figure"]

_MARKERS = {"model": "o", "rule": "s", "bound": "*", "fixed": "D"}
_BASES = {"billed": "as billed", "tokens": "tokens at list prices", "assumed": "assumed answer lengths"}
_LABELS: dict[str, tuple[tuple[int, int], Literal["left", "right"]]] = {
    "always_cheap": ((7, -12), "left"),
    "always_balanced": ((5, 13), "left"),
    "always_premium": ((-6, 8), "right"),
}
_TARGET = 0.95
_NAME_WIDTH = 36


def cost_quality_figure(found: CostQuality, palette: Palette = LIGHT) -> Figure:
    """Draw mean score against US dollars per 1,000 prompts: up and to the left is better.

    The model's curves, its own policy with 95 % intervals, the tiers by themselves and their random mixes,
    the rules, and the oracle, which knows the outcomes beforehand.
    """
    figure, (axes,) = canvas(palette, 1, height=5.2, grid=True)
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
    add_legend(axes, palette, place="lower right")
    return figure


def _names(found: CostQuality) -> str:
    """The models behind the tiers, in characters that every font has; a dollar sign would begin a formula."""
    named = ", ".join(shortened(name, _NAME_WIDTH) for name in found.named_tiers)
    return named.encode("ascii", "replace").decode().replace("$", r"\$")


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
    label_point(axes, words, (1.0, level), (0, 3), palette, side="right", units=("axes fraction", "data"))


def _draw_tier(axes: Axes, mark: Mark, palette: Palette) -> None:
    spot = (mark.usd_per_1000.value, mark.quality.value)
    axes.scatter(*spot, 34, palette.text, marker=_MARKERS[mark.kind], zorder=4)
    offset, side = _LABELS[mark.key]
    label_point(axes, mark.title, spot, offset, palette, side=side)


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
