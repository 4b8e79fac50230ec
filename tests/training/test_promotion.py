from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.routed import laws, noisy_rows, routed_rows
from training.errors import EvaluationError, PromotionError
from training.promotion import Judgement, Terms, judge
from training.promotion_record import DIGEST_TAG, Decision, EvaluationSet, changed_set, looks_of, looks_tag
from training.promotion_text import decision_text
from training.promotion_wording import reasons, warnings
from training.routed_rows import IntArray, RoutedRows

QUICK = Terms(resamples=400)
NAMES = ("new", "old")


def labels(rows: int, languages: int = 2) -> dict[str, list[str]]:
    return {
        "language": [f"l{place % languages}" for place in range(rows)],
        "domain": ["code" if place % 3 else "law" for place in range(rows)],
    }


def judged(
    candidate: RoutedRows, champion: RoutedRows, terms: Terms = QUICK, languages: int = 2
) -> Judgement:
    return judge(candidate, champion, labels(len(candidate), languages), terms, names=NAMES)


def decided(judgement: Judgement, looks: int = 1, replaces: str | None = None) -> Decision:
    evaluation = EvaluationSet("d" * 64, "eval.jsonl", "test", judgement.criterion.rows, looks, replaces)
    champion = None if judgement.champion is None else 1
    return Decision("tierwise", 2, champion, judgement, evaluation, "2026-11-22T19:00:00+00:00")


def with_answers(rows: RoutedRows, answers: IntArray) -> RoutedRows:
    """Return rows of a model that is sure of these tiers, and chooses them."""
    return replace(rows, probabilities=np.eye(3)[answers], chosen=answers)


def wrong_in(rows: RoutedRows, places: IntArray) -> RoutedRows:
    """Return rows that are right everywhere but in some places."""
    answers = rows.needed.copy()
    answers[places] = (answers[places] + 1) % 3
    return with_answers(rows, answers)


WEAK, STRONG = noisy_rows(600, skill=1.0, seed=1), noisy_rows(600, skill=2.5, seed=2)


def test_a_better_model_is_promoted_and_the_same_one_is_not() -> None:
    assert judged(STRONG, WEAK).promoted
    same = judged(STRONG, STRONG)
    assert not same.promoted
    assert reasons(same)[0].startswith("It cannot be told from the champion: accuracy")


def test_a_worse_model_is_refused_with_the_figures() -> None:
    found = judged(WEAK, STRONG)
    assert not found.promoted
    assert "It is worse: accuracy" in reasons(found)[0]
    assert "against" in reasons(found)[0]


def test_a_first_champion_has_nobody_to_beat_and_is_evaluated_all_the_same() -> None:
    found = judge(WEAK, None, labels(600), QUICK, names=("new", None))
    assert found.promoted
    assert 0 < found.figures["most_probable.accuracy"] < 1
    assert (found.slices, found.guards) == ((), ())


@settings(laws, max_examples=20)
@given(routed_rows(), routed_rows(), st.sampled_from([None, 0.01]))
def test_two_models_are_never_both_better(first: RoutedRows, second: RoutedRows, usd: float | None) -> None:
    rows = min(len(first), len(second))
    one, other = (each.where(np.arange(len(each)) < rows) for each in (first, second))
    other = replace(other, needed=one.needed, weights=one.weights, input_tokens=one.input_tokens)
    terms = Terms(least_rows=0, resamples=50, poor_answer_usd=usd)
    assert not (judged(one, other, terms).better and judged(other, one, terms).better)


def test_a_slice_that_falls_refuses_a_better_model() -> None:
    german = np.flatnonzero(np.arange(600) % 10 == 0)
    candidate = wrong_in(STRONG, german)  # right everywhere else
    found = judge(
        candidate,
        with_answers(STRONG, np.where(np.isin(np.arange(600), german), STRONG.needed, WEAK.most_probable)),
        {"language": ["de" if place % 10 == 0 else "en" for place in range(600)], "domain": ["x"] * 600},
        QUICK,
        names=NAMES,
    )
    assert found.better
    assert not found.promoted
    assert [part.of for part in found.fallen] == ["language de"]
    assert "Worse by more than 5 points: language de." in reasons(found)


def test_a_fall_within_the_margin_is_borne() -> None:
    champion, candidate = wrong_in(STRONG, np.arange(0, 60)), wrong_in(STRONG, np.arange(0, 600, 200))
    assert judged(candidate, champion).promoted
    few = wrong_in(STRONG, np.arange(100, 104))
    assert not judged(few, with_answers(STRONG, STRONG.needed)).fallen


def test_a_fall_that_chance_explains_is_shown_and_borne() -> None:
    rows = noisy_rows(100, skill=1.5, seed=1)
    champion = with_answers(rows, rows.most_probable)
    places = np.flatnonzero(np.arange(100) % 2 == 0)
    lost, won = places[rows.most_probable[places] == rows.needed[places]][:9], places[:0]
    gained = places[rows.most_probable[places] != rows.needed[places]][:5]
    answers = rows.most_probable.copy()
    answers[lost], answers[gained], answers[won] = (answers[lost] + 1) % 3, rows.needed[gained], 0
    found = judge(
        with_answers(rows, answers), champion, labels(100), replace(QUICK, margin=0.01), names=NAMES
    )
    standings = {part.of: found.standing(part) for part in found.slices}
    assert standings["language l0"] == "within chance"
    assert "  within chance" in decision_text(decided(found))


