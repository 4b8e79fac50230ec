from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

import pytest

from tests.training.fits import some_split
from training.fitting import prompt_rows
from training.labelled import LabelledData
from training.search import SearchResult, search_settings
from training.settings import DEFAULT_SETTINGS, FitSettings


class Shortened:
    """A progress display that lets the first candidates through alone, and remembers them all."""

    def __init__(self, tried: int) -> None:
        self.tried = tried
        self.candidates: list[FitSettings] = []

    def __call__(self, candidates: Iterable[FitSettings]) -> Iterable[FitSettings]:
        self.candidates = list(candidates)
        return islice(self.candidates, self.tried)


@pytest.fixture(scope="module")
def train() -> LabelledData:
    """Every second row: a search fits many times."""
    rows = some_split().train
    return rows.where(rows.frame.index % 2 == 0)


@pytest.fixture(scope="module")
def shortened() -> Shortened:
    return Shortened(tried=3)


@pytest.fixture(scope="module")
def result(train: LabelledData, shortened: Shortened) -> SearchResult:
    return search_settings(train, seed=7, jobs=1, track=shortened)


def offered(train: LabelledData, seed: int) -> list[FitSettings]:
    """The candidates of a seed, found out while only the stored settings are tried."""
    shortened = Shortened(tried=1)
    search_settings(train, seed=seed, jobs=1, track=shortened)
    return shortened.candidates


def test_the_stored_settings_are_tried_first_and_twenty_in_all(
    result: SearchResult, shortened: Shortened
) -> None:
    assert shortened.candidates[0] == DEFAULT_SETTINGS
    assert len(shortened.candidates) == 20
    assert len(result.candidates) == 3


def test_the_best_candidate_comes_first(result: SearchResult) -> None:
    losses = [candidate.log_loss for candidate in result.candidates]
    assert losses == sorted(losses)
    assert result.best is result.candidates[0].settings
    assert all(0.0 < loss < 1.2 for loss in losses)  # guessing evenly loses 1.0986
    assert all(0.3 < candidate.accuracy < 1.0 for candidate in result.candidates)


def test_only_settings_that_were_offered_are_found(result: SearchResult, shortened: Shortened) -> None:
    tried = shortened.candidates[:3]
    found = [
        replace(candidate.settings, head_inverse_penalty=DEFAULT_SETTINGS.head_inverse_penalty)
        for candidate in result.candidates
    ]
    assert all(settings in tried for settings in found)
    assert len({repr(settings) for settings in found}) == 3


def test_the_candidates_depend_on_the_seed_alone(train: LabelledData, shortened: Shortened) -> None:
    few = train.where((train.frame.index % 2 == 0) & ~train.frame["is_conversation"].to_numpy())
    assert offered(few, 7) == shortened.candidates
    assert offered(few, 8) != shortened.candidates


def test_the_head_is_searched_too(result: SearchResult) -> None:
    assert result.best.head_inverse_penalty in (0.01, 0.03, 0.1, 0.3, 1.0)


def test_folds_hold_whole_sources(result: SearchResult, train: LabelledData) -> None:
    _, prompts = prompt_rows(train)
    assert result.folds.startswith("6 folds over ")
    assert result.folds.endswith(" sources, each source whole in one fold")
    assert f"over {prompts['source'].nunique()} sources" in result.folds


@pytest.mark.parametrize(
    ("source", "folds"),
    [("", "6 random folds: no two sources are named"), ("me", "6 random folds: no two sources are named")],
    ids=["none named", "one named"],
)
def test_without_two_sources_the_folds_are_random(train: LabelledData, source: str, folds: str) -> None:
    few = train.where(~train.frame["is_conversation"].to_numpy())
    same = LabelledData(few.frame.assign(source=source))
    assert search_settings(same, seed=0, jobs=1, track=Shortened(tried=1)).folds == folds


def test_a_source_that_alone_has_a_tier_can_be_held_out(train: LabelledData) -> None:
    few = train.where(~train.frame["is_conversation"].to_numpy())
    names = few.frame["tier"].map({0: "them", 1: "us", 2: "us"})
    odd = LabelledData(few.frame.assign(source=names))
    result = search_settings(odd, seed=0, jobs=1, track=Shortened(tried=1))
    assert all(candidate.log_loss > 0 for candidate in result.candidates)
