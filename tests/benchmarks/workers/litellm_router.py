"""Times the step of LiteLLM's auto-router that picks the model, with one classifier or another in it."""

import asyncio
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from tests.benchmarks.workers.protocol import serve

_TIERS = {"SIMPLE": 0, "MEDIUM": 1, "COMPLEX": 2, "REASONING": 2}


class _NoOp:
    async def classify(self, _context: object) -> str:
        return "MEDIUM"


class AutoRouter:
    """LiteLLM's router; its two hardest tiers count as premium."""

    def __init__(self, kind: str) -> None:
        module = import_module("litellm.router_strategy.complexity_router.complexity_router")
        router = import_module("litellm").Router(model_list=[])
        config = {"tiers": {name: f"model-{tier}" for name, tier in _TIERS.items()}, **_classifier(kind)}
        made = module.ComplexityRouter("auto", router, config, derive_savings_baseline=False)
        self._hook = made.async_pre_routing_hook
        self._loop = asyncio.new_event_loop()

    def fit(self, train: Sequence[tuple[str, int]]) -> None:
        """It does not learn here."""

    def prepared(self, prompt: str) -> str:
        """It takes prompts as they are."""
        return prompt

    def call(self, prompt: str) -> Any:
        """The model that is picked for one prompt."""
        messages = [{"role": "user", "content": prompt}]
        return self._loop.run_until_complete(self._hook("auto", {}, messages))

    def tier(self, answer: Any) -> int:
        """The tier as one of ours."""
        return int(answer.model.removeprefix("model-"))


def _classifier(kind: str) -> dict[str, Any]:
    match kind:
        case "tierwise":
            classifier, plugins = import_module("classifier"), import_module("classifier.litellm")
            plugin = plugins.TierPlugin(classifier.TierPredictor.default())
        case "no-op":
            plugin = _NoOp()
        case _:
            return {"classifier_type": kind}
    return {"classifier_type": "custom", "classifier_plugin": plugin}


if __name__ == "__main__":
    serve(AutoRouter(sys.argv[1]))
