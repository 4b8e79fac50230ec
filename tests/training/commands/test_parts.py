"""What a model is known to have been fitted on, of outcomes at hand."""

import json
from pathlib import Path

import pytest

from classifier import RiskPolicy, TierPredictor
from classifier.model_file import Model
from training.commands.parts import fitted_parts_of_outcomes
from training.labelled import read_labelled
from training.outcome_files import read_outcomes

ROWS = [
    {"prompt": f"question {number}", "score:cheap": number % 2, "score:premium": 1, "tier": "premium"}
    for number in range(20)
]


def fitted_on_a_few_of(path: Path, left_out: int) -> TierPredictor:
    """A model of a labelled file most of whose rows nearly repeated held-out ones."""
    facts = {
        "digest": read_labelled(path, rows_per_tier=0).digest,
        "fitted_on": ["train"],
        "rows": {"train": 3, "validation": 1, "test": 1},
        "near_duplicates_left_out": left_out,
    }
    packaged = TierPredictor.default().model
    return TierPredictor(Model(packaged.prompts, packaged.head, RiskPolicy(0.3), {"training_data": facts}))


@pytest.mark.parametrize(
    ("left_out", "known"),
    [pytest.param(15, {"train"}, id="the same rows"), pytest.param(0, set(), id="far fewer rows")],
)
def test_rows_left_out_as_near_duplicates_count_as_seen(
    tmp_path: Path, left_out: int, known: set[str]
) -> None:
    path = tmp_path / "outcomes.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")

    assert fitted_parts_of_outcomes(fitted_on_a_few_of(path, left_out), read_outcomes(path), path) == known
