from dataclasses import replace
from pathlib import Path

import pytest

from classifier import TierPredictor
from tests.benchmarks.cli import SECTIONS
from tests.benchmarks.material import Choices, Material
from tests.benchmarks.pacing import judged_rows, pacing_rows
from tests.benchmarks.row import Row
from tests.training.fits import all_rows


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(pacing_rows(Material(Choices(Path("data"), Path(), Path())), days=2, prompts=600))


def test_every_kind_of_day_is_measured_at_every_cap(rows: list[Row]) -> None:
    assert len({row.what for row in rows}) == 12
    assert all(row.figure is not None and 0 <= row.figure <= 1 for row in rows)
    assert all("exceeded on 0 days" in row.note for row in rows)


def test_a_smaller_cap_loses_more(rows: list[Row]) -> None:
    usual = [row.figure for row in rows[:3]]
    assert usual == sorted(usual, key=lambda figure: -(figure or 0))


def test_prompts_are_judged_as_the_predictor_judges_them() -> None:
    predictor, data = TierPredictor.default(), all_rows()
    few = replace(data, frame=data.frame.head(20))
    first = judged_rows(few, predictor)[0]
    assert first.probabilities == predictor.decide(few.frame["prompt"].iloc[0]).probabilities
    assert first.needed == few.frame["tier"].iloc[0]


def test_it_is_a_section() -> None:
    assert SECTIONS["pacing"][1] is pacing_rows
