import numpy as np
import pytest
from hypothesis import given

from tests.training.routed import laws, routed_rows
from training.errors import EvaluationError, TrainingError
from training.routed_rows import RoutedRows

GOOD = ((0.2, 0.3, 0.5), (0.6, 0.3, 0.1))


@pytest.mark.parametrize(
    ("probabilities", "chosen", "needed", "weights", "complaint"),
    [
        pytest.param([], [], [], None, "no labelled prompts", id="no rows"),
        pytest.param([(0.5, 0.5), (0.1, 0.9)], [0, 1], [0, 1], None, r"shape \(2, 2\)", id="two columns"),
        pytest.param([(0.2, 0.3, 0.4), GOOD[1]], [0, 1], [0, 1], None, "row 0 .* sum to 1", id="sum below 1"),
        pytest.param([GOOD[0], (1.2, -0.2, 0)], [0, 1], [0, 1], None, r"row 1 .*in \[0, 1\]", id="negative"),
        pytest.param([GOOD[0], (np.nan, 0, 1)], [0, 1], [0, 1], None, "row 1 are .nan", id="NaN"),
        pytest.param(GOOD, [0], [0, 1], None, "chosen has shape", id="too few choices"),
        pytest.param(
            GOOD, [0, 3], [0, 1], None, "chosen of row 1 is 3; expected 0", id="unknown chosen tier"
        ),
        pytest.param(
            GOOD, [0, 1], [-1, 1], None, "needed of row 0 is -1; expected 0", id="unknown needed tier"
        ),
        pytest.param(GOOD, [0, 1], [0.5, 1], None, "needed holds 0.5", id="half a tier"),
        pytest.param(GOOD, [0, 1], ["cheap", "premium"], None, "needed cannot be read", id="tier names"),
        pytest.param(GOOD, [0, 1], [0, 1], [1.0, 0.0], "weights of row 1 is 0", id="zero weight"),
        pytest.param(GOOD, [0, 1], [0, 1], [np.inf, 1], "weights of row 0 is inf", id="infinite weight"),
        pytest.param(
            GOOD, [0, 1], [0, 1], [[1.0], [1.0]], r"weights has shape \(2, 1\)", id="weights in 2-d"
        ),
        pytest.param(0.5, [0], [0], None, "probabilities has shape", id="a lone number"),
    ],
)
def test_bad_arrays_are_refused_in_words(
    probabilities: object, chosen: object, needed: object, weights: object, complaint: str
) -> None:
    with pytest.raises(EvaluationError, match=complaint):
        RoutedRows.of(probabilities, chosen, needed, weights)  # type: ignore[arg-type]


def test_the_error_is_of_the_training_tree() -> None:
    assert issubclass(EvaluationError, TrainingError)


def test_a_tie_goes_to_the_cheaper_tier() -> None:
    assert RoutedRows.of([(0.2, 0.4, 0.4)], [0], [0]).most_probable.tolist() == [1]


def test_rows_weigh_one_where_nothing_else_is_said() -> None:
    assert RoutedRows.of(GOOD, [0, 1], [0, 1]).weights.tolist() == [1.0, 1.0]


@laws
@given(routed_rows())
def test_where_keeps_rows_whole(rows: RoutedRows) -> None:
    mask = rows.chosen == rows.chosen[0]
    part = rows.where(mask)
    assert len(part) == mask.sum()
    assert part.probabilities.tolist() == rows.probabilities[mask].tolist()
    assert part.weights.tolist() == rows.weights[mask].tolist()


def test_another_choice_leaves_the_rest() -> None:
    rows = RoutedRows.of(GOOD, [0, 1], [0, 1])
    assert rows.with_choice(np.array([2, 2])).chosen.tolist() == [2, 2]
    assert rows.chosen.tolist() == [0, 1]
