"""Times fastText's `predict`: a supervised model with word bigrams, trained on the same prompts."""

import tempfile
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.benchmarks.workers.protocol import serve

_LABEL = "__label__"
_SETTINGS = {"wordNgrams": 2, "epoch": 25, "lr": 0.5, "thread": 1, "seed": 0, "verbose": 0}


class FastText:
    """Predicts the probabilities of all three tiers, as `decide` does."""

    def __init__(self) -> None:
        self._train = import_module("fasttext").train_supervised
        self._model: Any = None

    def fit(self, train: Sequence[tuple[str, int]]) -> None:
        """Write the file that fastText reads, and train."""
        lines = [f"{_LABEL}{tier} {self.prepared(text)}" for text, tier in train]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "train.txt"
            file.write_text("\n".join(lines), encoding="utf-8", errors="replace")
            self._model = self._train(str(file), **_SETTINGS)

    def prepared(self, prompt: str) -> str:
        """One line: `predict` refuses line breaks."""
        return " ".join(prompt.split())

    def call(self, prompt: str) -> Any:
        """Labels and probabilities, the most probable first."""
        return self._model.predict(prompt, k=3)

    def tier(self, answer: Any) -> int:
        """The most probable tier."""
        return int(answer[0][0].removeprefix(_LABEL))


if __name__ == "__main__":
    serve(FastText())
