"""A sandbox, a small real model, and both routers behind one way of driving them."""

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest

from classifier import TierPredictor
from serving import AsyncTierRouter, RouterConfig, TierRouter
from serving.sandbox import Sandbox
from serving.selection import Predictor
from tests.serving.small_model import write_small_model

CHEAP = "deepseek-ai/DeepSeek-V4-Flash"
BALANCED = "Qwen/Qwen3-32B"
PREMIUM = "Pro/deepseek-ai/DeepSeek-V3.2"

ENVIRON = {"GLOBAL_API_KEY": "ga_standard_0123456789", "GLOBAL_API_PRO_KEY": "ga_pro_0123456789"}
ASK_CHEAP: list[Any] = [{"role": "user", "content": "What is the capital of France?"}]
ASK_PREMIUM: list[Any] = [{"role": "user", "content": "Please prove it."}]


class Driver(Protocol):
    """Drives a router, sync or async, the same way."""

    router: Any

    def create(self, **params: Any) -> Any:
        """Call `chat.completions.create`; a stream comes back primed, not read."""

    def parse(self, **params: Any) -> Any:
        """Call `chat.completions.parse`."""

    def raw(self, method: str = "create", **params: Any) -> Any:
        """Call `chat.completions.with_raw_response`."""

    def read(self, stream: Any, most: int = 10_000) -> list[Any]:
        """Read a stream to its end, or so many chunks of it."""

    def close(self, stream: Any) -> None:
        """Close a stream."""

    def helper(self, **params: Any) -> tuple[Any, Any]:
        """Run `chat.completions.stream` to its end; return the helper and the final completion."""

    def opened(self, **params: Any) -> tuple[Any, Any]:
        """Run `chat.completions.with_streaming_response.create`; return the response and what it parsed."""

    def ask(self, prompt: str, **params: Any) -> Any:
        """Call `ask`."""

    def list_models(self) -> list[str]:
        """Call `models.list`."""

    def stop(self) -> None:
        """Close the router."""


class SyncDriver:
    def __init__(self, *args: Any, **options: Any) -> None:
        self.router = TierRouter(*args, **options)

    def create(self, **params: Any) -> Any:
        return self.router.chat.completions.create(**params)

    def parse(self, **params: Any) -> Any:
        return self.router.chat.completions.parse(**params)

    def raw(self, method: str = "create", **params: Any) -> Any:
        return getattr(self.router.chat.completions.with_raw_response, method)(**params)

    def read(self, stream: Any, most: int = 10_000) -> list[Any]:
        return [chunk for chunk, _ in zip(stream, range(most), strict=False)]

    def close(self, stream: Any) -> None:
        stream.close()

    def helper(self, **params: Any) -> tuple[Any, Any]:
        with self.router.chat.completions.stream(**params) as stream:
            return stream, stream.get_final_completion()

    def opened(self, **params: Any) -> tuple[Any, Any]:
        with self.router.chat.completions.with_streaming_response.create(**params) as response:
            return response, response.parse()

    def ask(self, prompt: str, **params: Any) -> Any:
        return self.router.ask(prompt, **params)

    def list_models(self) -> list[str]:
        return [model.id for model in self.router.models.list()]

    def stop(self) -> None:
        self.router.close()


class AsyncDriver:
    def __init__(self, *args: Any, **options: Any) -> None:
        self._run = asyncio.Runner()
        self.router = AsyncTierRouter(*args, **options)

    def create(self, **params: Any) -> Any:
        return self._run.run(self.router.chat.completions.create(**params))

    def parse(self, **params: Any) -> Any:
        return self._run.run(self.router.chat.completions.parse(**params))

    def raw(self, method: str = "create", **params: Any) -> Any:
        return self._run.run(getattr(self.router.chat.completions.with_raw_response, method)(**params))

    def read(self, stream: Any, most: int = 10_000) -> list[Any]:
        async def read() -> list[Any]:
            chunks: list[Any] = []
            async for chunk in stream:
                chunks.append(chunk)  # a comprehension cannot stop early
                if len(chunks) == most:
                    break
            return chunks

        return self._run.run(read())

    def close(self, stream: Any) -> None:
        self._run.run(stream.close())

    def helper(self, **params: Any) -> tuple[Any, Any]:
        async def run() -> tuple[Any, Any]:
            async with self.router.chat.completions.stream(**params) as stream:
                return stream, await stream.get_final_completion()

        return self._run.run(run())

    def opened(self, **params: Any) -> tuple[Any, Any]:
        async def run() -> tuple[Any, Any]:
            opening = self.router.chat.completions.with_streaming_response.create(**params)
            async with opening as response:
                return response, await response.parse()

        return self._run.run(run())

    def ask(self, prompt: str, **params: Any) -> Any:
        return self._run.run(self.router.ask(prompt, **params))

    def list_models(self) -> list[str]:
        async def run() -> list[str]:
            return [model.id async for model in self.router.models.list()]

        return self._run.run(run())

    def stop(self) -> None:
        self._run.run(self.router.close())
        self._run.close()


class Make(Protocol):
    """Makes a driver of a router at the sandbox."""

    def __call__(
        self,
        *,
        environ: Mapping[str, str] = ENVIRON,
        predictor: Predictor | None = None,
        options: Mapping[str, Any] | None = None,
        **config: Any,
    ) -> Driver:
        """Make one; it is closed after the test."""


@pytest.fixture(scope="session")
def running_upstream() -> Iterator[Sandbox]:
    with Sandbox.start() as sandbox:
        yield sandbox


@pytest.fixture
def upstream(running_upstream: Sandbox) -> Sandbox:
    running_upstream.clear()
    return running_upstream


@pytest.fixture(scope="session")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> TierPredictor:
    return TierPredictor.load(write_small_model(Path(tmp_path_factory.mktemp("model")) / "small.tierwise"))


@pytest.fixture
def settings(upstream: Sandbox) -> dict[str, Any]:
    """Times that even a loaded machine keeps."""
    return {"base_url": upstream.url, "first_byte_seconds": 10.0, "deadline_seconds": 30.0}


@pytest.fixture(params=[SyncDriver, AsyncDriver], ids=["sync", "async"])
def make(
    request: pytest.FixtureRequest, settings: dict[str, Any], predictor: TierPredictor
) -> Iterator[Make]:
    made: list[Driver] = []
    kind, usual = request.param, predictor

    def make(
        *,
        environ: Mapping[str, str] = ENVIRON,
        predictor: Predictor | None = None,
        options: Mapping[str, Any] | None = None,
        **config: Any,
    ) -> Driver:
        chosen = RouterConfig.from_dict({**settings, **config})
        driver: Driver = kind(chosen, environ=environ, predictor=predictor or usual, **(options or {}))
        made.append(driver)
        return driver

    yield make
    for driver in made:
        driver.stop()


@pytest.fixture
def driver(make: Make) -> Driver:
    return make()


@pytest.fixture
def hasty(make: Make) -> Driver:
    """A driver whose router waits half a second for a first byte or token, for tests of what never comes."""
    return make(first_byte_seconds=0.5)
