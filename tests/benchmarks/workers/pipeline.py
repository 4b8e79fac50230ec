"""Times the scikit-learn pipeline's `predict_proba([prompt])`; the pipeline comes from a joblib file."""

import sys
from collections.abc import Sequence
from typing import Any

import joblib

from tests.benchmarks.workers.protocol import serve


class FittedPipeline:
    """The pipeline that the benchmark fitted in the same run."""

    def __init__(self, path: str) -> None:
        self._predict_proba = joblib.load(path).predict_proba

    def fit(self, train: Sequence[tuple[str, int]]) -> None:
        """It is fitted already."""

    def prepared(self, prompt: str) -> str:
        """It takes prompts as they are."""
        return prompt

    def call(self, prompt: str) -> Any:
        """Probabilities of one prompt, shape (1, 3)."""
        return self._predict_proba([prompt])

    def tier(self, answer: Any) -> int:
        """The most probable tier."""
        return int(answer[0].argmax())


if __name__ == "__main__":
    serve(FittedPipeline(sys.argv[1]))
