"""Routers, sync and async, whose clock stands still until a test moves it."""

from collections.abc import Iterator
from typing import Any, Protocol

import pytest

from classifier import TierPredictor
from serving import RouterConfig
from serving.core import RouterCore
from serving.keys import Keys
from serving.sandbox import Sandbox
from tests.serving.conftest import ENVIRON, AsyncDriver, Driver, SyncDriver
from tests.serving.health.clock import Clock


class MakeTimed(Protocol):
    """Makes a driver of a router that goes by the test's clock."""

    def __call__(self, **config: Any) -> Driver:
        """Make one; it is closed after the test."""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=[SyncDriver, AsyncDriver], ids=["sync", "async"])
def timed(
    request: pytest.FixtureRequest, upstream: Sandbox, predictor: TierPredictor, clock: Clock
) -> Iterator[MakeTimed]:
    made: list[Driver] = []

    def make(**config: Any) -> Driver:
        chosen = RouterConfig.from_dict({"base_url": upstream.url, "deadline_seconds": 3600.0, **config})
        core = RouterCore(
            chosen,
            Keys.from_environ(ENVIRON),
            predictor,
            clock,
            wall=clock,
            sleep=clock.sleep,
            sleep_soon=clock.sleep_soon,
        )
        driver: Driver = request.param(core=core)
        made.append(driver)
        return driver

    yield make
    for driver in made:
        driver.stop()
