import numpy as np
import pytest

from tests.training.curve_tables import ByNumber, outcome_table, skilled, sure
from training.cost_quality import cost_quality
from training.cost_quality_result import CostQuality
from training.curve_text import cost_quality_text
from training.text_tables import WIDTH, columns_of

TWO_TIER = outcome_table(np.column_stack([[1.0] * 5 + [0.0] * 5, np.ones(10)]), usd=[0.001, 0.011])


@pytest.fixture(scope="module")
def two() -> CostQuality:
    return cost_quality(ByNumber(sure(np.linspace(0.05, 0.95, 10).tolist())), TWO_TIER, resamples=50)


@pytest.fixture(scope="module")
def three() -> CostQuality:
    return cost_quality(*skilled(300), resamples=50)


def line(text: str, start: str, after: str = "") -> str:
    return next(each for each in text.partition(after)[2].splitlines() if each.strip().startswith(start))


def test_no_line_is_wider_than_a_terminal(two: CostQuality, three: CostQuality) -> None:
    lines = (cost_quality_text(two) + cost_quality_text(three)).splitlines()
    assert max(map(columns_of, lines)) <= WIDTH


def test_two_tiers_are_told_in_routellm_s_measures(two: CostQuality) -> None:
    text = cost_quality_text(two)
    assert "model, any max_risk  0.750" in text
    assert "25.0/40.0" in line(text, "model, any max_risk", "Over all settings")
    assert "gap/cost" not in text


def test_three_tiers_are_told_in_ours(three: CostQuality) -> None:
    text = cost_quality_text(three)
    assert "gap/cost: ours" in text
    assert "APGR" not in text
    assert "saved, always balanced" in text


def test_dollars_stand_beside_the_targets(two: CostQuality) -> None:
    text = cost_quality_text(two)
    after = "Dollars for a share of the quality of always premium"
    assert "90 % (0.900)" in line(text, "90 %", after)
    assert "not reached" in line(text, "always cheap", after)
    assert line(text, "model, any max_risk", after).split()[3] == "5.000"
    assert line(text, "saved, always premium", after).split()[3:5] == ["55", "%"]


def test_it_says_what_dollars_and_rules_rest_on(two: CostQuality) -> None:
    text = cost_quality_text(two)
    assert "Dollars are those of the outcome table." in text
    assert "under 115 characters: cheap" in " ".join(text.split())


def test_names_from_files_cannot_move_the_cursor() -> None:
    table = outcome_table(TWO_TIER.scores, usd=[0.001, 0.011])
    object.__setattr__(table, "names", ("\x1b[2Jevil", "large"))
    text = cost_quality_text(cost_quality(ByNumber(sure([0.5] * 10)), table, resamples=2))
    assert "\x1b" not in text


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        pytest.param([1e-6, 2e-6], "0.0010", id="a thousandth of a cent"),
        pytest.param([0.5, 2.5], "2500.0", id="thousands"),
    ],
)
def test_dollars_of_any_size_can_be_read(usd: list[float], shown: str) -> None:
    table = outcome_table(TWO_TIER.scores, usd=usd)
    assert shown in cost_quality_text(cost_quality(ByNumber(sure([0.5] * 10)), table, resamples=2))
