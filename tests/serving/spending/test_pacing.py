import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier import RiskPolicy
from serving.spending.budget_terms import PREMIUM, Budget, Standing, Unit
from serving.spending.paced_policy import PacedPolicy
from serving.spending.pacing import Demand, Pacer, Scores, spent_of
from serving.spending.traffic_profile import TrafficProfile

MIDNIGHT = 1_795_305_600.0
HOUR = 3600.0
EVENLY = tuple(number / 100 for number in range(100))


@dataclass(frozen=True)
class Known:
    """A history that tests make up."""

    demand: Mapping[Unit, Demand]
    scores: Sequence[float] = EVENLY
    profile: TrafficProfile = field(default_factory=TrafficProfile)


def pacer(cap: int, known: Known | None = None, *, unit: Unit = Unit.USD) -> Pacer:
    made = Pacer([Budget(PREMIUM, unit, cap)], UTC)
    if known is not None:
        made.learn(known)
    return made


def usd(amount: int) -> dict[Unit, int]:
    return {Unit.USD: amount}


def live(made: Pacer, hours: range, calls: int, each: int, *, spent: int = 0, replicas: int = 1) -> int:
    """Live through hours of so many wanted calls to every replica, scores evenly spread; what was spent."""
    for hour in hours:
        for call in range(calls):
            now = MIDNIGHT + (hour + call / calls) * HOUR
            score = EVENLY[call * 37 % 100]
            admitted = score >= made.threshold(now, usd(spent))
            made.wanted(now, usd(spent), score, admitted=admitted)
            spent += each * admitted * replicas
    return spent


def test_with_an_ample_budget_the_policy_stands_as_it_is() -> None:
    made, policy = pacer(1_000_000), RiskPolicy(0.2)
    spent = live(made, range(24), calls=100, each=200)
    assert spent == 24 * 100 * 200
    assert made.policy_for(MIDNIGHT + 12 * HOUR, usd(spent // 2), policy) is policy


def test_without_a_budget_nothing_is_withheld() -> None:
    made, policy = Pacer([], UTC), RiskPolicy(0.2)
    assert made.policy_for(MIDNIGHT, {}, policy) is policy


def test_a_known_demand_of_twice_the_budget_lets_the_better_half_through_from_the_first_minute() -> None:
    made = pacer(50_000, Known({Unit.USD: Demand(100_000.0)}))
    assert made.threshold(MIDNIGHT, usd(0)) == pytest.approx(0.5, abs=0.01)
    paced = made.policy_for(MIDNIGHT, usd(0), RiskPolicy(0.2))
    assert isinstance(paced, PacedPolicy)


@pytest.mark.parametrize("replicas", [1, 3])
def test_the_budget_lasts_for_the_day_and_is_used_up(replicas: int) -> None:
    demand = 24 * 100 * 100 * replicas
    made = pacer(demand // 2, Known({Unit.USD: Demand(float(demand))}))
    by_noon = live(made, range(12), 100, 100, replicas=replicas)
    assert by_noon == pytest.approx(demand / 4, rel=0.05)
    spent = live(made, range(12, 24), 100, 100, spent=by_noon, replicas=replicas)
    assert spent == pytest.approx(demand / 2, rel=0.03)


def test_on_the_first_day_it_learns_the_demand_as_it_goes() -> None:
    made = pacer(120_000)
    by_noon = live(made, range(12), 100, 100)
    assert by_noon == pytest.approx(60_000, rel=0.2)
    assert live(made, range(12, 24), 100, 100, spent=by_noon) == pytest.approx(120_000, rel=0.05)


def test_after_a_restart_it_goes_on_from_the_spend_alone() -> None:
    before = pacer(120_000, Known({Unit.USD: Demand(240_000.0)}))
    by_noon = live(before, range(12), 100, 100)
    after = pacer(120_000)
    assert live(after, range(12, 24), 100, 100, spent=by_noon) == pytest.approx(120_000, rel=0.05)


def test_the_next_day_begins_with_what_this_day_came_to() -> None:
    made = pacer(120_000)
    live(made, range(24), 100, 100)
    assert made.threshold(MIDNIGHT + 24 * HOUR + 60, usd(0)) == pytest.approx(0.5, abs=0.1)


def test_yesterdays_spend_told_for_a_second_after_midnight_does_no_harm() -> None:
    made = pacer(120_000, Known({Unit.USD: Demand(120_000.0)}))
    just_after = MIDNIGHT + 24 * HOUR + 1
    assert made.threshold(just_after, usd(119_999)) > 0.5
    assert made.threshold(just_after + 1, usd(0)) == 0.0


def test_what_callers_force_is_set_aside_first() -> None:
    known = Known({Unit.USD: Demand(60_000.0, forced=60_000.0)})
    assert pacer(90_000, known).threshold(MIDNIGHT, usd(0)) == pytest.approx(0.5, abs=0.01)
    made = pacer(90_000, Known({Unit.USD: Demand(60_000.0)}))
    assert made.threshold(MIDNIGHT, usd(0)) == 0.0
    for number in range(600):
        made.forced(MIDNIGHT + number * 20, usd(number * 100))
    assert made.threshold(MIDNIGHT + 4 * HOUR, usd(60_000)) > 0.2


def test_a_spent_budget_withholds_everything() -> None:
    made = pacer(100, Known({Unit.USD: Demand(1000.0)}))
    assert made.threshold(MIDNIGHT + HOUR, usd(100)) > max(EVENLY)


def test_the_end_of_the_day_gives_back_what_is_left() -> None:
    made = pacer(50_000, Known({Unit.USD: Demand(100_000.0)}))
    made.threshold(MIDNIGHT, usd(0))
    assert made.threshold(MIDNIGHT + 23.9 * HOUR, usd(40_000)) == 0.0


def test_the_scarcer_of_two_budgets_rules() -> None:
    both = Pacer([Budget(PREMIUM, Unit.USD, 100_000), Budget(PREMIUM, Unit.TOKENS, 1_000)], UTC)
    both.learn(Known({Unit.USD: Demand(100_000.0), Unit.TOKENS: Demand(4_000.0)}))
    assert both.threshold(MIDNIGHT, {Unit.USD: 0, Unit.TOKENS: 0}) == pytest.approx(0.75, abs=0.01)


def test_until_some_scores_are_known_nothing_is_withheld() -> None:
    made = pacer(50_000, Known({Unit.USD: Demand(100_000.0)}, scores=EVENLY[:19]))
    assert made.threshold(MIDNIGHT, usd(0)) == 0.0


def test_a_declared_profile_stays_whatever_was_learned() -> None:
    evening = TrafficProfile((0.0,) * 18 + (1.0,) * 6)
    made = Pacer([Budget(PREMIUM, Unit.USD, 50_000)], UTC, evening)
    made.learn(Known({Unit.USD: Demand(100_000.0)}))
    assert made.threshold(MIDNIGHT + 17 * HOUR, usd(0)) == pytest.approx(0.5, abs=0.01)


def test_learning_during_the_day_changes_what_is_expected_of_its_rest() -> None:
    made = pacer(50_000)
    made.threshold(MIDNIGHT + 6 * HOUR, usd(0))
    made.learn(Known({Unit.USD: Demand(200_000.0)}))
    assert made.threshold(MIDNIGHT + 12 * HOUR, usd(0)) == pytest.approx(0.5, abs=0.01)


def test_equal_scores_go_together_and_the_budget_still_lasts() -> None:
    made = pacer(120_000, Known({Unit.USD: Demand(240_000.0)}, scores=(0.7,) * 100))
    spent, by_hour = 0, []
    for call in range(2400):
        now = MIDNIGHT + call * 36.0
        admitted = made.threshold(now, usd(spent)) <= 0.7
        made.wanted(now, usd(spent), 0.7, admitted=admitted)
        spent += 100 * admitted
        by_hour.append(spent)
    assert by_hour[1200] < 80_000
    assert spent == pytest.approx(120_000, rel=0.05)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), st.floats(0, 1))
def test_the_share_of_scores_let_through_is_the_wanted_one_but_for_ties(
    values: list[float], share: float
) -> None:
    scores = Scores()
    for value in values:
        scores.add(value)
    admitted = sum(value >= scores.threshold(share) for value in values)
    ties = max(values.count(value) for value in values)
    assert abs(admitted - share * len(values)) <= max(0.5, ties / 2) + 1e-9


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.1, 10)), min_size=1, max_size=60), st.floats(0, 1))
def test_weighted_scores_let_through_a_share_of_the_weight(
    values: list[tuple[float, float]], share: float
) -> None:
    scores = Scores()
    for value, weight in values:
        scores.add(value, weight)
    threshold = scores.threshold(share)
    admitted = sum(weight for value, weight in values if value >= threshold)
    groups: dict[float, float] = {}
    for value, weight in values:
        groups[value] = groups.get(value, 0.0) + weight
    assert abs(admitted - share * sum(groups.values())) <= max(groups.values()) / 2 + 1e-6


