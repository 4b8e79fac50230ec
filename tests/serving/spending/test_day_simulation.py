from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifier import RiskPolicy, Tier
from serving.spending.budget_terms import PREMIUM, Budget, Unit
from serving.spending.day_simulation import (
    Cliff,
    DayResult,
    Paced,
    Proportional,
    Rule,
    Thinned,
    best_threshold,
    oracle,
    simulate_day,
)
from serving.spending.day_traffic import Arrival, Burst, Judged, Traffic, draw_day
from serving.spending.pacing import Pacer
from serving.spending.traffic_profile import Day, TrafficProfile
from tests.serving.spending.days import OFFICE_HOURS, UTC, calibrated_pool, seeded, usual_history

POLICY = RiskPolicy(0.35)
POOL = calibrated_pool(2000, seeded(1))
USUAL = Traffic(2500, OFFICE_HOURS)
KNOWN = usual_history(USUAL, POOL, POLICY, seeded(2))
LATER = TrafficProfile(OFFICE_HOURS.weights[-5:] + OFFICE_HOURS.weights[:-5])
DAYS = {
    "usual": USUAL,
    "burst": Traffic(2500, OFFICE_HOURS, Burst(hour=9)),
    "drifted": Traffic(3750, LATER),
}


def arrival(at: float, score: float, *, needs: bool, cost: int) -> Arrival:
    return Arrival(at, score, needs, cost, cost, 0.0)


def a_pacer(cap: int, *, knows: bool = True) -> Pacer:
    made = Pacer([Budget(PREMIUM, Unit.USD, cap)], UTC)
    if knows:
        made.learn(KNOWN)
    return made


def run(traffic: Traffic, share: float, seed: int, *, knows: bool = True) -> dict[str, DayResult]:
    """A day with a cap of a share of the usual demand, by pacing and by the cliff."""
    cap = round(share * KNOWN.demand[Unit.USD].wanted)
    arrivals = draw_day(traffic, POOL, POLICY, seeded(seed))
    rules: dict[str, Rule] = {
        "paced": Paced(a_pacer(cap, knows=knows)),
        "by size": Paced(a_pacer(cap, knows=knows), by_size=True),
        "cliff": Cliff(),
    }
    results = {name: simulate_day(arrivals, cap, rule) for name, rule in rules.items()}
    return results | {"hindsight": best_threshold(arrivals, cap), "oracle": oracle(arrivals, cap)}


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("name", DAYS)
def test_pacing_loses_less_than_the_cliff_at_the_same_budget(name: str, share: float) -> None:
    days = [run(DAYS[name], share, seed) for seed in (11, 12)]
    by_size, paced, cliff = (mean(day[rule].lost for day in days) for rule in ("by size", "paced", "cliff"))
    assert by_size < paced < cliff
    for result in (day[rule] for day in days for rule in ("paced", "by size")):
        assert result.most_held <= result.cap
        assert result.used > 0.95


def test_on_a_first_day_of_which_nothing_is_known_it_still_loses_less() -> None:
    days = [run(USUAL, 0.5, seed, knows=False) for seed in (11, 12)]
    assert mean(day["paced"].lost for day in days) < mean(day["cliff"].lost for day in days)
    assert min(day["paced"].used for day in days) > 0.94


def test_with_an_ample_cap_pacing_is_the_policy() -> None:
    day = run(USUAL, 1.6, 11)
    assert day["paced"] == day["by size"] == day["cliff"]
    assert day["paced"].lost == 0


def test_a_restart_at_noon_loses_little() -> None:
    arrivals = draw_day(USUAL, POOL, POLICY, seeded(11))
    cap = sum(each.cost for each in arrivals) // 2
    noon = Day(arrivals[0].at, UTC, OFFICE_HOURS).began_at + 12 * 3600

    class Restarted:
        """A process until noon, and one that knows nothing but the spend from then on."""

        before, after = Paced(a_pacer(cap)), Paced(Pacer([Budget(PREMIUM, Unit.USD, cap)], UTC, OFFICE_HOURS))

        def admits(self, each: Arrival, spent: int) -> bool:
            return (self.before if each.at < noon else self.after).admits(each, spent)

    restarted, cliff = simulate_day(arrivals, cap, Restarted()), simulate_day(arrivals, cap, Cliff())
    assert restarted.used > 0.95
    assert restarted.lost < cliff.lost


