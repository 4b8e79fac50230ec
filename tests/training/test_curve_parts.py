import numpy as np
import pytest

from tests.training.curve_tables import outcome_table
from training.curve_parts import part_of_table
from training.errors import EvaluationError
from training.split import SplitName, split_name

PROMPTS = [f"question {number}" for number in range(200)]
TABLE = outcome_table(
    np.random.default_rng(0).random((200, 2)), prompts=PROMPTS, usd=[1.0, 2.0], tokens=[3.0, 4.0]
)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_part_holds_the_rows_that_training_puts_there(part: SplitName) -> None:
    found = part_of_table(TABLE, part)
    places = [place for place, prompt in enumerate(PROMPTS) if split_name(prompt) == part]
    assert list(found.prompts) == [PROMPTS[place] for place in places]
    assert list(found.prompts) == list(found.prompts)  # to be read more than once
    assert found.scores.tolist() == TABLE.scores[places].tolist()
    assert found.usd is not None
    assert found.tokens is not None
    assert len(found) == len(found.usd) == len(found.tokens) == len(found.repeats) == len(places)


def test_a_part_without_prompts_is_refused() -> None:
    alone = outcome_table(np.zeros((1, 2)), prompts=["what is a monad?"])
    empty: list[SplitName] = [part for part in ("train", "test") if part != split_name("what is a monad?")]
    with pytest.raises(EvaluationError, match="none of the 1 prompts belongs to the"):
        part_of_table(alone, empty[0])
