import json
from pathlib import Path

import numpy as np
import pytest

from classifier import AbstainingPolicy, ExpectedCostPolicy, RiskPolicy, Tier
from classifier.policies import policy_from_dict
from tests.training.tunable import COSTS, calibrating, some_tunable
from training.abstention import AbstentionRule
from training.abstention_effect import abstention_effect
from training.errors import EvaluationError, TargetNotMet
from training.policy_targets import PremiumShare, Quality, Target, UsdPer1000
from training.routing_figures import routing_figures
from training.text_tables import WIDTH, columns_of
from training.tuning import TunedPolicy, families_for, tune
from training.tuning_record import policy_record
from training.tuning_rows import TuningRows
from training.tuning_text import tuning_text
from training.under_routing_promise import MaxUnderRouting

ROWS = some_tunable(800)
BOTH = ("risk", "expected-cost")
TARGETS: list[Target] = [
    MaxUnderRouting(0.2),
    MaxUnderRouting(0.2, None),
    PremiumShare(0.2),
    UsdPer1000(0.9),
    Quality(0.9),
]
IDS = ["promise", "on average", "premium share", "dollars", "quality"]
RULE = AbstentionRule(Tier.BALANCED, least_known=0.2)


def tuned(
    target: Target,
    rows: TuningRows = ROWS,
    keys: tuple[str, ...] = BOTH,
    rule: AbstentionRule | None = None,
) -> TunedPolicy:
    return tune(rows, target, families_for(target, rows, COSTS, keys), abstention=rule, resamples=50)


@pytest.mark.parametrize("rule", [None, RULE], ids=["plain", "abstaining"])
@pytest.mark.parametrize("target", TARGETS, ids=IDS)
def test_the_policy_itself_achieves_what_is_told_of_it(target: Target, rule: AbstentionRule | None) -> None:
    found = tuned(target, rule=rule)
    for half, told in zip(ROWS.halves(), (found.best.calibration, found.best.held_out), strict=True):
        pairs = zip(half.probabilities.tolist(), half.known_vocabulary.tolist(), strict=True)
        chosen = np.array([found.best.policy.choose(triple, known) for triple, known in pairs])
        assert routing_figures(half, chosen).sums == pytest.approx(told.sums)


@pytest.mark.parametrize("target", TARGETS, ids=IDS)
def test_nothing_is_learnt_from_the_held_out_half(target: Target) -> None:
    held_out = ~ROWS.calibrates
    noise = np.random.default_rng(0)
    spoilt = calibrating(ROWS, ROWS.calibrates)
    spoilt.under[held_out] = noise.random((held_out.sum(), 3)) < 0.5
    assert tuned(target, spoilt).best.knob == tuned(target).best.knob


def test_the_families_of_a_promise_are_settled_before_any_row_is_seen() -> None:
    others = some_tunable(800, seed=5)
    target = MaxUnderRouting(0.1)
    assert [family.knobs.tolist() for family in families_for(target, ROWS, COSTS, BOTH)] == [
        family.knobs.tolist() for family in families_for(target, others, COSTS, BOTH)
    ]


@pytest.mark.parametrize("target", TARGETS, ids=IDS)
def test_of_two_families_the_better_on_the_other_axis_is_taken(target: Target) -> None:
    found = tuned(target)
    dollars = [float(candidate.calibration.usd_per_1000_prompts) for candidate in found.candidates]
    quality = [float(candidate.calibration.quality_of_premium) for candidate in found.candidates]
    best = np.argmin(dollars) if target.better_by == "dollars" else np.argmax(quality)
    assert len(found.candidates) == 2
    assert found.best is found.candidates[best]


@pytest.mark.parametrize(
    ("keys", "kind"), [(("risk",), RiskPolicy), (("expected-cost",), ExpectedCostPolicy)], ids=BOTH
)
def test_one_family_can_be_asked_for(keys: tuple[str, ...], kind: type) -> None:
    assert isinstance(tuned(PremiumShare(0.2), keys=keys).best.policy, kind)


def test_the_target_is_met_by_the_whole_policy_abstaining_included() -> None:
    found = tuned(PremiumShare(0.2), rule=AbstentionRule(Tier.PREMIUM, least_known=0.2))
    assert isinstance(found.best.policy, AbstainingPolicy)
    assert found.best.calibration.premium_share <= 0.2
    with pytest.raises(TargetNotMet, match=r"premium share of at most 0.1 cannot be had: .* is 0.2 on"):
        tuned(PremiumShare(0.1), rule=AbstentionRule(Tier.PREMIUM, least_known=0.2))


