"""How every picture looks, in light and in dark, and how one becomes a file.

Figures own their canvas: no pyplot, no global state.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal, TypeAlias

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

__all__ = ["DARK", "LIGHT", "Palette", "add_legend", "canvas", "label_point", "png", "svg"]

Units: TypeAlias = Literal["data", "axes fraction"]

_WIDTH = 8.6  # inches
_DPI = 150
_HALO = 2.5  # points of background around a label, so that it can be read where it crosses a line


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours as hexadecimal RGB; the tiers' and the others' keep apart for colour-blind readers too."""

    background: str
    text: str
    faint: str
    accent: str
    warning: str
    tiers: tuple[str, str, str]


LIGHT = Palette("#ffffff", "#1d2430", "#c9d0da", "#2563a8", "#b3261e", ("#8cc2a0", "#e6b95c", "#7d7bb8"))
DARK = Palette("#161b22", "#e6eaf0", "#3d4654", "#6cb0f5", "#ff8a80", ("#3f8f62", "#b98a2a", "#8583d1"))


def canvas(palette: Palette, panels: int, *, height: float, grid: bool = False) -> tuple[Figure, list[Axes]]:
    """Return a figure with panels side by side, in the palette's colours.

    Args:
        palette: the colours.
        panels: how many, at least 1.
        height: of the figure, in inches.
        grid: whether faint lines run behind what is drawn.
    """
    figure = Figure(figsize=(_WIDTH, height), layout="constrained", facecolor=palette.background)
    panes: list[Axes] = [figure.add_subplot(1, panels, place + 1) for place in range(panels)]
    for axes in panes:
        _dress(axes, palette)
        if grid:
            axes.grid(visible=True, color=palette.faint, linewidth=0.4, alpha=0.6)
    return figure, panes


def add_legend(
    axes: Axes, palette: Palette, *, place: Literal["best", "lower right"] = "best", marker_scale: float = 1.0
) -> None:
    """Add the legend of what is drawn.

    Args:
        axes: what is drawn.
        palette: the colours.
        place: where it stands; "best" is where it hides least.
        marker_scale: size of its markers, as a multiple of those drawn.
    """
    axes.legend(
        loc=place,
        fontsize=8,
        facecolor=palette.background,
        edgecolor=palette.faint,
        labelcolor=palette.text,
        markerscale=marker_scale,
    )


def label_point(
    axes: Axes,
    words: str,
    spot: tuple[float, float],
    offset: tuple[float, float],
    palette: Palette,
    *,
    side: Literal["left", "right"] = "left",
    units: Units | tuple[Units, Units] = "data",
) -> None:
    """Write words beside a point, readable where a line runs through them.

    Args:
        axes: where to write.
        words: what to write.
        spot: the point.
        offset: from it to the words, in typographic points.
        palette: the colours.
        side: which end of the words stands at the offset.
        units: of the point: those of the data, or fractions of the axes; one for each direction if need be.
    """
    axes.annotate(
        words,
        spot,
        offset,
        xycoords=units,
        textcoords="offset points",
        ha=side,
        fontsize=8,
        color=palette.text,
        path_effects=[withStroke(linewidth=_HALO, foreground=palette.background)],
    )


def svg(figure: Figure) -> str:
    """Return a figure as an SVG document; the same figure gives the same text."""
    drawn = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "tierwise"}):
        figure.savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
    return drawn.getvalue()


def png(figure: Figure) -> bytes:
    """Return a figure as a PNG image."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=_DPI, metadata={"Software": None})
    return drawn.getvalue()


def _dress(axes: Axes, palette: Palette) -> None:
    axes.set_facecolor(palette.background)
    axes.tick_params(colors=palette.text, labelsize=9)
    for part in (axes.title, axes.xaxis.label, axes.yaxis.label):
        part.set_color(palette.text)
        part.set_fontsize(10)
    for edge, spine in axes.spines.items():
        spine.set_visible(edge in ("left", "bottom"))
        spine.set_color(palette.faint)
