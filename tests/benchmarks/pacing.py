"""Pacing against the cliff of a hard cap, on simulated days of the project's own test prompts.

Probabilities are the packaged model's on rows that it was not fitted on, needed tiers are their labels. The
figure is the share of prompts which need premium and would get it without a cap, but do not. Days of the same
seed are alike for every rule, so differences are paired. Nothing was chosen by these days: the controller's
weights and the proportional controller's gain were chosen on made-up prompts and other seeds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Final

from scipy import stats

from classifier import TIERS, TierPredictor
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
from tests.benchmarks.material import Material, say
from tests.benchmarks.row import Peer, Row
from tests.serving.spending.days import OFFICE_HOURS, UTC, Known, seeded, usual_history
from training.labelled import LabelledData

__all__ = ["judged_rows", "pacing_rows"]

_DAYS: Final = 24
_PROMPTS: Final = 3000
_CAPS: Final = (0.3, 0.5, 0.7)
_GAIN: Final = 1.0
_OTHERS: Final = {
    "by size": "pacing by the dollar, which withholds long prompts first",
    "thinned": "uniform thinning at the day's true rate",
    "proportional": "a proportional controller that starts at the right threshold",
    "hindsight": "the best fixed threshold in hindsight",
    "oracle": "an oracle of needs and costs",
}


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of day, and whether the pacer knows usual days."""

    name: str
    traffic: Traffic
    knows: bool = True


def pacing_rows(material: Material, days: int = _DAYS, prompts: int = _PROMPTS) -> Iterator[Row]:
    """Yield a row for every kind of day and cap."""
    predictor = material.predictor
    pool = judged_rows(material.split.test, predictor)
    usual = Traffic(prompts, OFFICE_HOURS)
    known = usual_history(usual, pool, predictor.policy, seeded(900))
    for kind in _kinds(prompts):
        say(f"simulating {days} days: {kind.name}")
        drawn = [draw_day(kind.traffic, pool, predictor.policy, seeded(seed)) for seed in range(days)]
        for share in _CAPS:
            cap = round(share * known.demand[Unit.USD].wanted)
            yield _row(kind, share, [_results(kind, day, cap, share, known) for day in drawn])


def judged_rows(rows: LabelledData, predictor: TierPredictor) -> list[Judged]:
    """Return rows as the model sees them, with the tiers that they need."""
    frame = rows.frame
    decisions = [predictor.decide(prompt) for prompt in frame["prompt"]]
    return [
        Judged(decision.probabilities, TIERS[tier], decision.known_vocabulary)
        for decision, tier in zip(decisions, frame["tier"], strict=True)
    ]


def _kinds(prompts: int) -> Sequence[_Kind]:
    later = TrafficProfile(OFFICE_HOURS.weights[-5:] + OFFICE_HOURS.weights[:-5])
    return (
        _Kind("a usual day", Traffic(prompts, OFFICE_HOURS)),
        _Kind("a burst, 6 times as dense for an hour", Traffic(prompts, OFFICE_HOURS, Burst())),
        _Kind("5 hours later and half as much again", Traffic(prompts * 3 // 2, later)),
        _Kind("a first day, nothing known", Traffic(prompts, OFFICE_HOURS), knows=False),
    )


def _results(
    kind: _Kind, arrivals: Sequence[Arrival], cap: int, share: float, known: Known
) -> dict[str, DayResult]:
    pacers = [Pacer([Budget(PREMIUM, Unit.USD, cap)], UTC) for _ in range(2)]
    for pacer in pacers if kind.knows else ():
        pacer.learn(known)
    day = Day(arrivals[0].at, UTC, known.profile if kind.knows else TrafficProfile())
    start = sorted(known.scores)[int((1 - share) * len(known.scores))] if kind.knows else 0.0
    true_rate = min(1.0, cap / sum(each.cost for each in arrivals))
    rules: Mapping[str, Rule] = {
        "paced": Paced(pacers[0]),
        "by size": Paced(pacers[1], by_size=True),
        "cliff": Cliff(),
        "thinned": Thinned(true_rate, seeded(len(arrivals))),
        "proportional": Proportional(cap, day, start=start, gain=_GAIN, rate=0.0),
    }
    found = {name: simulate_day(arrivals, cap, rule) for name, rule in rules.items()}
    return found | {"hindsight": best_threshold(arrivals, cap), "oracle": oracle(arrivals, cap)}


def _row(kind: _Kind, share: float, days: Sequence[Mapping[str, DayResult]]) -> Row:
    lost = {name: [day[name].lost / day[name].needing for day in days] for name in days[0]}
    saved = [cliff - paced for cliff, paced in zip(lost["cliff"], lost["paced"], strict=True)]
    mean, half = _mean(saved)
    paced, around = _mean(lost["paced"])
    others = "; ".join(f"{what} {fmean(lost[name]):.3f}" for name, what in _OTHERS.items())
    ours = [day[name] for day in days for name in ("paced", "by size")]
    used, over = min(each.used for each in ours), sum(each.most_held > each.cap for each in ours)
    return Row(
        f"{kind.name}, cap {share:.0%}",
        paced,
        interval=(paced - around, paced + around),
        peer=Peer("hard cap alone", fmean(lost["cliff"])),
        note=f"lost less than the cliff by {mean:.3f} +- {half:.3f} (days differ by {stdev(saved):.3f}), on "
        f"{sum(each > 0 for each in saved)} of {len(days)} days; {others}; budget used {used:.1%} or more "
        f"(cliff {min(day['cliff'].used for day in days):.1%}), exceeded on {over} days",
    )


def _mean(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and half of its 95 % interval."""
    spread = stdev(values) / len(values) ** 0.5
    return fmean(values), float(stats.t.ppf(0.975, len(values) - 1)) * spread
