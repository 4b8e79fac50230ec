import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.routed import laws
from tests.training.tunable import some_tunable
from training.errors import EvaluationError, TargetNotMet
from training.policy_families import RiskFamily
from training.policy_targets import PremiumShare, Quality, Target, UsdPer1000, rounded_up
from training.routing_figures import RoutingFigures, figures_along
from training.under_routing_promise import MaxUnderRouting

PATH = figures_along(some_tunable(), RiskFamily())
ROWS = 400


def test_a_premium_share_is_kept_and_nearly_used_up() -> None:
    share = float(PATH.premium_share[PremiumShare(0.2).pick(PATH, 1)])
    assert 0.18 < share <= 0.2


def test_a_budget_is_kept_and_nearly_used_up() -> None:
    usd = float(PATH.usd_per_1000_prompts[UsdPer1000(0.9).pick(PATH, 1)])
    assert 0.88 < usd <= 0.9


def test_a_quality_is_reached_for_the_fewest_dollars() -> None:
    place = Quality(0.95).pick(PATH, 1)
    assert PATH.quality_of_premium[place] >= 0.95
    cheaper = PATH.usd_per_1000_prompts < PATH.usd_per_1000_prompts[place]
    assert (PATH.quality_of_premium[cheaper] < 0.95).all()


@pytest.mark.parametrize("confidence", [0.9, 0.5, None], ids=["90 %", "50 %", "on average"])
def test_a_promise_leaves_room_below_its_share(confidence: float | None) -> None:
    target = MaxUnderRouting(0.1, confidence)
    place = target.pick(PATH, 1)
    assert target.bound(PATH.at(place), 1) <= 0.1
    assert target.bound(PATH.at(place + 25), 1) > 0.1 > PATH.under_routing[place]


def test_two_families_on_the_same_rows_share_the_error_of_a_promise() -> None:
    target = MaxUnderRouting(0.1, 0.9)
    assert target.of_one_test(2) == pytest.approx(0.95)
    assert target.pick(PATH, 2) < target.pick(PATH, 1)


@laws
@given(st.floats(0, 1), st.floats(0, 1))
def test_a_looser_target_is_never_met_by_a_safer_setting(one: float, other: float) -> None:
    tight, loose = sorted((one, other))
    assert PremiumShare(tight).pick(PATH, 1) >= PremiumShare(loose).pick(PATH, 1)
    assert Quality(tight).pick(PATH, 1) >= Quality(loose).pick(PATH, 1)


SETTLED = figures_along(
    some_tunable().answered_by_one(np.arange(ROWS) % 5 == 0, 1), RiskFamily()
)  # a fifth of the prompts goes to balanced whatever the knob
TO_PREMIUM = figures_along(some_tunable().answered_by_one(np.arange(ROWS) % 5 == 0, 2), RiskFamily())


@pytest.mark.parametrize(
    ("path", "target", "again"),
    [
        (PATH, UsdPer1000(0.01), UsdPer1000),
        (TO_PREMIUM, PremiumShare(0.1), PremiumShare),
        (SETTLED, Quality(0.99), Quality),
        (PATH, MaxUnderRouting(0.001), MaxUnderRouting),
        (PATH, MaxUnderRouting(0.001, None), lambda share: MaxUnderRouting(share, None)),
        (SETTLED, MaxUnderRouting(0.01), MaxUnderRouting),
    ],
    ids=["dollars", "premium share", "quality", "promise", "promise on average", "promise while abstaining"],
)
def test_the_nearest_target_that_a_refusal_names_can_be_met(
    path: RoutingFigures, target: Target, again: type[Quality]
) -> None:
    with pytest.raises(TargetNotMet, match=r"(cannot be had|cannot be promised)") as refusal:
        target.pick(path, 1)
    named = re.search(
        r"(?:the least is USD|the least premium share is|the least is|the most is) ([\d.]+)",
        str(refusal.value),
    )
    assert named is not None
    again(float(named[1])).pick(path, 1)


def test_a_refused_promise_says_how_many_prompts_it_would_take() -> None:
    with pytest.raises(TargetNotMet, match=r"with 400 calibration prompts.*or give 4,604 prompts or more"):
        MaxUnderRouting(0.001).pick(PATH, 1)


def test_a_refused_promise_says_when_more_prompts_would_not_help() -> None:
    with pytest.raises(TargetNotMet, match=r"not help, for the safest setting under-routes \d"):
        MaxUnderRouting(0.01).pick(SETTLED, 1)


def test_a_promise_of_no_error_at_all_is_refused_as_such() -> None:
    with pytest.raises(TargetNotMet, match="more prompts would not help, for nobody can promise none"):
        MaxUnderRouting(0.0).pick(PATH, 1)


@pytest.mark.parametrize(
    ("build", "match"),
    [
        (lambda: MaxUnderRouting(1.5), r"under-routing to keep is 1.5; expected a fraction"),
        (lambda: MaxUnderRouting(0.1, 1.0), "confidence is 1; expected a number between 0 and 1"),
        (lambda: PremiumShare(-0.1), "premium share is -0.1"),
        (lambda: UsdPer1000(float("nan")), "budget is nan; expected US dollars of 0 or more"),
        (lambda: Quality(2.0), "quality is 2"),
    ],
    ids=["share", "confidence", "premium share", "dollars", "quality"],
)
def test_a_target_out_of_range_is_refused(build: type[Target], match: str) -> None:
    with pytest.raises(EvaluationError, match=match):
        build()


@pytest.mark.parametrize(
    ("target", "words"),
    [
        (MaxUnderRouting(0.05), "in at least 90 % of draws of calibration prompts"),
        (MaxUnderRouting(0.05, None), "averaged over draws"),
        (PremiumShare(0.2), "No promise"),
        (UsdPer1000(0.9), "No promise"),
        (Quality(0.95), "No promise"),
    ],
    ids=["promise", "on average", "premium share", "dollars", "quality"],
)
def test_what_is_promised_is_said(target: Target, words: str) -> None:
    assert words in target.guarantee()
    assert target.is_promise == ("No promise" not in target.guarantee())
    assert ("exchangeable" in target.guarantee()) == target.is_promise


@given(st.floats(1e-9, 1e6))
def test_rounding_up_goes_up_and_not_far(value: float) -> None:
    assert value <= rounded_up(value) <= value * 1.0011
