"""A circuit breaker: whether a model is asked, learnt from what became of the calls before.

Own code. interlock-cb 2.8 comes nearest (error and slow-call rates over a time window, threads and asyncio,
an injected clock), but it wraps a call from its beginning to its end; here the first token is what is slow, a
stream may fail minutes after it was handed over, a client that leaves must free a probe without a verdict,
and a model that is only slow may still be asked when nobody else is left. pybreaker, aiobreaker, purgatory,
circuitbreaker and hyx count consecutive failures: no rate, no window, no slow calls.
"""

import logging
import math
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from serving.health.terms import Cause, State, Terms
from serving.health.window import Counts, RollingWindow

__all__ = ["Breaker", "Standing", "Ticket"]

_log = logging.getLogger("serving")

_LAST_TIMES = 1024
_WHILE_PROBED = 1.0


class Ticket:
    """Leave to make one call, and the way to tell what came of it; each thing is told once."""

    __slots__ = ("_breaker", "_epoch", "_judged", "_timed", "is_probe")

    def __init__(self, breaker: "Breaker", epoch: int, *, is_probe: bool) -> None:
        self._breaker = breaker
        self._epoch = epoch
        self._judged = self._timed = False
        self.is_probe = is_probe

    def first_token(self, seconds: float) -> None:
        """Tell after how many seconds the first token, or the first byte of a whole answer, was there."""
        if not self._judged and not self._timed:
            self._timed = True
            self._breaker._timed(self, self._epoch, seconds)

    def succeeded(self) -> None:
        """Tell that the answer is whole."""
        if not self._judged:
            self._judged = True
            self._breaker._succeeded(self, self._epoch)

    def failed(self, seconds: float) -> None:
        """Tell that the call failed, so many seconds after it began, before its first token or after it."""
        if not self._judged:
            self._judged = True
            self._breaker._failed(self, self._epoch, None if self._timed else seconds)

    def freed(self, waited: float = 0.0) -> None:
        """Tell that nobody will know what would have come of the call.

        Args:
            waited: for how many seconds a first token had been waited for in vain: more than is in order is
                a slow call, whoever gave up.
        """
        if not self._judged:
            if waited > self._breaker.terms.slow_after:
                self.first_token(waited)
            self._judged = True
            self._breaker._freed(self, self._epoch)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a circuit stands at a moment.

    Attributes:
        state: of the circuit.
        cause: why it is not closed, None when it is.
        why: the same in words, empty when it is closed.
        counts: of the window, or, where the circuit is not closed, those that opened it.
        opened_at: when it opened, by the clock; None when it is closed.
        retry_in: seconds until it may be asked again, 0 for now.
        times: seconds to the first token of the calls in the window.
    """

    state: State
    cause: Cause | None
    why: str
    counts: Counts
    opened_at: float | None
    retry_in: float
    times: tuple[float, ...]


class Breaker:
    """The circuit of one model; safe to use from several threads.

    Closed, it counts; open, it refuses for a cooldown; then it is half-open and lets a bounded number of
    probes through: when all are well it closes, and the first that is not opens it again, for longer.
    """

    def __init__(self, terms: Terms, clock: Callable[[], float], name: str = "a model") -> None:
        """Begin closed.

        Args:
            terms: what the model is measured against.
            clock: seconds, from any start, never going back.
            name: of the model, for the log.
        """
        self._name = name
        self._clock = clock
        self._lock = threading.RLock()  # a stream that is dropped, not closed, ends inside any allocation
        self._terms = terms
        self._window = RollingWindow(terms.settings.window_seconds)
        self._times: deque[tuple[float, float]] = deque(maxlen=_LAST_TIMES)
        self._state = State.CLOSED
        self._cause: Cause | None = None
        self._opening = Counts()
        self._what = ""
        self._opened_at = self._until = 0.0
        self._closed_at = -math.inf
        self._repeats = 0
        self._epoch = 0
        self._passed = 0
        self._probes: dict[Ticket, float] = {}

    @property
    def terms(self) -> Terms:
        """What the model is measured against."""
        return self._terms

    @terms.setter
    def terms(self, terms: Terms) -> None:
        with self._lock:
            if terms.settings.window_seconds != self._terms.settings.window_seconds:
                self._window = RollingWindow(terms.settings.window_seconds)
            self._terms = terms
            if not terms.settings.enabled:
                self._close()

    @property
    def is_only_slow(self) -> bool:
        """Whether the circuit is not closed, and only because the model is slow."""
        return self._cause is Cause.SLOW

    @property
    def idle(self) -> bool:
        """Whether there is nothing to remember: the circuit is closed and the window empty."""
        with self._lock:
            return self._state is State.CLOSED and not any(self._window.counts(self._clock()))

    def admit(self, until: float, *, last_resort: bool = False) -> Ticket | None:
        """Return leave to make a call, or None.

        Args:
            until: when a call must have ended, by the clock: a probe that is silent then is forgotten.
            last_resort: whether nobody else is left, so that a circuit which is open only because the model
                is slow lets the call through.
        """
        with self._lock:
            if self._state is State.CLOSED:
                return Ticket(self, self._epoch, is_probe=False)
            now = self._clock()
            if self._state is State.OPEN and now >= self._until:
                self._turn(State.HALF_OPEN)
            if self._state is State.HALF_OPEN and self._has_room(now):
                ticket = Ticket(self, self._epoch, is_probe=True)
                self._probes[ticket] = until
                return ticket
            if last_resort and self._cause is Cause.SLOW:
                return Ticket(self, self._epoch, is_probe=False)
            return None

    def standing(self) -> Standing:
        """Return how the circuit stands now."""
        with self._lock:
            now, closed = self._clock(), self._state is State.CLOSED
            since = now - self._terms.settings.window_seconds
            return Standing(
                self._state,
                self._cause,
                self._words(now),
                self._window.counts(now) if closed else self._opening,
                None if closed else self._opened_at,
                self._retry_in(now),
                tuple(seconds for at, seconds in self._times if at > since),
            )

    def refusal(self) -> tuple[float, str]:
        """Return after how many seconds a call may be let through (0: now), and why not before, in words."""
        with self._lock:
            now = self._clock()
            return self._retry_in(now), self._words(now)

    def _timed(self, ticket: Ticket, epoch: int, seconds: float) -> None:
        with self._lock:
            now, slow = self._clock(), seconds > self._terms.slow_after
            self._times.append((now, seconds))
            if epoch != self._epoch:
                return
            if not ticket.is_probe:
                self._window.add(now, calls=1, slow=int(slow))
                if slow:  # one that is not opens nothing
                    self._judge(now)
            elif slow and self._terms.settings.enabled:
                self._open(now, Cause.SLOW, f"a probe that took longer than {self._terms.slow_after:g} s")

    def _succeeded(self, ticket: Ticket, epoch: int) -> None:
        with self._lock:
            if epoch == self._epoch and self._probes.pop(ticket, None) is not None:
                self._passed += 1
                if self._passed >= self._terms.settings.probes:
                    self._close()

    def _failed(self, ticket: Ticket, epoch: int, seconds: float | None) -> None:
        with self._lock:
            now, timed = self._clock(), seconds is not None
            slow = seconds is not None and seconds > self._terms.slow_after
            if seconds is not None:
                self._times.append((now, seconds))
            if epoch != self._epoch:
                return
            if not ticket.is_probe:
                self._window.add(now, calls=int(timed), failed=1, slow=int(slow))
                self._judge(now)
            elif self._terms.settings.enabled:
                self._open(now, Cause.FAILING, "a probe that failed")

    def _freed(self, ticket: Ticket, epoch: int) -> None:
        with self._lock:
            if epoch == self._epoch:
                self._probes.pop(ticket, None)

    def _judge(self, now: float) -> None:
        """Open the circuit if the window says so; one that is open for slowness may turn out to fail."""
        counts = self._window.counts(now)
        cause = self._terms.verdict(counts)
        if cause is None or (self._state is not State.CLOSED and cause is not Cause.FAILING):
            return
        if cause is Cause.FAILING:
            what = f"{counts.failed} of {counts.number} calls failed"
        else:
            what = f"{counts.slow} of {counts.number} calls took longer than {self._terms.slow_after:g} s"
        self._opening = counts
        self._open(now, cause, what)

    def _open(self, now: float, cause: Cause, what: str) -> None:
        settings = self._terms.settings
        if self._state is State.HALF_OPEN:
            self._repeats += 1
        elif self._state is State.CLOSED:
            soon = now - self._closed_at < settings.window_seconds
            self._repeats = self._repeats + 1 if soon else 0
        longest = max(settings.cooldown_seconds, settings.longest_cooldown_seconds)
        self._cause, self._what, self._opened_at = cause, what, now
        self._until = now + min(settings.cooldown_seconds * 2.0 ** min(self._repeats, 60), longest)
        level = logging.WARNING if self._state is State.CLOSED else logging.INFO
        self._turn(State.OPEN)
        _log.log(level, "%s is left alone: %s", self._name, self._words(now))

    def _close(self) -> None:
        if self._state is not State.CLOSED:
            self._closed_at = self._clock()
            self._cause, self._what = None, ""
            self._turn(State.CLOSED)
            _log.warning("%s is asked again: its circuit is closed", self._name)

    def _turn(self, state: State) -> None:
        """Begin a new epoch: what was let through before it has no say any more."""
        self._state = state
        self._epoch += 1
        self._passed = 0
        self._probes.clear()
        self._window.clear()

    def _has_room(self, now: float) -> bool:
        for ticket in [each for each, until in self._probes.items() if until <= now]:
            del self._probes[ticket]
        return self._passed + len(self._probes) < self._terms.settings.probes

    def _retry_in(self, now: float) -> float:
        if self._state is State.OPEN:
            return max(0.0, self._until - now)
        return _WHILE_PROBED if self._state is State.HALF_OPEN and not self._has_room(now) else 0.0

    def _words(self, now: float) -> str:
        if self._state is State.CLOSED:
            return ""
        if self._state is State.HALF_OPEN:
            return f"its circuit opened after {self._what} and is being probed"
        seconds = math.ceil(self._retry_in(now))
        return f"its circuit is open after {self._what}; next probe in {seconds} s"
