"""The router as a drop-in for `openai.OpenAI`."""

import os
from collections.abc import Mapping
from typing import Any, Self

from serving.answer import Answer, answer_of, as_messages
from serving.config import RouterConfig
from serving.core import RouterCore
from serving.deadline import watch
from serving.selection import AUTO, Predictor
from serving.streams import RoutedStream
from serving.summary import Summary
from serving.upstream import (
    CHAT_COMPLETIONS,
    FAILURES,
    OpenAI,
    forget_environment,
    is_raw,
    is_streaming_raw,
)

__all__ = ["TierRouter"]


class TierRouter(OpenAI):
    """An `openai.OpenAI` whose chat completions are answered by the cheapest tier that will do.

        router = TierRouter()
        completion = router.chat.completions.create(model="auto", messages=[...])
        completion.routing.tier, completion.routing.cost.usd

    `model` may be "auto" (the classifier decides), "cheap", "balanced", "premium", or any model's name, which
    is then tried alone. Everything else of the SDK's client works as it does there, on the standard channel.

    A `timeout` in seconds, of the client or of a call, is the deadline of the whole call with its attempts;
    an `httpx2.Timeout` sets the phases of each attempt, its `read` in place of the time to the first byte.

    Safe to use from several threads. Close it, or use it as a context manager, like the SDK's.
    """

    def __init__(
        self,
        config: RouterConfig | None = None,
        *,
        environ: Mapping[str, str] = os.environ,
        predictor: Predictor | None = None,
        core: RouterCore | None = None,
        **client_options: Any,
    ) -> None:
        """Make a router.

        Args:
            config: what differs from the defaults.
            environ: where the keys are.
            predictor: who decides on "auto"; by default the classifier that ships with the package. One of
                your own is called in a few threads, and waited for no longer than `classifier_seconds`; where
                it fails, balanced answers and an alarm stands (`core.alarms`).
            core: of another router, to share its configuration, keys and figures instead of the three above.
            client_options: the SDK's own (`timeout`, `default_headers`, `http_client`, ...), not key and URL.

        Raises:
            ConfigError: an option was given that the configuration or the environment decides.
            KeyMissingError: there is no key in the environment.
        """
        self.core = core or RouterCore.compose(config, environ, predictor, client_options)
        super().__init__(**self.core.client_options(client_options))
        forget_environment(self, client_options)
        watch(self._client)

    def ask(self, prompt: str, *, model: str = AUTO, system: str | None = None, **params: Any) -> Answer:
        """Ask one question and return its answer.

        Args:
            prompt: what the human asks.
            model: as for `chat.completions.create`.
            system: a system prompt.
            params: any other parameter of `chat.completions.create` but `stream`.

        Raises:
            APIError: as `chat.completions.create`.
        """
        messages = as_messages(prompt, system)
        return answer_of(self.chat.completions.create(model=model, messages=messages, **params))

    def summary(self) -> Summary:
        """Return what the finished calls of this router and its copies came to."""
        return self.core.summary()

    def copy(self, **options: Any) -> Self:
        """Return a router with some of the SDK's options changed, sharing connections, keys and figures."""
        return super().copy(**{**options, "_extra_kwargs": {"core": self.core}})

    with_options = copy

    def post(
        self,
        path: str,
        *,
        cast_to: Any,
        options: Any = None,
        stream: bool = False,
        stream_cls: Any = None,
        **rest: Any,
    ) -> Any:
        """Send a request: chat completions along the chain of their tier, everything else as the SDK does.

        Raises:
            ChainFailedError: no model of the chain answered.
            APIError: the request was refused, or the model that the caller named failed.
        """
        options = options or {}
        if path != CHAT_COMPLETIONS:
            return super().post(
                path, cast_to=cast_to, options=options, stream=stream, stream_cls=stream_cls, **rest
            )
        call = self.core.begin(rest.get("body") or {}, options, streams=stream, timeout=self.timeout)
        for trial in call.trials():
            if trial.wait:
                self.core.sleep(trial.wait)
            try:
                request = trial.request(interruptible=False)
                answer = super().post(
                    trial.path, cast_to=cast_to, stream=stream, stream_cls=RoutedStream, **request
                )
                if is_streaming_raw(options):
                    trial.opened(answer)
                    return answer
                parsed = trial.parse(answer) if is_raw(options) else answer
                if stream:
                    parsed.prime()
            except FAILURES as error:
                trial.fail(error)
            else:
                return answer
        raise call.exhausted()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.base_url)!r})"
