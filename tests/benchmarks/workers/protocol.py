"""What a timing process says and hears: one JSON object a line on standard input and output.

| request | answer |
|---|---|
| `{"prompts": [...], "train": [[text, tier], ...]}` | the tier of each prompt, 0 to 2 |
| `{"repeats": n}` | the fastest of n calls on each prompt, in nanoseconds |

Nothing here may import our packages: it runs in the peers' environments.
"""

import json
import sys
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import Any, Protocol

__all__ = ["Candidate", "fastest", "serve"]


class Candidate(Protocol):
    """A classifier to be timed."""

    def fit(self, train: Sequence[tuple[str, int]]) -> None:
        """Learn from texts and tiers, where it learns."""

    def prepared(self, prompt: str) -> str:
        """Return the prompt as `call` takes it; not timed."""

    def call(self, prompt: str) -> Any:
        """Classify one prompt; this is what is timed."""

    def tier(self, answer: Any) -> int:
        """Return the tier, 0 to 2, of what `call` returned."""


def fastest(call: Callable[[str], object], prompt: str, repeats: int) -> int:
    """Return the nanoseconds of the fastest of so many calls."""
    best = sys.maxsize
    for _ in range(repeats):
        start = perf_counter_ns()
        call(prompt)
        best = min(best, perf_counter_ns() - start)
    return best


def serve(candidate: Candidate) -> None:
    """Answer requests until standard input ends; what goes wrong with one is its answer."""
    answers, sys.stdout = sys.stdout, sys.stderr  # libraries that print must not break the protocol
    prompts: list[str] = []
    for line in sys.stdin:
        request = json.loads(line)
        if "prompts" in request:
            candidate.fit([(text, tier) for text, tier in request["train"]])
            prompts = [candidate.prepared(prompt) for prompt in request["prompts"]]
            answer = [candidate.tier(candidate.call(prompt)) for prompt in prompts]
        else:
            answer = [fastest(candidate.call, prompt, request["repeats"]) for prompt in prompts]
        print(json.dumps({"answer": answer}), file=answers, flush=True)
