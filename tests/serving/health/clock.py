"""A clock that stands still until it is moved, and faults that move it."""

from dataclasses import dataclass

from serving.sandbox import Normal
from serving.sandbox.exchange import Exchange


class Clock:
    """Seconds that pass when a test says so; sleeping is passing them."""

    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def sleep_soon(self, seconds: float) -> None:
        self.sleep(seconds)


@dataclass(frozen=True)
class Takes:
    """A good answer, before which so many seconds pass by a test's clock."""

    clock: Clock
    seconds: float

    async def play(self, exchange: Exchange) -> None:
        self.clock.advance(self.seconds)
        await Normal().play(exchange)
