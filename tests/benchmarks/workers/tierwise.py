"""Times `TierPredictor.decide`, or `explain`, with the packaged model."""

import sys
from collections.abc import Sequence
from typing import Any

from classifier import Decision, TierPredictor
from tests.benchmarks.workers.protocol import serve


class Tierwise:
    """The packaged predictor."""

    def __init__(self, method: str) -> None:
        predictor = TierPredictor.default()
        self.call = predictor.explain if method == "explain" else predictor.decide

    def fit(self, train: Sequence[tuple[str, int]]) -> None:
        """It is fitted already."""

    def prepared(self, prompt: str) -> str:
        """It takes prompts as they are."""
        return prompt

    def tier(self, answer: Any) -> int:
        """The most probable tier."""
        decision = answer if isinstance(answer, Decision) else answer.decision
        return int(decision.most_probable)


if __name__ == "__main__":
    serve(Tierwise(sys.argv[1]))
