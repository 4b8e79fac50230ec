"""Times the local classifiers of LiteLLM's complexity router: `heuristic` and `heuristic_v2`."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from tests.benchmarks.workers.protocol import serve

_TIERS = {"SIMPLE": 0, "MEDIUM": 1, "COMPLEX": 2, "REASONING": 2}


class ComplexityRouter:
    """LiteLLM's router with one of its local classifiers; its two hardest tiers count as premium."""

    def __init__(self, kind: str) -> None:
        module = import_module("litellm.router_strategy.complexity_router.complexity_router")
        router = import_module("litellm").Router(model_list=[])
        config = {"classifier_type": kind, "tiers": {name: f"model-{tier}" for name, tier in _TIERS.items()}}
        made = module.ComplexityRouter("auto", router, config, derive_savings_baseline=False)
        self._classify = made._classify_locally  # what both kinds go through before a model is called

    def fit(self, train: Sequence[tuple[str, int]]) -> None:
        """It does not learn."""

    def prepared(self, prompt: str) -> str:
        """It takes prompts as they are."""
        return prompt

    def call(self, prompt: str) -> Any:
        """The outcome of one prompt without a system prompt."""
        return self._classify(prompt, None)

    def tier(self, answer: Any) -> int:
        """The tier as one of ours."""
        return _TIERS[answer.tier.value]


if __name__ == "__main__":
    serve(ComplexityRouter(sys.argv[1]))
