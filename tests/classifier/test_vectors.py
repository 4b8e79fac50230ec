"""The stored test vectors are what the packaged model says."""

import json
from typing import Any

import pytest

from classifier import TierPredictor
from tests.classifier.vectors import FILE, prompt_of, read_vectors, vectors

STALE = "the vectors are stale: python -m tests.classifier.vectors"


def close(vector: dict[str, Any]) -> Any:
    """A vector whose numbers may differ by what another machine's mathematics makes of them."""
    decision = vector["decision"]
    numbers = {name: decision[name] for name in ("risk", "known_vocabulary")} | decision["probabilities"]
    numbers |= {"log_odds": vector["log_odds"]} | vector.get("contributions", {})
    words = [vector["id"], vector["against"], vector["comparison"], decision["tier"], decision["policy"]]
    return [*words, decision["model_version"], json.dumps(vector["prompt"])], pytest.approx(numbers, abs=1e-9)


def test_they_are_what_the_packaged_model_says(predictor: TierPredictor) -> None:
    stored, now = read_vectors(), list(vectors(predictor))
    assert [each["id"] for each in stored] == [each["id"] for each in now], STALE
    for old, new in zip(stored, now, strict=True):
        assert flat(old) == close(new), STALE


def flat(vector: dict[str, Any]) -> Any:
    words, numbers = close(vector)
    return words, numbers.expected


def test_they_stay_small_and_plain() -> None:
    assert FILE.stat().st_size < 300_000
    assert FILE.read_bytes().isascii()


def test_each_is_about_another_prompt() -> None:
    stored = read_vectors()
    assert len({vector["id"] for vector in stored}) == len(stored)
    assert len({json.dumps(prompt_of(vector)) for vector in stored}) == len(stored)
