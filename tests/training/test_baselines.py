import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.routed import laws
from training.baselines import (
    Baseline,
    KeywordRule,
    LengthRule,
    MajorityRule,
    default_baselines,
    fitted_baselines,
)
from training.errors import EvaluationError
from training.labelled import LabelledData

CHEAP, BALANCED, PREMIUM = range(3)


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("Who wrote Faust?", CHEAP),
        ("Please compare these two?", CHEAP),
        ("Please Compare these two.", PREMIUM),
        ("A reasonable plan, please.", PREMIUM),
        ("Write a haiku.", BALANCED),
        ("?".ljust(499, "a"), CHEAP),
        ("?".ljust(500, "a"), BALANCED),
        ("", BALANCED),
    ],
    ids=["question", "question first", "keyword", "part of a word", "neither", "499", "500", "empty"],
)
def test_the_keyword_rule_reads_as_the_mission_states_it(text: str, tier: int) -> None:
    assert KeywordRule().choose([text]).tolist() == [tier]


def test_the_keyword_rule_is_right_as_seldom_as_the_design_says(labelled: LabelledData) -> None:
    prompts = labelled.where(~labelled.frame["is_conversation"].to_numpy()).frame
    chosen = KeywordRule().choose(list(prompts["prompt"]))
    assert (chosen == prompts["tier"].to_numpy()).mean() == pytest.approx(0.39, abs=0.02)


def test_the_length_rule_s_defaults_are_the_tertiles_of_the_data(labelled: LabelledData) -> None:
    prompts = labelled.where(~labelled.frame["is_conversation"].to_numpy()).frame
    fitted = LengthRule.fit(list(prompts["prompt"]))
    default = LengthRule()
    assert (fitted.balanced_from, fitted.premium_from) == (default.balanced_from, default.premium_from)


@laws
@given(st.lists(st.text(max_size=30), min_size=1, max_size=30))
def test_longer_never_means_cheaper(texts: list[str]) -> None:
    chosen = LengthRule.fit(texts).choose(sorted(texts, key=len))
    assert (np.diff(chosen) >= 0).all()


def test_a_threshold_belongs_to_the_dearer_side() -> None:
    assert LengthRule(2, 4).choose(["a", "aa", "aaa", "aaaa"]).tolist() == [
        CHEAP,
        BALANCED,
        BALANCED,
        PREMIUM,
    ]


@pytest.mark.parametrize(("low", "high"), [(10, 5), (-1, 5)], ids=["falling", "negative"])
def test_thresholds_out_of_order_are_refused(low: int, high: int) -> None:
    with pytest.raises(EvaluationError, match="rising order"):
        LengthRule(low, high)


def test_no_texts_fit_no_length_rule() -> None:
    with pytest.raises(EvaluationError, match="at least one text"):
        LengthRule.fit([])


def test_the_majority_is_of_weight_not_of_rows() -> None:
    rule = MajorityRule.fit(np.array([0, 0, 2]), np.array([1.0, 1.0, 5.0]))
    assert rule.choose(["a", "b"]).tolist() == [PREMIUM, PREMIUM]
    assert "premium" in rule.description


def test_cheap_is_the_majority_of_the_data(labelled: LabelledData) -> None:
    needed, weights = labelled.frame["tier"].to_numpy(), labelled.frame["weight"].to_numpy()
    assert MajorityRule.fit(needed, weights) == MajorityRule()


@pytest.mark.parametrize("rule", default_baselines(), ids=lambda rule: rule.key)
def test_no_texts_get_no_tiers(rule: Baseline) -> None:
    assert rule.choose([]).tolist() == []


def test_fitted_baselines_are_the_default_ones_with_settings_of_their_own() -> None:
    fitted = fitted_baselines(["a", "bb", "ccc"], np.array([2, 2, 0]), np.ones(3))
    assert [rule.key for rule in fitted] == [rule.key for rule in default_baselines()]
    assert fitted[2] == MajorityRule(PREMIUM)
