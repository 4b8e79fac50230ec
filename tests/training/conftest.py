"""What the tests of `training` share: labelled data of three sizes, and files made from rows."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy
import pytest

from training.labelled import LabelledData, read_labelled

DATA = Path(__file__).parents[2] / "data"

Row = Mapping[str, object]
WriteRows = Callable[[Sequence[Row]], Path]

PROMPTS = {
    "cheap": (
        "capital of Peru?",
        "fix the typo: recieve",
        "10 miles in km",
        "thanks in Dutch",
        "what is HTTP 404",
    ),
    "balanced": (
        "SQL for monthly churn",
        "explain Bayes' theorem",
        "plan 3 days in Porto",
        "debug this traceback",
        "compare REST and gRPC",
    ),
    "premium": (
        "prove that pi is irrational",
        "find the data race here",
        "design a global ledger",
        "is this clause enforceable",
        "tile a torus with dominoes",
    ),
}


@pytest.fixture(scope="session")
def labelled() -> LabelledData:
    """All of the project's labelled data, more than 6,000 rows."""
    return read_labelled(DATA)


@pytest.fixture(scope="session")
def small_labelled(labelled: LabelledData) -> LabelledData:
    """Every twentieth row of the project's data: some 320, conversations and all tiers among them."""
    return labelled.where(numpy.arange(len(labelled)) % 20 == 0)


@pytest.fixture
def rows() -> list[dict[str, object]]:
    """Fifteen good rows, five of each tier."""
    return [{"prompt": prompt, "tier": tier} for tier, prompts in PROMPTS.items() for prompt in prompts]


@pytest.fixture
def write_jsonl(tmp_path: Path) -> WriteRows:
    """A function that writes rows to `prompts.jsonl` and returns its path."""

    def write(rows: Sequence[Row]) -> Path:
        file = tmp_path / "prompts.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return file

    return write
