"""What the tests of `classifier` share: the packaged predictor and a small one."""

from pathlib import Path

import pytest

from classifier import TierPredictor
from classifier.model_file import Model, write_model
from tests.classifier.small_model import small_model


@pytest.fixture(scope="session")
def predictor() -> TierPredictor:
    """The packaged model."""
    return TierPredictor.default()


@pytest.fixture(scope="session")
def small() -> Model:
    """A model of nine n-grams, with a conversation head."""
    return small_model()


@pytest.fixture
def small_file(small: Model, tmp_path: Path) -> Path:
    """The small model as a file of this test's own."""
    path = tmp_path / "small.tierwise"
    write_model(small, path)
    return path
