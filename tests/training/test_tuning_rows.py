from dataclasses import replace

import numpy as np
import pytest

from classifier import Prompt, Tier
from tests.training.routed import LengthPredictor
from tests.training.tunable import COSTS, some_tunable
from training.errors import EvaluationError
from training.labelled import LabelledData
from training.outcome_table import OutcomeTable
from training.split import split_name
from training.tuning_rows import TuningRows, labelled_tuning_rows, outcome_tuning_rows

PROMPTS: list[Prompt] = ["short", "x" * 3000, [{"role": "user", "content": "a question"}]]


def table(tiers: tuple[Tier, ...], scores: list[list[float]]) -> OutcomeTable:
    return OutcomeTable(
        tiers=tiers,
        names=tuple(tier.label for tier in tiers),
        prompts=PROMPTS,
        scores=np.array(scores),
        usd=np.array([[0.001 * (1 + int(tier)) for tier in tiers]] * len(scores)),
        tokens=None,
        repeats=np.ones(len(scores), dtype=np.int64),
        noise=None,
        digest="0" * 64,
    )


ALL_TIERS = table(tuple(Tier), [[0.0, 1.0, 0.5], [0.0, 0.0, 0.0], [0.2, 0.4, 0.9]])
TWO_TIERS = table((Tier.CHEAP, Tier.PREMIUM), [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])


def test_outcomes_of_three_tiers() -> None:
    rows = outcome_tuning_rows(LengthPredictor(), ALL_TIERS, COSTS)
    assert rows.quality.tolist() == ALL_TIERS.scores.tolist()
    assert rows.premium_quality.tolist() == [0.5, 0.0, 0.9]
    # balanced was as good as any, nobody solved it, premium was best
    assert rows.under.tolist() == [[True, False, False], [False] * 3, [True, True, False]]
    assert rows.usd[0].tolist() == [0.001, 0.002, 0.003]
    assert rows.dollars == "Dollars are those of the outcome table."


def test_a_tolerance_makes_less_of_small_differences() -> None:
    rows = outcome_tuning_rows(LengthPredictor(), ALL_TIERS, COSTS, tolerance=0.6)
    assert rows.under.tolist() == [[True, False, False], [False] * 3, [True, False, False]]


def test_a_tier_that_was_not_scored_is_answered_by_the_next_above() -> None:
    rows = outcome_tuning_rows(LengthPredictor(), TWO_TIERS, COSTS)
    assert rows.answered.tolist() == [[0, 2, 2]] * 3
    assert rows.quality[0].tolist() == [0.0, 1.0, 1.0]
    assert rows.usd[0].tolist() == [0.001, 0.003, 0.003]
    assert rows.under.tolist() == [[True, False, False], [False] * 3, [False] * 3]


def test_outcomes_without_premium_are_refused() -> None:
    cheap_half = table((Tier.CHEAP, Tier.BALANCED), [[0.0, 1.0]])
    with pytest.raises(EvaluationError, match=r"scores cheap and balanced; .*--premium COL"):
        outcome_tuning_rows(LengthPredictor(), cheap_half, COSTS)


def test_repeated_prompts_count_once(small_labelled: LabelledData) -> None:
    twice = small_labelled.with_rows_of(small_labelled)
    once = labelled_tuning_rows(LengthPredictor(), small_labelled, COSTS)
    found = labelled_tuning_rows(LengthPredictor(), twice, COSTS)
    assert len(found) == len(once)
    assert found.usd.tolist() == once.usd.tolist()


def test_labels_say_whether_an_answer_will_do(small_labelled: LabelledData) -> None:
    rows = labelled_tuning_rows(LengthPredictor(), small_labelled, COSTS)
    needed = small_labelled.frame["tier"].to_numpy()
    assert (rows.under.sum(axis=1) == needed).all()
    assert (rows.quality == 1.0 - rows.under).all()
    assert (rows.premium_quality == 1).all()


def test_neither_order_nor_added_rows_move_a_prompt_to_the_other_half(small_labelled: LabelledData) -> None:
    def halves(data: LabelledData) -> dict[str, bool]:
        rows = labelled_tuning_rows(LengthPredictor(), data, COSTS)
        return dict(zip(data.frame["text"], rows.calibrates.tolist(), strict=True))

    every = halves(small_labelled)
    backwards = LabelledData(small_labelled.frame[::-1].reset_index(drop=True))
    assert halves(backwards) == every
    third = halves(small_labelled.where(np.arange(len(small_labelled)) % 3 == 0))
    assert third == {text: every[text] for text in third}
    assert 0.4 < np.mean(list(every.values())) < 0.6


def test_the_halves_have_nothing_to_do_with_the_split(small_labelled: LabelledData) -> None:
    rows = labelled_tuning_rows(LengthPredictor(), small_labelled, COSTS)
    tested = np.array([split_name(text) == "test" for text in small_labelled.frame["text"]])
    assert 0 < rows.calibrates[tested].mean() < 1


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_part_is_that_of_the_split(small_labelled: LabelledData, part: str) -> None:
    rows = labelled_tuning_rows(LengthPredictor(), small_labelled, COSTS, part=part)
    assert len(rows) == sum(split_name(text) == part for text in small_labelled.frame["text"])


def test_a_half_of_a_few_prompts_is_refused() -> None:
    few = some_tunable(58)
    with pytest.raises(
        EvaluationError, match="58 distinct prompts fall into 29 to calibrate on and 29 to judge"
    ):
        few.halves()


def test_no_prompts_are_refused(small_labelled: LabelledData) -> None:
    nothing = small_labelled.where(np.zeros(len(small_labelled), dtype=np.bool_))
    with pytest.raises(EvaluationError, match="no labelled prompts to tune on"):
        labelled_tuning_rows(LengthPredictor(), nothing, COSTS)


def test_one_tier_can_answer_some_rows_whichever_is_asked() -> None:
    rows: TuningRows = some_tunable(60)
    mask = np.arange(60) < 10
    found = rows.answered_by_one(mask, 1)
    assert (found.answered[:10] == 1).all()
    assert (found.usd[:10] == rows.usd[:10, 1:2]).all()
    assert (found.under[10:] == rows.under[10:]).all()
    assert (
        replace(found, calibrates=rows.calibrates).premium_quality.tolist() == rows.premium_quality.tolist()
    )
