"""A classifier for the tests of the protocol: the tier is the prompt's length modulo 3."""

from collections.abc import Sequence
from typing import Any

from tests.benchmarks.workers.protocol import serve


class Echo:
    """Answers at once."""

    def fit(self, train: Sequence[tuple[str, int]]) -> None:
        """It does not learn."""

    def prepared(self, prompt: str) -> str:
        """It takes prompts as they are."""
        return prompt

    def call(self, prompt: str) -> Any:
        """The length."""
        return len(prompt)

    def tier(self, answer: Any) -> int:
        """The length modulo 3."""
        return int(answer) % 3


if __name__ == "__main__":
    serve(Echo())
