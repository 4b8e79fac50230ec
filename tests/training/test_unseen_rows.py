import pytest

from tests.training.fits import some_rows, some_split
from training.errors import PromotionError
from training.unseen_rows import unseen_rows


def fitted_on(*parts: str) -> dict[str, object]:
    return {"training_data": {"digest": some_rows().digest, "fitted_on": list(parts)}}


OTHER_DATA = {"training_data": {"digest": "other", "fitted_on": ["train", "validation", "test"]}}


@pytest.mark.parametrize(
    ("provenances", "part"),
    [
        pytest.param([OTHER_DATA, {}], "all", id="fitted on other data"),
        pytest.param([fitted_on("train"), OTHER_DATA], "validation", id="fitted on train"),
        pytest.param([fitted_on("train"), fitted_on("train", "validation")], "test", id="both together"),
        pytest.param([{"training_data": "nonsense"}], "all", id="a provenance of somebody else"),
    ],
)
def test_no_row_is_one_that_a_model_was_fitted_on(provenances: list[dict[str, object]], part: str) -> None:
    found = unseen_rows(some_rows(), provenances)
    parts = {"all": some_rows(), "validation": some_split().validation, "test": some_split().test}
    assert found.part == part
    assert found.data.digest == parts[part].digest


def test_nothing_left_to_judge_by_is_an_error() -> None:
    with pytest.raises(PromotionError, match="nothing is left to judge by"):
        unseen_rows(some_rows(), [fitted_on("train", "validation"), fitted_on("test")])
