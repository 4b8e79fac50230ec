from typing import Any
from zoneinfo import ZoneInfo

import pytest

from classifier import RiskPolicy
from serving.spending.budget_terms import Unit
from serving.spending.demand_history import DemandHistory
from serving.spending.ledger_row import ChosenBy, LedgerRow
from serving.spending.traffic_profile import TrafficProfile
from tests.serving.spending.logged import an_attempt

UTC = ZoneInfo("UTC")
TODAY, MIDNIGHT = "2026-11-22", 1_795_305_600.0
NEEDS_PREMIUM, NEEDS_LESS = (0.1, 0.1, 0.8), (0.8, 0.1, 0.1)


def row(number: int, ago: int, hour: int, **changes: Any) -> LedgerRow:
    usual = {"at": MIDNIGHT - ago * 86_400 + hour * 3600, "probabilities": NEEDS_PREMIUM, "tier": "premium"}
    premium = {"model": "Pro/deepseek-ai/DeepSeek-V3.2", "usd": 0.0025}
    return an_attempt(number, **usual | premium | changes)


def history(*rows: LedgerRow) -> DemandHistory:
    return DemandHistory.of(sorted(rows, key=lambda each: each.at), RiskPolicy(0.2), UTC, TODAY)


def test_without_rows_nothing_is_known() -> None:
    assert history() == DemandHistory(TrafficProfile(), {}, ())


def test_demand_is_what_was_wanted_at_the_mean_cost_of_a_premium_answer() -> None:
    withheld = {"tier": "balanced", "usd": 0.0003, "chosen_by": ChosenBy.BUDGET}
    found = history(row(1, 1, 9), row(2, 1, 9), row(3, 1, 15, **withheld))
    assert found.demand[Unit.USD].wanted == pytest.approx(3 * 2500)
    assert found.demand[Unit.TOKENS].wanted == pytest.approx(3 * 1000)
    assert found.profile.weights[9] > found.profile.weights[15] > found.profile.weights[3] > 0
    assert found.scores == (0.8, 0.8, 0.8)


def test_prompts_that_the_policy_does_not_want_at_premium_are_no_demand() -> None:
    found = history(row(1, 1, 9), row(2, 1, 9, probabilities=NEEDS_LESS, tier="cheap", usd=0.0001))
    assert found.demand[Unit.USD].wanted == pytest.approx(2500)


@pytest.mark.parametrize("who", [ChosenBy.CALLER, ChosenBy.FLOOR, ChosenBy.SESSION])
def test_what_callers_and_floors_ask_for_is_forced(who: ChosenBy) -> None:
    found = history(row(1, 1, 9), row(2, 1, 9, chosen_by=who, probabilities=None))
    assert found.demand[Unit.USD].forced == pytest.approx(2500)
    assert found.demand[Unit.USD].wanted == pytest.approx(2500)


def test_today_gives_its_scores_and_nothing_else() -> None:
    found = history(row(1, 0, 0))
    assert (found.scores, found.demand, found.profile) == ((0.8,), {}, TrafficProfile())


def test_an_empty_day_counts_as_a_day_without_demand() -> None:
    yesterday_alone, day_before_alone = history(row(1, 1, 9)), history(row(1, 2, 9))
    assert yesterday_alone.demand[Unit.USD].wanted == pytest.approx(2500)
    assert day_before_alone.demand[Unit.USD].wanted < 1250


def test_days_are_those_of_the_zone() -> None:
    late = an_attempt(1, at=MIDNIGHT - 1800, probabilities=NEEDS_PREMIUM, tier="premium", usd=0.0025)
    east = DemandHistory.of([late], RiskPolicy(0.2), ZoneInfo("Europe/Berlin"), TODAY)
    assert east.demand == {}


def test_fallbacks_and_unknown_costs_do_not_tell_what_premium_costs() -> None:
    found = history(row(1, 1, 9), row(2, 1, 9, usd=9.0, fell_back=True), row(3, 1, 9, usd=None))
    assert found.demand[Unit.USD].wanted == pytest.approx(3 * 2500)


def test_a_withheld_prompt_is_demand_by_the_tokens_of_its_own_answer() -> None:
    long = {"tier": "balanced", "usd": 0.0014, "chosen_by": ChosenBy.BUDGET, "input_tokens": 4600}
    lost = {"usd": None, "input_tokens": None, "output_tokens": None}
    assert history(row(1, 1, 9), row(2, 1, 9, **long)).demand[Unit.TOKENS].wanted == pytest.approx(6000)
    assert history(row(1, 1, 9), row(2, 1, 9, **lost)).demand[Unit.TOKENS].wanted == pytest.approx(2000)


def test_what_a_cache_answered_is_no_demand() -> None:
    hit = {"cache": "exact", "usd": 0.0, "saved_usd": 0.0025}
    assert history(row(1, 1, 9), row(2, 1, 9, **hit)) == history(row(1, 1, 9))
