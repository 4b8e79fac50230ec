import io

import pandas as pd
import pytest

from tests.training.curve_tables import TWO, skilled
from training.cost_quality import cost_quality
from training.curve_table import points_csv, points_frame


def test_every_point_is_a_row() -> None:
    found = cost_quality(*skilled(100), resamples=2)
    frame = points_frame(found)
    assert len(frame) == len(found.marks) + sum(len(curve.settings) for curve in found.curves)
    risk = frame[frame["curve"] == "risk"]
    assert risk["quality"].tolist() == found.curve("risk").quality.tolist()
    assert frame.filter(like="share_").sum(axis=1).tolist() == pytest.approx([1.0] * len(frame))


def test_a_tier_that_was_not_scored_has_no_share() -> None:
    frame = points_frame(cost_quality(*skilled(100, tiers=TWO), resamples=2))
    assert frame["share_balanced"].isna().all()
    assert frame["share_premium"].notna().all()


def test_the_csv_reads_back() -> None:
    found = cost_quality(*skilled(100), resamples=2)
    read = pd.read_csv(io.StringIO(points_csv(found)))
    assert read["usd_per_1000_prompts"].tolist() == points_frame(found)["usd_per_1000_prompts"].tolist()
