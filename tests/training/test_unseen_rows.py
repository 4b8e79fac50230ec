import pytest

from training.errors import EvaluationError
from training.unseen_rows import fitted_parts, unseen_part


def fitted_on(*parts: str) -> dict[str, object]:
    return {"training_data": {"digest": "this", "fitted_on": list(parts)}}


OTHER_DATA = {"training_data": {"digest": "other", "fitted_on": ["train", "validation", "test"]}}


@pytest.mark.parametrize(
    ("provenances", "part"),
    [
        pytest.param([OTHER_DATA, {}], "all", id="fitted on other data"),
        pytest.param([fitted_on("train"), OTHER_DATA], "validation", id="fitted on train"),
        pytest.param([fitted_on("train"), fitted_on("train", "validation")], "test", id="both together"),
        pytest.param([fitted_on("test")], "validation", id="fitted on what is usually kept back"),
        pytest.param([{"training_data": "nonsense"}], "all", id="a provenance of somebody else"),
    ],
)
def test_the_part_to_judge_by_is_one_that_no_model_was_fitted_on(
    provenances: list[dict[str, object]], part: str
) -> None:
    assert unseen_part(fitted_parts(provenances, {"this", "that"})) == part


def test_nothing_left_to_judge_by_is_an_error() -> None:
    fitted = fitted_parts([fitted_on("train", "validation"), fitted_on("test")], {"this"})
    with pytest.raises(EvaluationError, match="nothing is left to judge by: give rows that are new"):
        unseen_part(fitted)
