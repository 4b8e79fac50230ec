import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier.features import EXCERPT
from classifier.statistic import STATISTICS
from training.errors import SettingsError, TrainingError
from training.settings import DEFAULT_SETTINGS, PRESETS, FitSettings

NAMES = [statistic.name for statistic in STATISTICS]
POSITIVE = st.floats(1e-3, 1e3)
SETTINGS = st.builds(
    FitSettings,
    window=st.integers(1, 10_000),
    ask=st.integers(1, 500),
    middle_weight=st.floats(0.01, 1.0),
    longest_ngram=st.sampled_from([1, 2]),
    min_documents=st.integers(1, 9),
    max_ngrams=st.integers(1, 10**6),
    statistics=st.lists(st.sampled_from(NAMES), unique=True).map(tuple),
    statistics_scale=POSITIVE,
    inverse_penalty=POSITIVE,
    head_inverse_penalty=POSITIVE,
)


@given(SETTINGS)
def test_settings_survive_json(settings: FitSettings) -> None:
    assert FitSettings.from_dict(json.loads(json.dumps(settings.as_dict()))) == settings


def test_what_is_not_given_is_as_stored() -> None:
    assert FitSettings.from_dict({}) == DEFAULT_SETTINGS
    assert FitSettings.from_dict({"window": 77}) == replace(DEFAULT_SETTINGS, window=77)


def test_models_are_fitted_as_the_classifier_reads_unless_told_otherwise() -> None:
    assert DEFAULT_SETTINGS.excerpt == EXCERPT
    assert FitSettings(window=9, ask=8, middle_weight=0.7).excerpt == (9, 8, 0.7)


@pytest.mark.parametrize(
    ("mapping", "problem"),
    [
        ({"window": 0}, "window is 0: it must be above 0"),
        ({"ask": -1}, "ask is -1"),
        ({"middle_weight": 0.0}, "middle_weight is 0.0"),
        ({"middle_weight": 1.5}, "middle_weight is 1.5"),
        ({"min_documents": 0}, "min_documents is 0"),
        ({"max_ngrams": 0}, "max_ngrams is 0"),
        ({"inverse_penalty": -2}, "inverse_penalty is -2"),
        ({"inverse_penalty": float("nan")}, "inverse_penalty is nan"),
        ({"statistics_scale": 0}, "statistics_scale is 0"),
        ({"head_inverse_penalty": 0}, "head_inverse_penalty"),
        ({"longest_ngram": 3}, "longest_ngram is 3: use 1 or 2"),
        ({"statistics": ["mood"]}, "statistics"),
        ({"statistics": "mood"}, "statistics"),
        ({"statistics": None}, "statistics"),
        ({"statistics": [["log_words"]]}, "statistics"),
        ({"window": "500"}, "window"),
        ({"window": None}, "window"),
        ({"window": 1.5}, "window"),
        ({"min_documents": 0.5}, "min_documents"),
        ({"max_ngrams": 10.5}, "max_ngrams"),
        ({"inverse_penalty": [1]}, "inverse_penalty"),
        ({"learning_rate": 1, "epochs": 2}, "unknown settings: epochs, learning_rate"),
    ],
    ids=str,
)
def test_settings_that_no_model_can_be_fitted_with_are_refused(
    mapping: dict[str, object], problem: str
) -> None:
    with pytest.raises(SettingsError, match=problem) as caught:
        FitSettings.from_dict(mapping)
    assert isinstance(caught.value, TrainingError)
    assert len(str(caught.value).splitlines()) == 1


def test_labels_from_outcomes_are_held_harder_and_read_evenly() -> None:
    outcomes = PRESETS["outcomes"]
    assert outcomes.inverse_penalty < DEFAULT_SETTINGS.inverse_penalty
    assert outcomes.statistics_scale < DEFAULT_SETTINGS.statistics_scale
    assert outcomes.middle_weight == 1.0
    assert PRESETS["default"] == DEFAULT_SETTINGS
