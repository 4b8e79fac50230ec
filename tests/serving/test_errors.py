import openai
import pytest

import serving
from serving.errors import ServingError


@pytest.mark.parametrize("name", serving.errors.__all__)
def test_every_error_has_the_one_root(name: str) -> None:
    assert issubclass(getattr(serving.errors, name), ServingError)
    assert getattr(serving, name) is getattr(serving.errors, name)


@pytest.mark.parametrize(
    ("error", "also"),
    [
        (serving.ConfigError, ValueError),
        (serving.RoutingMissingError, TypeError),
        (serving.ChainFailedError, openai.APIError),
    ],
    ids=["configuration", "routing missing", "chain failed"],
)
def test_an_error_is_caught_where_its_kind_is_caught(error: type[Exception], also: type[Exception]) -> None:
    assert issubclass(error, also)


def test_the_tree_at_the_head_of_the_file_names_every_error() -> None:
    assert all(name in (serving.errors.__doc__ or "") for name in serving.errors.__all__)


def test_all_names_exist_and_are_sorted_past_case() -> None:
    assert all(hasattr(serving, name) for name in serving.__all__)
