"""Standing alarms: what is wrong now, since when, and how often it was seen."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

__all__ = ["Alarm", "Alarms"]

_log = logging.getLogger("serving")

_LONGEST = 400  # characters of what an alarm says


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something that people should look at, while traffic goes on.

    Attributes:
        name: which alarm, one or two words.
        words: what is wrong, as last seen, in one line.
        since: when it was raised first, seconds since the epoch.
        last: when it was seen last, seconds since the epoch.
        count: how often it was seen since it was raised first, at least 1.
    """

    name: str
    words: str
    since: float
    last: float
    count: int

    def as_dict(self) -> dict[str, object]:
        """Return the alarm as JSON-able values."""
        return {
            "name": self.name,
            "words": self.words,
            "since": self.since,
            "last": self.last,
            "count": self.count,
        }


class Alarms:
    """The alarms of one process: one for each name. Safe to use from several threads.

    >>> alarms = Alarms(now=lambda: 60.0)
    >>> alarms.sound("model file", "it is cut short")
    >>> alarms.standing()
    (Alarm(name='model file', words='it is cut short', since=60.0, last=60.0, count=1),)
    >>> alarms.clear("model file")
    >>> alarms.standing()
    ()
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        """Begin with none.

        Args:
            now: seconds since the epoch.
        """
        self._now = now
        self._lock = threading.Lock()
        self._standing: dict[str, Alarm] = {}

    def sound(self, name: str, words: str) -> None:
        """Raise an alarm, or note that it was seen again; the log tells it only the first time."""
        said = " ".join(words.split())[:_LONGEST]
        with self._lock:
            now, old = self._now(), self._standing.get(name)
            again = None if old is None else replace(old, words=said, last=now, count=old.count + 1)
            self._standing[name] = again or Alarm(name, said, now, now, 1)
        if old is None:
            _log.warning("alarm (%s): %s", name, said)

    def clear(self, name: str, *, quiet_seconds: float = 0.0) -> None:
        """Take an alarm back, if it stands and was not seen for so long; cheap where it does not stand.

        Args:
            name: of the alarm.
            quiet_seconds: for which it must not have been seen: what fails now and then stays an alarm.
        """
        if name not in self._standing:  # asked for every request, and nearly always true
            return
        with self._lock:
            old = self._standing.get(name)
            if old is None or self._now() - old.last < quiet_seconds:
                return
            del self._standing[name]
        _log.warning("alarm over (%s), after %.0f s", name, max(0.0, self._now() - old.since))

    def standing(self) -> tuple[Alarm, ...]:
        """Return the alarms that stand, the oldest first."""
        with self._lock:
            return tuple(sorted(self._standing.values(), key=lambda alarm: (alarm.since, alarm.name)))
