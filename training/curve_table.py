"""The points of cost-quality curves as a table, for notebooks and for CSV."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from training.cost_quality_result import CostQuality
from training.routed_rows import TIER_NAMES

__all__ = ["points_csv", "points_frame"]


def points_frame(found: CostQuality) -> pd.DataFrame:
    """Return every point of every curve, and the points without a knob.

    Returns:
        A row a point: `curve` (its key; "point" for those without a knob), `title`, `knob`, `setting`,
        `usd_per_1000_prompts`, `quality` in [0, 1]; `share_cheap`, `share_balanced`, `share_premium` in
        [0, 1], missing for a tier that was not scored. A curve's points are in the order of its settings.
    """
    return pd.DataFrame([*_of_curves(found), *_of_marks(found)])


def points_csv(found: CostQuality) -> str:
    """Return the same as CSV, a header first, floats in full."""
    return points_frame(found).to_csv(index=False, lineterminator="\n")


def _of_curves(found: CostQuality) -> Iterator[dict[str, object]]:
    for curve in found.curves:
        columns = (curve.settings, curve.usd_per_1000, curve.quality, curve.shares)
        for setting, usd, quality, shares in zip(*(column.tolist() for column in columns), strict=True):
            yield {
                "curve": curve.key,
                "title": curve.title,
                "knob": curve.knob,
                "setting": setting,
                "usd_per_1000_prompts": usd,
                "quality": quality,
                **_shares(found, shares),
            }


def _of_marks(found: CostQuality) -> Iterator[dict[str, object]]:
    for mark in found.marks:
        yield {
            "curve": "point",
            "title": mark.title.strip(),
            "knob": mark.key,
            "setting": None,
            "usd_per_1000_prompts": mark.usd_per_1000.value,
            "quality": mark.quality.value,
            **_shares(found, mark.shares),
        }


def _shares(found: CostQuality, shares: tuple[float, ...] | list[float]) -> dict[str, object]:
    known = dict(zip((tier.label for tier in found.tiers), shares, strict=True))
    return {f"share_{name}": known.get(name) for name in TIER_NAMES}
