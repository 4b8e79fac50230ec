"""One call for all who want the same at the same time: it goes on as long as one of them is interested.

Within one process and one event loop. Memory is that of the call's result; streams are another module's.
"""

import asyncio
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

__all__ = ["Flight", "FlightLostError", "Flights", "Landing"]

T = TypeVar("T")


class FlightLostError(Exception):
    """The call that others were waiting for failed, which is told to the one who began it."""


class Landing(Generic[T]):
    """A passenger's place in a flight, to be left once, whatever comes of it.

    Attributes:
        leads: whether this passenger's own call is the one that is made.
    """

    def __init__(self, flight: "Flight[T]", *, leads: bool) -> None:
        """Take a place."""
        self.leads = leads
        self._flight = flight
        self._left = False

    async def result(self) -> T:
        """Wait for the call.

        Raises:
            FlightLostError: it failed, and it was another one's.
            Exception: whatever the own call raised.
        """
        return await self._flight.result(leads=self.leads)

    def shut(self) -> None:
        """Let nobody join the call any more: the next one who wants the same begins another."""
        self._flight.shut()

    async def leave(self) -> None:
        """Lose interest; the last one to do so ends the call, or the stream that it gave."""
        if not self._left:
            self._left = True
            await self._flight.leave()


class Flight(Generic[T]):
    """One call and those who wait for it."""

    def __init__(
        self,
        call: Callable[[], Coroutine[Any, Any, T]],
        ended: Callable[[], None],
        close: Callable[[T], Coroutine[Any, Any, None]],
    ) -> None:
        """Begin the call.

        Args:
            call: makes the call.
            ended: called when nobody may join any more, before anybody learns that the call failed.
            close: closes the result when the last passenger has left.
        """
        self.shut = ended
        self._close = close
        self._passengers = 0
        self._task = asyncio.ensure_future(self._fly(call))
        self._task.add_done_callback(_look_at)

    def board(self, *, leads: bool) -> Landing[T]:
        """Take in a passenger."""
        self._passengers += 1
        return Landing(self, leads=leads)

    async def result(self, *, leads: bool) -> T:
        """Wait for the result; being cancelled while waiting leaves the call alone."""
        await asyncio.wait([self._task])
        if self._task.cancelled():
            raise FlightLostError
        error = self._task.exception()
        if error is not None and not leads:
            raise FlightLostError from error
        return self._task.result()

    async def leave(self) -> None:
        """Let a passenger go."""
        self._passengers -= 1
        if self._passengers:
            return
        self.shut()
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        if not self._task.cancelled() and self._task.exception() is None:
            await self._close(self._task.result())

    async def _fly(self, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            return await call()
        except BaseException:
            self.shut()
            raise


class Flights(Generic[T]):
    """The calls under way, by what they are for."""

    def __init__(self) -> None:
        """Begin with none."""
        self._flights: dict[Hashable, Flight[T]] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def board(
        self,
        key: Hashable,
        call: Callable[[], Coroutine[Any, Any, T]],
        close: Callable[[T], Coroutine[Any, Any, None]],
    ) -> Landing[T]:
        """Join the call that is under way for a key, or begin it.

        Args:
            key: of what is wanted.
            call: makes it; only called where none is under way.
            close: closes a result when the last passenger has left.
        """
        flight = self._flights.get(key)
        if flight is not None:
            return flight.board(leads=False)

        def ended() -> None:
            if self._flights.get(key) is flight:
                del self._flights[key]

        flight = self._flights[key] = Flight(call, ended, close)
        return flight.board(leads=True)

    def hold(self, key: Hashable) -> Landing[T] | None:
        """Return another place in the call for a key, so that it can be joined after all others have left."""
        flight = self._flights.get(key)
        return None if flight is None else flight.board(leads=False)


def _look_at(task: "asyncio.Task[Any]") -> None:
    """Where all have left nobody is there to whom a failure could be told."""
    if not task.cancelled():
        task.exception()
