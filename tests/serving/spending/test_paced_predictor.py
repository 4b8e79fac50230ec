from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path

import pytest

from classifier import Tier, TierPredictor
from serving.alarms import Alarms
from serving.selector import Selector
from serving.spending.budget_terms import PREMIUM, Budget, Unit
from serving.spending.paced_predictor import PacedPredictor
from serving.spending.pacing import Demand, Pacer
from serving.spending.traffic_profile import TrafficProfile
from tests.serving.small_model import write_small_model

NOON = 1_795_305_600.0 + 12 * 3600
HARD, EASY = "Prove that the race ends.", "thanks, what is the capital?"


@dataclass
class Known:
    demand: Mapping[Unit, Demand]
    scores: tuple[float, ...] = (1.0,) * 100
    profile: TrafficProfile = field(default_factory=TrafficProfile)


@pytest.fixture
def predictor(tmp_path: Path) -> TierPredictor:
    return TierPredictor.load(write_small_model(tmp_path / "small.tierwise"))


def paced(predictor: TierPredictor, *, demand: float, spent: int = 0) -> PacedPredictor:
    pacer = Pacer([Budget(PREMIUM, Unit.USD, 1000)], UTC)
    pacer.learn(Known({Unit.USD: Demand(demand)}))
    return PacedPredictor(predictor, pacer, clock=lambda: NOON, spent=lambda: {Unit.USD: spent})


def test_with_an_ample_budget_it_decides_and_explains_as_the_predictor(predictor: TierPredictor) -> None:
    ample = paced(predictor, demand=10.0)
    for prompt in (HARD, EASY):
        assert ample.decide(prompt) == predictor.decide(prompt)
        assert ample.explain(prompt) == predictor.explain(prompt)
        assert not ample.rationed(ample.decide(prompt))


def test_a_rationed_prompt_goes_to_balanced_and_the_decision_says_so(predictor: TierPredictor) -> None:
    scarce = paced(predictor, demand=100_000.0, spent=1000)
    decision = scarce.decide(HARD)
    assert decision.tier is Tier.BALANCED
    assert decision.risk == pytest.approx(decision.probabilities[2])
    assert "the day's premium budget is being rationed" in decision.policy
    assert scarce.rationed(decision)


def test_what_does_not_want_premium_is_left_alone(predictor: TierPredictor) -> None:
    assert paced(predictor, demand=100_000.0, spent=1000).decide(EASY) == predictor.decide(EASY)


def test_the_rationing_is_the_first_reason(predictor: TierPredictor) -> None:
    scarce = paced(predictor, demand=100_000.0, spent=1000)
    selection = Selector(scarce, Alarms(), 5.0).select("auto", [{"role": "user", "content": HARD}])
    assert selection.tier is Tier.BALANCED
    assert selection.reasons()[0].startswith("the day's premium budget is being rationed: P(premium needed)")
    explained = scarce.explain(HARD)
    assert explained.decision == selection.decision
    assert len(explained.reasons(1)) == 1
    assert "rationed" in explained.as_dict()["comparison"]


def test_by_size_a_long_prompt_has_to_need_premium_more(predictor: TierPredictor) -> None:
    pacer = Pacer([Budget(PREMIUM, Unit.USD, 1000)], UTC)
    pacer.learn(Known({Unit.USD: Demand(2000.0)}, scores=tuple(number / 100 for number in range(100))))
    by_size = PacedPredictor(
        predictor, pacer, clock=lambda: NOON, spent=lambda: {Unit.USD: 500}, by_size=True
    )
    long = HARD + " " * 20_000
    assert by_size.decide(HARD).tier is Tier.PREMIUM
    assert by_size.decide(long).tier is Tier.BALANCED
    assert by_size.explain(long).decision.tier is Tier.BALANCED


def test_only_what_is_sent_counts_as_demand(predictor: TierPredictor) -> None:
    counted = paced(predictor, demand=2.0)
    for _ in range(50):
        counted.explain(HARD)
        decision = counted.decide(HARD)
    assert counted.pacer.threshold(NOON + 3600, {Unit.USD: 400}) == 0.0
    for _ in range(50):
        counted.began(HARD, decision, decision.tier)
    assert counted.pacer.threshold(NOON + 3600, {Unit.USD: 400}) > 0.0


class Counting(Pacer):
    """A pacer that keeps what it was told."""

    def __init__(self) -> None:
        super().__init__([Budget(PREMIUM, Unit.USD, 1000)], UTC)
        self.told: list[str] = []

    def wanted(
        self, _now: float, _spent: Mapping[Unit, int], _score: float, *, admitted: bool, size: float = 1.0
    ) -> None:
        assert size == 1.0
        self.told.append("admitted" if admitted else "withheld")

    def forced(self, _now: float, _spent: Mapping[Unit, int], _size: float = 1.0) -> None:
        self.told.append("forced")


@pytest.mark.parametrize(
    ("prompt", "lowered", "tier", "told"),
    [
        pytest.param(HARD, False, Tier.PREMIUM, ["admitted"], id="the policy's premium"),
        pytest.param(HARD, True, Tier.BALANCED, ["withheld"], id="rationed"),
        pytest.param(HARD, True, Tier.PREMIUM, ["forced"], id="rationed, and lifted by a floor"),
        pytest.param(EASY, False, Tier.PREMIUM, ["forced"], id="lifted by a floor"),
        pytest.param(EASY, False, Tier.CHEAP, [], id="cheap"),
        pytest.param(None, False, Tier.PREMIUM, ["forced"], id="premium by name"),
        pytest.param(None, False, Tier.BALANCED, [], id="balanced by name"),
        pytest.param(None, False, None, [], id="another model by name"),
    ],
)
def test_requests_are_counted_by_who_wanted_premium(
    predictor: TierPredictor, prompt: str | None, lowered: bool, tier: Tier | None, told: list[str]
) -> None:
    pacer = Counting()
    decided = None if prompt is None else predictor.decide(prompt)
    decision = replace(decided, tier=Tier.BALANCED) if decided and lowered else decided
    PacedPredictor(predictor, pacer, clock=lambda: NOON, spent=dict).began(prompt or EASY, decision, tier)
    assert pacer.told == told