def test_a_refusal_is_that_of_the_nearer_family() -> None:
    with pytest.raises(TargetNotMet, match="the least is USD") as refusal:
        tuned(UsdPer1000(0.001))
    assert refusal.value.nearest == pytest.approx(1000 * ROWS.halves()[0].usd[:, 0].mean())


def test_a_half_with_too_few_prompts_is_refused() -> None:
    with pytest.raises(EvaluationError, match="to calibrate on and"):
        tuned(PremiumShare(0.2), some_tunable(50))


# --- abstaining


def test_the_effect_of_abstaining_is_told_of_the_same_prompts() -> None:
    target = UsdPer1000(0.9)
    families = families_for(target, ROWS, COSTS, BOTH)
    found = tuned(target, rule=RULE)
    effect = abstention_effect(ROWS, found, families, RULE)
    assert effect.share == pytest.approx(0.2, abs=0.01)
    assert effect.abstaining is not None
    assert effect.otherwise is not None
    assert effect.abstaining.shares.tolist() == [0, 1, 0]
    assert effect.abstaining.prompts == effect.otherwise.prompts
    assert effect.without is not None
    assert effect.without.policy == tuned(target).best.policy


def test_a_rule_that_meets_no_prompt_changes_nothing() -> None:
    target, rule = UsdPer1000(0.9), AbstentionRule(least_known=0.05)
    found = tuned(target, rule=rule)
    effect = abstention_effect(ROWS, found, families_for(target, ROWS, COSTS, BOTH), rule)
    assert (effect.share, effect.abstaining) == (0.0, None)
    assert found.best.held_out.sums.tolist() == tuned(target).best.held_out.sums.tolist()


# --- what is kept and told


@pytest.mark.parametrize("rule", [None, RULE], ids=["plain", "abstaining"])
@pytest.mark.parametrize("target", TARGETS, ids=IDS)
def test_the_record_is_json_and_tells_target_data_and_both_halves(
    target: Target, rule: AbstentionRule | None
) -> None:
    found = tuned(target, rule=rule)
    families = families_for(target, ROWS, COSTS, BOTH)
    effect = None if rule is None else abstention_effect(ROWS, found, families, rule)
    record = json.loads(json.dumps(policy_record(found, effect, digest="abc", part="test"), allow_nan=False))
    assert record["target"] == target.as_dict()
    assert record["data"] == {"digest": "abc", "part": "test"}
    assert (record["rows"], record["held_out"]["rows"]) == (400, 400)
    assert set(record["held_out"]["intervals"]) == {
        *("under_routing", "quality_of_premium", "usd_per_1000_prompts", "premium_share")
    }
    assert (record["bound"] is not None) == target.is_promise
    assert (record["abstention"] is not None) == (rule is not None)
    assert policy_from_dict(found.best.policy.as_dict()) == found.best.policy


@pytest.mark.parametrize("rule", [None, RULE], ids=["plain", "abstaining"])
@pytest.mark.parametrize("target", TARGETS, ids=IDS)
def test_the_report_fits_a_hundred_columns_and_tells_all_rivals(
    target: Target, rule: AbstentionRule | None
) -> None:
    found = tuned(target, rule=rule)
    families = families_for(target, ROWS, COSTS, BOTH)
    effect = None if rule is None else abstention_effect(ROWS, found, families, rule)
    text = tuning_text(found, effect, model="m\x1b", data="d", written=Path("o"), version="v")
    assert max(map(columns_of, text.splitlines())) <= WIDTH
    assert all(line.isprintable() for line in text.splitlines())
    assert all(f"always {tier}" in text for tier in Tier)
    assert ("No promise" in text) != target.is_promise
    assert ("tuned without it" in text) == (rule is not None)


def test_the_report_says_when_a_fixed_tier_would_do_as_well_for_less() -> None:
    easy = calibrating(ROWS, ROWS.calibrates)
    easy.under[:] = False
    easy.quality[:] = 1.0
    found = tuned(PremiumShare(0.2), easy)
    text = tuning_text(found, None, model="m", data="d", written=Path("o"), version="v")
    assert "Always cheap does as well for fewer dollars" in text
