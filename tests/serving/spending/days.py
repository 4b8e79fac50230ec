"""Days and prompts for simulations of pacing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from zoneinfo import ZoneInfo

from classifier import TIERS, Policy
from serving.spending.budget_terms import Unit
from serving.spending.day_traffic import Judged, Traffic, draw_day
from serving.spending.pacing import Demand
from serving.spending.traffic_profile import TrafficProfile

__all__ = ["OFFICE_HOURS", "UTC", "Known", "calibrated_pool", "seeded", "usual_history"]

UTC = ZoneInfo("UTC")
OFFICE_HOURS = TrafficProfile(
    (2, 1, 1, 1, 1, 2, 4, 7, 12, 18, 20, 19, 16, 18, 20, 19, 17, 14, 11, 9, 8, 6, 4, 3)
)


@dataclass(frozen=True)
class Known:
    """What a pacer knows of previous days."""

    profile: TrafficProfile
    demand: Mapping[Unit, Demand]
    scores: Sequence[float]


def seeded(seed: int) -> Random:
    """Return a source of randomness that gives the same again."""
    return Random(seed)  # noqa: S311 - no secret


def calibrated_pool(count: int, random: Random) -> list[Judged]:
    """Prompts whose probabilities are exactly right: the needed tier is drawn from them."""
    pool = []
    for _ in range(count):
        drawn = [random.gammavariate(0.6, 1.0) for _ in TIERS]
        cheap, balanced, premium = (each / sum(drawn) for each in drawn)
        needed = random.choices(TIERS, weights=(cheap, balanced, premium))[0]
        pool.append(Judged((cheap, balanced, premium), needed))
    return pool


def usual_history(traffic: Traffic, pool: Sequence[Judged], policy: Policy, random: Random) -> Known:
    """The mean demand of five usual days, their profile, and the scores of the last one."""
    days = [draw_day(traffic, pool, policy, random) for _ in range(5)]
    demand = sum(each.cost for day in days for each in day) / len(days)
    scores = [each.score for each in days[-1]][-1000:]
    return Known(traffic.profile, {Unit.USD: Demand(demand)}, scores)