def test_slices_of_few_rows_are_listed_and_judged_together() -> None:
    found = judged(WEAK, STRONG, languages=60)
    assert {part.of for part in found.not_judged} == {f"language l{number}" for number in range(60)}
    (together,) = [part for part in found.slices if part.of == "language: 60 rare ones"]
    assert together.rows == 600
    assert found.standing(together) == "fell"
    assert "Not judged, fewer than 30 effective rows: language l" in decision_text(decided(found))


def test_few_rows_with_most_of_the_weight_count_as_few() -> None:
    weights = np.full(600, 0.001)
    weights[:20] = 1.0
    strong, weak = (replace(rows, weights=weights) for rows in (STRONG, WEAK))
    with pytest.raises(
        EvaluationError, match="600, which say as much as 21 of equal weight; give at least 50"
    ):
        judged(strong, weak)


def test_a_knob_turned_too_far_refuses_a_better_model() -> None:
    astray = replace(STRONG, chosen=np.zeros(600, dtype=np.int64))
    found = judged(astray, WEAK)
    assert found.better
    assert not found.promoted
    assert {part.measure.key for part in found.fallen} >= {"under_routing"}


def test_told_what_a_poor_answer_costs_two_policies_over_one_model_differ() -> None:
    bold = replace(STRONG, chosen=np.zeros(600, dtype=np.int64))
    terms = replace(QUICK, poor_answer_usd=1.0)
    assert judged(STRONG, bold, terms).promoted
    assert not judged(bold, STRONG, terms).better
    assert judged(bold, STRONG, replace(terms, poor_answer_usd=1e-9)).better  # then nothing is poor


ALWAYS_BALANCED = with_answers(WEAK, np.full(600, 1, dtype=np.int64))


@pytest.mark.parametrize(
    ("first", "usd", "told"),
    [
        pytest.param(with_answers(WEAK, (WEAK.needed + 1) % 3), None, "It is worse than", id="worse"),
        pytest.param(ALWAYS_BALANCED, None, "It cannot be told from", id="the same"),
        pytest.param(ALWAYS_BALANCED, 0.01, "always premium: expected USD per 1,000", id="by expected cost"),
    ],
)
def test_a_first_champion_that_beats_no_constant_tier_is_warned_of(
    first: RoutedRows, usd: float | None, told: str
) -> None:
    terms = replace(QUICK, poor_answer_usd=usd)
    decision = decided(judge(first, None, labels(600), terms, names=("new", None)))
    assert decision.promoted
    (warning,) = warnings(decision.judgement)
    assert told in warning
    assert decision.as_dict()["warnings"] == [warning]
    text = decision_text(decision)
    assert f"Warning: {warning}" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("usd", [None, 0.01], ids=["accuracy", "expected cost"])
def test_nothing_is_warned_of_where_a_constant_tier_is_beaten_or_a_champion_is_there(
    usd: float | None,
) -> None:
    terms = replace(QUICK, poor_answer_usd=usd)
    assert warnings(judge(STRONG, None, labels(600), terms, names=("new", None))) == ()
    later = judged(ALWAYS_BALANCED, STRONG, terms)
    assert decided(later).as_dict()["warnings"] == []
    assert "Warning" not in decision_text(decided(later))


def test_a_slice_that_is_everything_is_not_told() -> None:
    whole = {"language": ["not given"] * 600, "domain": labels(600)["domain"]}
    found = judge(STRONG, WEAK, whole, QUICK, names=NAMES)
    assert {part.of for part in found.slices} == {"domain code", "domain law"}


def test_other_rows_are_refused() -> None:
    other = replace(WEAK, needed=(WEAK.needed + 1) % 3)
    with pytest.raises(EvaluationError, match="same rows"):
        judged(STRONG, other)


def test_the_text_says_what_was_decided_by_and_fits_a_terminal() -> None:
    for found in (judged(STRONG, WEAK), judged(WEAK, STRONG, replace(QUICK, poor_answer_usd=0.01))):
        text = decision_text(decided(found, looks=12, replaces="e" * 64))
        assert text.startswith(("Promoted: tierwise version 2.", "Refused: tierwise version 2."))
        assert max(map(len, text.splitlines())) <= 100
        assert found.terms.criterion_in_words in text
        assert "promotion number 12 that this evaluation set decides" in text
        assert "Time for a new set" in text
        assert "in place of eeeeeeeeeeee" in text


def test_every_tag_is_written_each_time_and_says_something() -> None:
    refused = decided(judged(WEAK, STRONG)).tags()
    first = decided(judge(WEAK, None, labels(600), QUICK, names=("new", None))).tags()
    assert refused.keys() == first.keys()
    assert all(refused.values())
    assert all(first.values())
    assert (refused["decision"], first["decision"]) == ("refused", "promoted")
    assert first["previous_champion"] == "none"


def test_looks_are_counted_by_set() -> None:
    assert looks_of({}, "a" * 64) == 0
    assert looks_of({looks_tag("a" * 64): "3"}, "a" * 64) == 3
    assert looks_of({looks_tag("a" * 64): "many"}, "a" * 64) == 0
    assert looks_of({looks_tag("a" * 64): "3"}, "b" * 64) == 0


def test_another_set_than_the_champions_has_to_be_asked_for() -> None:
    tags = {DIGEST_TAG: "a" * 64}
    assert changed_set(tags, "a" * 64, allowed=False) is None
    assert changed_set({}, "b" * 64, allowed=False) is None
    assert changed_set(tags, "b" * 64, allowed=True) == "a" * 64
    with pytest.raises(PromotionError, match="--new-evaluation-set"):
        changed_set(tags, "b" * 64, allowed=False)
