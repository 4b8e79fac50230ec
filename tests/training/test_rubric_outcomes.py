from pathlib import Path

import numpy as np
import pytest

from classifier import Tier
from training.costs import CostModel, input_tokens
from training.errors import Place
from training.labelled import LabelledData, labelled_data
from training.labelled_rows import LabelledRow
from training.outcome_labels import label_outcomes
from training.rubric_outcomes import rubric_outcomes

PROMPTS = ("What is the capital of Peru?", "Write a query for monthly churn", "Prove it")


def row(place: int, prompt: str) -> LabelledRow:
    return LabelledRow(
        Place(Path(), place), str(place), prompt, prompt, place, 1.0, "", "en", "", len(prompt)
    )


@pytest.fixture
def data() -> LabelledData:
    """One prompt for each tier, in Tier order."""
    return labelled_data([row(place, prompt) for place, prompt in enumerate(PROMPTS)])


def test_a_tier_at_or_above_the_needed_one_scores_1_and_one_below_it_0(data: LabelledData) -> None:
    table = rubric_outcomes(data)
    assert table.scores.tolist() == [[1, 1, 1], [0, 1, 1], [0, 0, 1]]
    assert table.tiers == tuple(Tier)
    assert list(table.prompts) == list(PROMPTS)


def test_the_label_of_such_outcomes_is_the_label_they_come_from(data: LabelledData) -> None:
    table = rubric_outcomes(data)
    assert label_outcomes(table.scores, table.tiers).tiers.tolist() == data.frame["tier"].tolist()


def test_tokens_are_those_of_the_text_and_of_an_answer_as_long_as_its_tier_takes(data: LabelledData) -> None:
    tokens = rubric_outcomes(data, CostModel(output_tokens=(10, 20, 30))).tokens
    assert tokens is not None
    assert tokens.tolist() == np.outer(input_tokens(PROMPTS) + np.array([10, 20, 30]), np.ones(3)).tolist()
