"""The predictor inside LiteLLM: the classifier of its complexity router, and what it says in headers.

Nothing of LiteLLM is imported here: its router takes any object with a `classify`, and the hooks are a mixin
for the class of callbacks that only it can give. In the proxy's YAML:

    litellm_params:
      model: auto_router/complexity_router
      complexity_router_config:
        classifier_type: custom
        classifier_plugin: classifier.litellm.plugin
        classifier_plugin_timeout_ms: 50
        tiers: {SIMPLE: cheap, MEDIUM: balanced, COMPLEX: premium, REASONING: premium}

`plugin` decides by the packaged model, or by that of the file that `TIERWISE_MODEL_FILE` names. In Python,
`TierPlugin(predictor)` takes the place of the name.
"""

import os
from collections.abc import Collection, Mapping, MutableMapping
from typing import Any, Protocol

from classifier.decision import Decision
from classifier.errors import ClassifierError
from classifier.explanation import Explanation
from classifier.header_text import header_safe
from classifier.predictor import TierPredictor
from classifier.reading import Prompt
from classifier.tier import TIERS, Tier

__all__ = [
    "MODEL_FILE",
    "TIER_NAMES",
    "Predictor",
    "TierPlugin",
    "explaining",
    "predictor_from",
]

MODEL_FILE = "TIERWISE_MODEL_FILE"
"""The environment variable that names the model file; the packaged model where it is not set."""

TIER_NAMES: Mapping[Tier, str] = {Tier.CHEAP: "SIMPLE", Tier.BALANCED: "MEDIUM", Tier.PREMIUM: "COMPLEX"}
"""LiteLLM's names for the tiers; others than its own need a licence, `tier_labels` renames for people."""

_METADATA = "tierwise"
_CHATS = frozenset({"completion", "acompletion"})


class Predictor(Protocol):
    """What decides: a `TierPredictor`, or anything with these two methods."""

    def decide(self, prompt: Prompt, /) -> Decision:
        """Return the tier for OpenAI messages."""

    def explain(self, prompt: Prompt, /) -> Explanation:
        """Return why."""


class _Context(Protocol):
    structured_messages: list[dict[str, Any]]


class TierPlugin:
    """LiteLLM's `ClassifierPlugin`: names the tier of a conversation."""

    def __init__(self, predictor: Predictor) -> None:
        """Decide by a predictor."""
        self._predictor = predictor

    async def classify(self, context: _Context) -> str | None:
        """Return LiteLLM's name for the tier, or None, which leaves it to LiteLLM's `classifier_fallback`.

        Args:
            context: of the request; its messages are in OpenAI's form, whichever API they came by.
        """
        try:
            return TIER_NAMES[self._predictor.decide(context.structured_messages).tier]
        except ClassifierError:
            return None


class _Hooks:
    """LiteLLM's callbacks that tell what the predictor says, less the class that only LiteLLM can give."""

    def __init__(self, predictor: Predictor, models: Collection[str]) -> None:
        """Explain requests.

        Args:
            predictor: the plugin's.
            models: the names by which clients ask for the auto-router; other requests are left alone.
        """
        super().__init__()
        self._predictor = predictor
        self._models = frozenset(models)

    async def async_pre_call_hook(
        self, user_api_key_dict: object, cache: object, data: MutableMapping[str, Any], call_type: str
    ) -> None:
        """Put the decision into the request's metadata, as `tierwise`, in place of what a client put there.

        Args:
            user_api_key_dict: of LiteLLM.
            cache: of LiteLLM.
            data: the request.
            call_type: what kind of request it is.
        """
        del user_api_key_dict, cache
        metadata = dict(data.get("metadata") or {})
        metadata.pop(_METADATA, None)
        if call_type in _CHATS and data.get("model") in self._models:
            try:
                explanation = self._predictor.explain(data.get("messages") or [])
            except ClassifierError:
                pass
            else:
                metadata[_METADATA] = {**explanation.decision.as_dict(), "reasons": explanation.reasons()}
        data["metadata"] = metadata

    async def async_post_call_response_headers_hook(
        self, data: Mapping[str, Any], user_api_key_dict: object, response: object, **more: object
    ) -> dict[str, str] | None:
        """Return the headers for an answer: tier, probabilities, risk, reasons.

        Args:
            data: the request, with its metadata.
            user_api_key_dict: of LiteLLM.
            response: the answer.
            more: whatever else this version of LiteLLM gives.
        """
        del user_api_key_dict, response, more
        said = (data.get("metadata") or {}).get(_METADATA)
        if not said:
            return None
        probabilities = (f"{tier}={said['probabilities'][tier.label]:.4f}" for tier in TIERS)
        return {
            "x-tierwise-tier": said["tier"],
            "x-tierwise-probabilities": ", ".join(probabilities),
            "x-tierwise-risk": f"{said['risk']:.4f}",
            "x-tierwise-model-version": said["model_version"],
            "x-tierwise-reasons": header_safe("; ".join(said["reasons"])),
        }


def explaining(base: type, predictor: Predictor, models: Collection[str]) -> Any:
    """Return a callback that puts decisions into LiteLLM's metadata and into headers of the answers.

    It is the prompt's decision that is told: where LiteLLM did otherwise (a time-out, a pinned session, a
    fallback), its own headers and its `routing_decision` tell that. Chat completions only.

    For a file beside the proxy's YAML, named there under `litellm_settings: callbacks`:

        explained = explaining(CustomLogger, predictor_from(os.environ), models=("auto",))

    Args:
        base: LiteLLM's `litellm.integrations.custom_logger.CustomLogger`.
        predictor: the plugin's.
        models: the names by which clients ask for the auto-router.
    """
    # LiteLLM calls only hooks that stand in the class itself: inherited ones it does not see.
    hooks = {name: hook for name, hook in vars(_Hooks).items() if name.startswith("async_")}
    return type("Explaining", (_Hooks, base), hooks)(predictor, models)


def predictor_from(environ: Mapping[str, str]) -> TierPredictor:
    """Return the predictor that an environment names.

    Raises:
        ModelFileError: its model file cannot be read.
    """
    path = environ.get(MODEL_FILE, "").strip()
    return TierPredictor.load(path) if path else TierPredictor.default()


def __getattr__(name: str) -> Any:
    """Make `plugin` when it is asked for: LiteLLM does so once, at its start, and importing does nothing."""
    if name == "plugin":
        return TierPlugin(predictor_from(os.environ))
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
