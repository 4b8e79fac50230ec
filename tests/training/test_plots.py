import sys
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from tests.training.routed import evaluation_of, noisy_rows, perfect_rows
from training.evaluation import Evaluation
from training.picture_style import DARK, LIGHT, Palette, svg
from training.plots import PLOTS, figures


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluation_of(noisy_rows(200))


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_picture_is_well_formed_and_wears_its_palette(evaluation: Evaluation, palette: Palette) -> None:
    for figure in figures(evaluation, palette).values():
        drawn = svg(figure)
        assert ElementTree.fromstring(drawn).tag.endswith("svg")  # noqa: S314 - our own drawing
        assert palette.background in drawn


def test_the_same_evaluation_is_drawn_the_same(evaluation: Evaluation) -> None:
    assert svg(PLOTS["confusion"](evaluation, LIGHT)) == svg(PLOTS["confusion"](evaluation, LIGHT))


def test_pyplot_is_never_needed() -> None:
    assert isinstance(PLOTS["reliability"](evaluation_of(perfect_rows([0, 2])), LIGHT), Figure)
    assert not [name for name in dir(sys.modules["training.plots"]) if name in ("plt", "pyplot")]


def test_the_risk_curve_shows_the_curve(evaluation: Evaluation) -> None:
    _, right = PLOTS["risk_share_curve"](evaluation, LIGHT).axes
    drawn = {line.get_label(): list(line.get_ydata()) for line in right.get_lines()}  # type: ignore[arg-type]
    assert drawn["under-routing"] == [point.rates.under for point in evaluation.curve.points]
    assert drawn["over-routing"] == [point.rates.over for point in evaluation.curve.points]
    assert drawn["max_risk 0.3"] == [0, 1]


def test_the_confusion_tables_are_one_for_each_view(evaluation: Evaluation) -> None:
    left, right = PLOTS["confusion"](evaluation, LIGHT).axes
    assert (left.get_title(), left.get_xlabel()) == ("Most probable tier", "predicted")
    assert (right.get_title(), right.get_xlabel()) == ("The policy's choice", "chosen")
    for axes, view in ((left, "most_probable"), (right, "choice")):
        cells = [float(text.get_text().split("\n")[0].replace(",", "")) for text in axes.texts]
        weights = [weight for row in dict(evaluation.confusions)[view] for weight in row]  # type: ignore[index]
        assert cells == pytest.approx(weights, rel=1e-3)
