"""The router as a drop-in for `openai.AsyncOpenAI`: nothing but the waiting stands here."""

import os
from collections.abc import Mapping
from typing import Any, Self

from serving.answer import Answer, answer_of, as_messages
from serving.config import RouterConfig
from serving.core import RouterCore
from serving.deadline import watch_async, within
from serving.selection import AUTO, Predictor
from serving.streams import AsyncRoutedStream
from serving.summary import Summary
from serving.upstream import (
    CHAT_COMPLETIONS,
    FAILURES,
    AsyncOpenAI,
    forget_environment,
    is_raw,
    is_streaming_raw,
)

__all__ = ["AsyncTierRouter"]


class AsyncTierRouter(AsyncOpenAI):
    """An `openai.AsyncOpenAI` whose chat completions are answered by the cheapest tier that will do.

        async with AsyncTierRouter() as router:
            completion = await router.chat.completions.create(model="auto", messages=[...])

    Everything else as `serving.TierRouter`. It runs on asyncio.
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
        """Make a router; the arguments and errors are those of `TierRouter`."""
        self.core = core or RouterCore.compose(config, environ, predictor, client_options)
        super().__init__(**self.core.client_options(client_options))
        forget_environment(self, client_options)
        watch_async(self._client)

    async def ask(
        self, prompt: str, *, model: str = AUTO, system: str | None = None, **params: Any
    ) -> Answer:
        """Ask one question and return its answer; the arguments and errors are those of `TierRouter.ask`."""
        messages = as_messages(prompt, system)
        return answer_of(await self.chat.completions.create(model=model, messages=messages, **params))

    def summary(self) -> Summary:
        """Return what the finished calls of this router and its copies came to."""
        return self.core.summary()

    def copy(self, **options: Any) -> Self:
        """Return a router with some of the SDK's options changed, sharing connections, keys and figures."""
        return super().copy(**{**options, "_extra_kwargs": {"core": self.core}})

    with_options = copy

    async def post(
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
            return await super().post(
                path, cast_to=cast_to, options=options, stream=stream, stream_cls=stream_cls, **rest
            )
        body = rest.get("body") or {}
        call = await self.core.begin_soon(body, options, streams=stream, timeout=self.timeout)
        for trial in call.trials():
            if trial.wait:
                await self.core.sleep_soon(trial.wait)
            try:
                async with within(trial.deadline):
                    request = trial.request(interruptible=True)
                    answer = await super().post(
                        trial.path, cast_to=cast_to, stream=stream, stream_cls=AsyncRoutedStream, **request
                    )
                    if is_streaming_raw(options):
                        trial.opened(answer)
                        return answer
                    parsed = trial.parse(answer) if is_raw(options) else answer
                    if stream:
                        await parsed.prime()
            except FAILURES as error:
                trial.fail(error)
            else:
                return answer
        raise call.exhausted()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self.base_url)!r})"