@settings(max_examples=30)
@given(st.integers(0, 10**6), st.floats(0.0, 1.5))
def test_no_rule_ever_exceeds_the_cap_and_the_oracle_beats_them_all(seed: int, share: float) -> None:
    arrivals = draw_day(Traffic(150, OFFICE_HOURS), POOL, POLICY, seeded(seed))
    cap = round(share * sum(each.cost for each in arrivals))
    day = Day(1_795_305_600.0, UTC, OFFICE_HOURS)
    rules: list[Rule] = [
        Cliff(),
        Thinned(0.5, seeded(1)),
        Paced(Pacer([Budget(PREMIUM, Unit.USD, cap)], UTC)),
    ]
    rules += [Proportional(cap or 1, day, start=0.5, gain=1.0, rate=4.0)]
    best = oracle(arrivals, cap)
    for result in (simulate_day(arrivals, cap, rule) for rule in rules):
        assert result.spent <= result.most_held <= cap
        assert result.met <= best.met


def test_the_cliff_serves_the_first_and_hindsight_the_best() -> None:
    first, second = arrival(1.0, 0.5, needs=False, cost=10), arrival(2.0, 0.9, needs=True, cost=10)
    cliff, hindsight = simulate_day([first, second], 10, Cliff()), best_threshold([first, second], 10)
    assert (cliff.served, cliff.met, cliff.lost) == (1, 0, 1)
    assert (hindsight.served, hindsight.met, hindsight.lost) == (1, 1, 0)


def test_the_oracle_buys_what_is_needed_at_the_least_cost() -> None:
    dear, plain = arrival(1.0, 0.9, needs=True, cost=10), arrival(2.0, 0.5, needs=True, cost=5)
    assert oracle([dear, plain], 10).met == 1
    assert oracle([dear, plain], 10).spent == 5


def test_calls_under_way_hold_their_bound() -> None:
    calls = [Arrival(at, 0.9, True, 4, 10, 5.0) for at in (0.0, 1.0, 6.0)]
    result = simulate_day(calls, 14, Cliff())
    assert (result.served, result.spent, result.most_held) == (2, 8, 14)


def test_a_proportional_controller_raises_the_price_when_it_is_ahead_of_its_plan() -> None:
    day = Day(1_795_305_600.0, UTC, TrafficProfile())
    call = arrival(day.began_at + 6 * 3600, 0.6, needs=True, cost=1)
    rule = Proportional(100, day, start=0.5, gain=1.0, rate=0.0)
    assert rule.admits(call, 25)
    assert not rule.admits(call, 50)


def test_a_day_is_drawn_again_from_the_same_seed_and_follows_its_profile() -> None:
    one, again = (draw_day(USUAL, POOL, POLICY, seeded(5)) for _ in range(2))
    assert one == again
    hours = [int((each.at - Day(each.at, UTC, OFFICE_HOURS).began_at) // 3600) for each in one]
    assert hours == sorted(hours)
    assert hours.count(10) > 5 * hours.count(3)
    assert all(0 < each.cost <= each.bound for each in one)


def test_a_burst_brings_more_prompts_in_its_hour() -> None:
    burst = Traffic(2400, TrafficProfile(), Burst(times=6.0, hour=9)).today(seeded(1))
    assert burst.prompts == 2900
    assert burst.profile.weights[9] == 6.0


def test_only_what_the_policy_wants_at_premium_arrives() -> None:
    cheap = [Judged((0.9, 0.05, 0.05), Tier.CHEAP)]
    assert draw_day(USUAL, cheap, POLICY, seeded(1)) == []


def test_a_budget_of_nothing_is_used_up() -> None:
    assert DayResult(0, 0, 0, 0, 0, 3).used == 1.0
