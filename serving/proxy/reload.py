"""A new configuration or model without a restart: all of it or nothing, no request in flight touched."""

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

from watchfiles import awatch

from classifier import ClassifierError
from serving.errors import ServingError
from serving.proxy.generation import Generation, Reloaded, Sources
from serving.selector import CLASSIFIER, MODEL_FILE

__all__ = ["SETTINGS", "Reloader"]

SETTINGS = "configuration"
"""The name of the alarm that stands while the settings on disk are wrong."""

_log = logging.getLogger("serving")

_NEEDS_RESTART = ("host", "port", "max_header_bytes", "request_seconds", "grace_seconds")


class Reloader:
    """Replaces the current generation when its files have changed, or when it is told to."""

    def __init__(
        self,
        sources: Sources,
        first: Generation,
        use: Callable[[Generation], None],
        say: Callable[[str], None],
        now: Callable[[], float] = time.time,
    ) -> None:
        """Begin with a generation that stands.

        Args:
            sources: where the next ones come from.
            first: the current one.
            use: makes a generation the current one; called in a thread.
            say: tells people, in one line.
            now: seconds since the epoch.
        """
        self._now = now
        self._sources = sources
        self._current = first
        self._use = use
        self._say = say
        self._seen = _digests(sources.files)
        self._turn = asyncio.Lock()

    async def reload(self, *, only_if_changed: bool = False) -> bool:
        """Read everything anew; return whether it is used. What is wrong is told, and the old one stays."""
        async with self._turn:
            seen = await asyncio.to_thread(_digests, self._sources.files)
            if only_if_changed and seen == self._seen and not await self._is_mended():
                return False
            self._seen = seen
            try:
                new = await asyncio.to_thread(self._sources.load, self._current)
            except (ServingError, ClassifierError) as error:
                self._refused(error)
                return False
            self._warn(new)
            self._current = new
            await asyncio.to_thread(self._use, new)
            self._used(new)
            return True

    async def _is_mended(self) -> bool:
        """Whether a model that was broken from the start, the packaged one perhaps, can be read now."""
        return self._current.lacks_model and await asyncio.to_thread(self._sources.has_model)

    def _refused(self, error: Exception) -> None:
        words = f"not reloaded, the old configuration stays: {_one_line(error)}"
        alarms = self._current.core.alarms
        if isinstance(error, ClassifierError):
            alarms.clear(SETTINGS)  # they were read before the model
            alarms.sound(MODEL_FILE, words)
        else:
            alarms.sound(SETTINGS, words)
        self._current.history.last = Reloaded(self._now(), used=False, words=words)
        self._say(words)

    def _used(self, new: Generation) -> None:
        alarms, words = new.core.alarms, "reloaded configuration and model"
        for name in (SETTINGS, CLASSIFIER, *(() if new.lacks_model else (MODEL_FILE,))):
            alarms.clear(name)
        self._current.history.last = Reloaded(self._now(), used=True, words=words)
        self._say(words)

    async def watch(self) -> None:
        """Reload whenever a file has changed, for as long as it runs."""
        seconds = self._current.serve.proxy.reload_seconds
        if seconds:
            async for _ in self._looks(seconds):
                await self.reload(only_if_changed=True)

    async def _looks(self, seconds: float) -> AsyncIterator[object]:
        """Yield whenever there may be something new, and every so many seconds."""
        while not (folders := {path.parent for path in self._sources.files if path.parent.is_dir()}):
            await asyncio.sleep(seconds)
            yield None
        # Folders, because editors and mounts replace files; and a look each time that nothing was told.
        async for changes in awatch(
            *folders,
            watch_filter=None,
            debounce=200,
            step=50,
            rust_timeout=round(seconds * 1000),
            yield_on_timeout=True,
            recursive=False,
        ):
            yield changes

    def _warn(self, new: Generation) -> None:
        old, now = self._current.serve, new.serve
        changed = [name for name in _NEEDS_RESTART if getattr(old.proxy, name) != getattr(now.proxy, name)]
        changed = [f"proxy.{name}" for name in changed] + (["state"] if old.state != now.state else [])
        if changed:
            _log.warning("only a restart changes %s", ", ".join(changed))


def _digests(paths: Iterable[Path]) -> tuple[str, ...]:
    return tuple(map(_digest, paths))


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        return f"{error.strerror}"


def _one_line(error: Exception) -> str:
    return " ".join(f"{error}".split())
