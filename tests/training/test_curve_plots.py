from xml.etree import ElementTree

import pytest

from tests.training.curve_tables import skilled
from training.cost_quality import cost_quality
from training.cost_quality_result import CostQuality
from training.curve_plots import cost_quality_figure
from training.picture_style import DARK, LIGHT, Palette, png, svg


@pytest.fixture(scope="module")
def found() -> CostQuality:
    model, table = skilled(200)
    object.__setattr__(table, "names", ("$mall$", "日本", "x" * 100))
    return cost_quality(model, table, resamples=20)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_the_picture_is_well_formed_and_wears_its_palette(found: CostQuality, palette: Palette) -> None:
    drawn = svg(cost_quality_figure(found, palette))
    assert ElementTree.fromstring(drawn).tag.endswith("svg")  # noqa: S314 - our own drawing
    assert palette.background in drawn


def test_the_picture_shows_the_curves_with_their_units(found: CostQuality) -> None:
    (axes,) = cost_quality_figure(found).axes
    assert axes.get_xlabel() == "US dollars per 1,000 prompts (as billed)"
    assert axes.get_ylabel() == "quality: mean score, 0 to 1"
    drawn = {line.get_label(): line for line in axes.get_lines()}
    for curve in found.curves:
        assert list(drawn[curve.title].get_xdata()) == curve.usd_per_1000.tolist()  # type: ignore[arg-type]
        assert list(drawn[curve.title].get_ydata()) == curve.quality.tolist()  # type: ignore[arg-type]
    assert {"always cheap", "always balanced", "always premium"} <= {text.get_text() for text in axes.texts}


def test_a_png_is_one(found: CostQuality) -> None:
    assert png(cost_quality_figure(found)).startswith(b"\x89PNG")