def test_a_call_of_twice_the_size_has_to_need_premium_twice_as_much() -> None:
    made = pacer(50_000, Known({Unit.USD: Demand(100_000.0)}))
    usual = made.threshold(MIDNIGHT, usd(0))
    assert made.threshold(MIDNIGHT, usd(0), 2.0) == 2 * usual > 0


def test_old_scores_are_forgotten() -> None:
    scores = Scores(3)
    for value in (0.9, 0.8, 0.1, 0.2, 0.3):
        scores.add(value)
    assert (len(scores), scores.threshold(1.0), scores.threshold(1 / 3)) == (3, 0.1, 0.3)


def test_threads_lose_no_count() -> None:
    shared, alone = (pacer(100_000, Known({Unit.USD: Demand(1.0)})) for _ in range(2))

    def ask(made: Pacer) -> None:
        for number in range(200):
            made.wanted(MIDNIGHT, usd(0), number / 200, admitted=number % 2 == 0)
            made.threshold(MIDNIGHT, usd(0))

    threads = [threading.Thread(target=ask, args=(shared,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(4):
        ask(alone)
    at_six = [made.threshold(MIDNIGHT + 6 * HOUR, usd(60_000)) for made in (shared, alone)]
    assert at_six[0] == at_six[1] > 0.5


def test_a_reload_with_the_same_budgets_may_keep_it() -> None:
    budget = Budget(PREMIUM, Unit.USD, 100)
    made = Pacer([budget], UTC)
    assert made.paces([budget], UTC, None)
    assert not made.paces([Budget(PREMIUM, Unit.USD, 200)], UTC, None)
    assert not made.paces([budget], UTC, TrafficProfile())


def test_spent_is_what_was_settled_of_the_premium_budgets() -> None:
    premium = Standing(PREMIUM, Unit.USD, "2026-11-22", 100, spent=30, reserved=50, orphaned=0, overrun=0)
    other = Standing("key:4f1d", Unit.USD, "2026-11-22", 100, spent=20, reserved=0, orphaned=0, overrun=0)
    assert spent_of([premium, other]) == {Unit.USD: 30}
