"""A few threads for work that may take long or hang: never more of them, and none that keeps the process."""

import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

__all__ = ["StuckError", "Workers"]

T = TypeVar("T")


class StuckError(RuntimeError):
    """Every thread hangs in work whose time is over: nothing more is begun."""


class Workers:
    """Runs work in threads that do not keep the process from ending, whatever hangs in them.

    Threads are made on demand, and end when they have nothing to do. Where all are at work, new work waits
    its turn; where all of them are in work that is overdue, it is refused at once, so that nobody waits for
    what will not come.
    """

    def __init__(
        self,
        most: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        idle_seconds: float = 10.0,
    ) -> None:
        """Begin without threads.

        Args:
            most: threads, at least 1.
            seconds: after which work is overdue.
            clock: seconds, from any start, never going back.
            idle_seconds: after which a thread that has nothing to do ends.
        """
        self._idle_seconds = idle_seconds
        self.seconds = seconds
        self._most = most
        self._clock = clock
        self._queue: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._changed = threading.Condition()
        self._threads = self._idle = 0
        self._begun: dict[int, float] = {}

    def submit(self, work: Callable[[], T]) -> "Future[T]":
        """Begin some work, in the context variables of the caller.

        Raises:
            StuckError: every thread hangs.
        """
        done: Future[T] = Future()
        context = contextvars.copy_context()
        with self._changed:
            self._refuse_if_stuck()
            self._queue.append((done, lambda: context.run(work)))
            if self._idle < len(self._queue) and self._threads < self._most:
                self._threads += 1
                threading.Thread(target=self._run, name="tierwise-classifier", daemon=True).start()
            else:
                self._changed.notify()
        return done

    def _refuse_if_stuck(self) -> None:
        overdue = self._clock() - self.seconds
        if sum(begun < overdue for begun in self._begun.values()) >= self._most:
            raise StuckError(f"all {self._most} threads hang in work that takes more than {self.seconds:g} s")

    def _run(self) -> None:
        me = threading.get_ident()
        while found := self._next(me):
            done, work = found
            if done.set_running_or_notify_cancel():
                _work(done, work)
            with self._changed:
                del self._begun[me]
            del found, done, work  # or what they hold stays until the next work comes

    def _next(self, me: int) -> tuple["Future[Any]", Callable[[], Any]] | None:
        """Return the next work, or None when none came for a while, so that the thread ends."""
        with self._changed:
            self._idle += 1
            while not self._queue:
                if not self._changed.wait(self._idle_seconds) and not self._queue:
                    self._idle, self._threads = self._idle - 1, self._threads - 1
                    return None
            self._idle -= 1
            self._begun[me] = self._clock()
            return self._queue.popleft()


def _work(done: "Future[Any]", work: Callable[[], Any]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is for who waits, as in any executor
        done.set_exception(error)
    else:
        done.set_result(result)
