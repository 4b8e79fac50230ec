"""The comparison of picked with random labels, on prompts made up here."""

from pathlib import Path

import numpy as np
import pandas
import pytest

from classifier import Tier, TierPredictor
from tests.benchmarks.cli import SECTIONS
from tests.benchmarks.material import Choices, Material
from tests.benchmarks.picking import SETTINGS, Asked, difference, picking_rows, win_rates
from tests.training.fits import all_rows
from training.outcome_labels import label_outcomes
from training.tier_classifier import TierClassifier


@pytest.fixture(scope="module")
def prompts() -> list[str]:
    """Four hundred distinct prompts."""
    return [prompt for prompt in all_rows().frame["prompt"] if isinstance(prompt, str)][:400]


@pytest.fixture(scope="module")
def asked(prompts: list[str]) -> Asked:
    """Short prompts are solved by both models, long ones by the strong one, some by neither."""
    lengths = np.array([len(prompt) for prompt in prompts])
    strong = (np.arange(len(prompts)) % 7 > 0).astype(float)
    weak = strong * (lengths < np.median(lengths))
    return Asked.of(prompts, np.column_stack([weak, strong]), TierPredictor.default())


def test_the_difference_has_the_interval_of_paired_draws() -> None:
    mean, (low, high) = difference([0.5, 0.6, 0.7], [0.4, 0.6, 0.5])
    assert mean == pytest.approx(0.1)
    assert high - mean == pytest.approx(0.1 * 4.302653 / np.sqrt(3), rel=1e-4)
    assert mean - low == pytest.approx(high - mean)


def test_the_short_way_ranks_as_the_classifier_does(prompts: list[str], asked: Asked) -> None:
    labelled, wanted = np.arange(200), np.arange(200, 400)
    labels = label_outcomes(asked.scores[labelled], (Tier.CHEAP, Tier.PREMIUM))
    classifier = TierClassifier.of(SETTINGS)
    classifier.fit(prompts[:200], labels.tiers, labels.weights)
    expected = classifier.predict_proba(prompts[200:])[:, -1]
    assert win_rates(asked, labelled, wanted) == pytest.approx(expected, abs=0.01)


def test_labels_of_one_tier_alone_give_no_order(asked: Asked) -> None:
    same = np.flatnonzero(asked.scores[:, 0] == 1.0)[:20]
    assert not win_rates(asked, same, np.arange(5)).any()


def test_a_missing_table_is_said_and_nothing_else_fails(tmp_path: Path) -> None:
    rows = list(picking_rows(Material(Choices(Path("data"), tmp_path, tmp_path))))
    assert [row.figure for row in rows] == [None] * 3
    assert all("skipped: no " in row.note for row in rows)


def test_every_table_gives_a_row_for_each_number_of_labels_and_model(
    prompts: list[str], asked: Asked, tmp_path: Path
) -> None:
    many = [f"{prompt} ({word})" for word in ("one", "two", "three") for prompt in prompts]
    scores = np.tile(asked.scores, (3, 1))
    table = pandas.DataFrame(
        {
            "prompt": many,
            "score:mixtral-8x7b-instruct-v0.1": scores[:, 0],
            "score:gpt-4-1106-preview": scores[:, 1],
            "contaminated": False,
        }
    )
    table.to_parquet(tmp_path / "routellm_gsm8k.parquet")
    rows = list(picking_rows(Material(Choices(Path("data"), tmp_path, tmp_path)), draws=2))
    measured = [row for row in rows if row.figure is not None]
    assert len(measured) == 5
    assert all("random reaches" in row.note and "uncertain" in row.note for row in measured)
    assert all(row.interval and row.interval[0] <= row.interval[1] for row in measured)


def test_it_is_a_section() -> None:
    assert SECTIONS["picking"][1] is picking_rows
