"""Reservations that wait at the same time, made together: one thread, one transaction."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from functools import partial

from serving.spending.budget_terms import Claim, Refused, Reserved

__all__ = ["Answer", "Reservations"]

Answer = Reserved | Refused
_Waiter = tuple[str, Sequence[Claim], "asyncio.Future[Answer]"]

_MOST_TOGETHER = 64  # so that a group that must be decided one by one does not take long


class Reservations:
    """The queue of those who wait for a reservation, for one event loop.

    The first one who comes is served at once, alone; who comes meanwhile waits, and is served with all others
    that wait when the thread is back. Without load nobody waits for company, and under load a transaction
    serves as many as there are.
    """

    def __init__(
        self,
        reserve: Callable[[Mapping[str, Sequence[Claim]]], Mapping[str, Answer]],
        threads: Executor,
        unwanted: Callable[[Reserved], None],
    ) -> None:
        """Begin with nobody waiting.

        Args:
            reserve: reserves for a group, by ids; runs in a thread, one call at a time.
            threads: where it runs.
            unwanted: told, in the event loop, of what was granted to somebody who had given up.
        """
        self._reserve = reserve
        self._threads = threads
        self._unwanted = unwanted
        self._waiting: deque[_Waiter] = deque()
        self._at_work = False

    async def reserve(self, reservation_id: str, claims: Sequence[Claim]) -> Answer:
        """Reserve every claim or none.

        Raises:
            StateError: as it met the group; what was granted to it is unknown then.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((reservation_id, claims, answer))
        if not self._at_work:
            self._begin()
        return await answer

    def _begin(self) -> None:
        """Take those who wait, and still want an answer, to a thread."""
        group: list[_Waiter] = []
        while self._waiting and len(group) < _MOST_TOGETHER:
            waiter = self._waiting.popleft()
            if not waiter[2].done():
                group.append(waiter)
        self._at_work = bool(group)
        if group:
            asked = {reservation_id: claims for reservation_id, claims, _ in group}
            work = asyncio.get_running_loop().run_in_executor(self._threads, self._reserve, asked)
            work.add_done_callback(partial(self._done, group))

    def _done(self, group: Sequence[_Waiter], work: "asyncio.Future[Mapping[str, Answer]]") -> None:
        error = work.exception()
        for reservation_id, _, answer in group:
            if error is None:
                self._tell(answer, work.result()[reservation_id])
            elif not answer.done():
                answer.set_exception(error)
        self._begin()

    def _tell(self, answer: "asyncio.Future[Answer]", found: Answer) -> None:
        if not answer.done():
            answer.set_result(found)
        elif isinstance(found, Reserved):
            self._unwanted(found)
