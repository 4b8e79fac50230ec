import numpy as np
import pytest

from tests.training.curve_tables import outcome_table, skilled
from tests.training.routed import LengthPredictor
from training.cost_quality import cost_quality
from training.cost_quality_result import CostQuality, Seen
from training.curve_remarks import remarks, verdict

HALF = [1.0, 0.0] * 150


def told(scores: np.ndarray, usd: list[float], *, seen: Seen = "no") -> str:
    prompts = [f"prompt {'x' * (place % 7)}" for place in range(len(scores))]
    table = outcome_table(scores, usd=usd, prompts=prompts)
    return "\n".join(remarks(cost_quality(LengthPredictor(), table, resamples=50, seen=seen)))


def columns(*scores: list[float]) -> np.ndarray:
    return np.column_stack(scores)


def found_of(skill: float) -> CostQuality:
    model, table = skilled(1000, skill=skill)
    return cost_quality(model, table, resamples=100, seen="no")


@pytest.mark.parametrize(
    ("scores", "usd", "remark"),
    [
        pytest.param(columns([0.0] * 30, [1.0] * 30), [1, 2], "Only 30 prompts", id="few prompts"),
        pytest.param(
            columns(HALF, HALF), [1, 2], "The tiers score the same on every prompt", id="no difference"
        ),
        pytest.param(
            columns([1.0] * 300, HALF),
            [1, 2],
            "Always premium is not better than always cheap here (0.500 against 1.000)",
            id="a worse premium",
        ),
        pytest.param(
            columns(HALF, [0.0, 1.0] * 147 + [1.0] * 6),
            [1, 2],
            "Whether always premium is better than always cheap at all is not certain here",
            id="an uncertain gap",
        ),
        pytest.param(
            columns(HALF, [1.0] * 300),
            [2, 2],
            "there is no range of dollars",
            id="premium for the same money",
        ),
        pytest.param(
            columns([0.0] * 300, [1.0] * 300, HALF),
            [1, 2, 3],
            "Always balanced scores 1.000, no less than always premium (0.500)",
            id="the best is in the middle",
        ),
        pytest.param(
            columns(HALF, [1.0] * 300), [1, 2], "The model is no better than the random mix", id="no skill"
        ),
    ],
)
def test_what_is_odd_is_said(scores: np.ndarray, usd: list[float], remark: str) -> None:
    assert remark in told(scores, usd)


@pytest.mark.parametrize(
    ("seen", "remark"),
    [("yes", "fitted on some of these very prompts"), ("unknown", "any of these prompts is not known")],
)
def test_it_says_whether_the_model_may_have_seen_the_prompts(seen: Seen, remark: str) -> None:
    assert remark in told(columns(HALF, [1.0] * 300), [1, 2], seen=seen)


def test_a_good_model_on_many_prompts_leaves_little_to_say() -> None:
    found = found_of(3.0)
    assert verdict(found, "expected_cost") == "better"
    assert not [remark for remark in remarks(found) if "random mix" in remark]


def test_a_blind_model_is_not_better_than_the_mix() -> None:
    found = found_of(0.0)
    assert verdict(found, found.best_knob) in ("not told apart", "worse")


def test_the_mix_is_not_compared_with_itself() -> None:
    assert verdict(found_of(0.0), "random_mix") == "undefined"
