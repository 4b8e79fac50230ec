"""Why and how a run ends before its work is done."""

import asyncio
import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from serving.labelling.errors import Interrupted

__all__ = ["Pause", "Stop", "Times", "Why"]

Sleep = Callable[[float], Awaitable[None]]


class Why(enum.StrEnum):
    """What ends a run early."""

    INTERRUPTED = "interrupted"
    BUDGET = "budget used up"
    HALTED = "halted"
    FAILURES = "too many failures in a row"


@dataclass(frozen=True, slots=True)
class Times:
    """The clocks of a run.

    Attributes:
        monotonic: seconds, from any start, never going back.
        wall: seconds since the epoch.
        sleep: waits for so many seconds.
    """

    monotonic: Callable[[], float]
    wall: Callable[[], float]
    sleep: Sleep


class Stop:
    """Whether the run is to end, and why; the first reason stands.

    Attributes:
        why: None while the run goes on.
        reason: in words.
    """

    def __init__(self) -> None:
        self.why: Why | None = None
        self.reason = ""
        self._at_once = asyncio.Event()

    def now(self, why: Why, reason: str) -> None:
        """End the run: prompts under way get no further call."""
        self.after_these(why, reason)
        self._at_once.set()

    def after_these(self, why: Why, reason: str) -> None:
        """End the run once the prompts under way are done."""
        if self.why is None:
            self.why, self.reason = why, reason

    def check(self) -> None:
        """Let a call begin, or not.

        Raises:
            Interrupted: none is to begin any more.
        """
        if self._at_once.is_set():
            raise Interrupted(self.reason)

    async def come(self) -> None:
        """Return when no further call is to begin."""
        await self._at_once.wait()


class Pause:
    """Keeps all calls back when the upstream has asked for a pause; whoever stops the run ends it."""

    def __init__(self, times: Times, stop: Stop) -> None:
        self._times = times
        self._stop = stop
        self._until = times.monotonic()

    def ask(self, seconds: float) -> None:
        """Let nobody send for so long."""
        self._until = max(self._until, self._times.monotonic() + seconds)

    async def over(self) -> None:
        """Return when calls may be sent, or the run is being stopped."""
        while (left := self._until - self._times.monotonic()) > 0 and not await self.wait(left):
            pass

    async def wait(self, seconds: float) -> bool:
        """Wait for so long; return whether the run was stopped meanwhile."""
        waiting = asyncio.ensure_future(self._times.sleep(seconds))
        stopped = asyncio.ensure_future(self._stop.come())
        try:
            await asyncio.wait({waiting, stopped}, return_when=asyncio.FIRST_COMPLETED)
            return stopped.done()
        finally:
            waiting.cancel()
            stopped.cancel()
