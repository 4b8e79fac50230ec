"""Chooses a tier for each call, whatever becomes of the classifier, and in bounded time.

The packaged predictor decides on ordinary prompts at once, in microseconds. Long conversations (100,000 turns
take half a second), and predictors of the caller's on anything, are given to a few threads, and waited for no
longer than `classifier_seconds`. Whatever goes wrong, the balanced tier answers, and an alarm stands.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from classifier import (
    ClassifierError,
    Decision,
    Explanation,
    ModelFileError,
    PromptError,
    Tier,
    TierPredictor,
)
from serving.alarms import Alarms
from serving.routing import Reasons
from serving.selection import AUTO, Predictor, Selection, named
from serving.spending.paced_predictor import PacedPredictor
from serving.workers import StuckError, Workers

__all__ = ["CLASSIFIER", "MODEL_FILE", "NoModel", "Selector", "is_short"]

CLASSIFIER = "classifier"
"""The name of the alarm that stands while the classifier fails."""

MODEL_FILE = "model file"
"""The name of the alarm that stands while there is no good model file."""

_CLASSIFIER_FAILURES = (
    ClassifierError,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)
_QUIET_SECONDS = 60.0  # without a failure, before the alarm is over
_THREADS = 4
_MOST_PIECES = 256  # messages and their parts: two thousandths of a second
_MOST_CHARACTERS = 2**18

T = TypeVar("T")


class NoModel:
    """Stands in for a classifier whose model file is missing or broken: balanced answers meanwhile."""

    def decide(self, _prompt: Sequence[Any], /) -> Decision:
        """Fail.

        Raises:
            ModelFileError: always.
        """
        raise ModelFileError("its model file cannot be used")

    def explain(self, _prompt: Sequence[Any], /) -> Explanation:
        """Fail.

        Raises:
            ModelFileError: always.
        """
        raise ModelFileError("its model file cannot be used")


class Selector:
    """Chooses for each call; a classifier that fails or hangs costs its judgement, never the call."""

    def __init__(self, predictor: Predictor, alarms: Alarms, seconds: float) -> None:
        """Choose by a predictor.

        Args:
            predictor: who decides on "auto".
            alarms: that tell when it fails.
            seconds: for which it is waited, where it is not known to be quick.
        """
        self._predictor = predictor
        self._alarms = alarms
        self._workers = Workers(_THREADS, seconds)
        self._quick = type(predictor) in (TierPredictor, PacedPredictor, NoModel)

    def select(self, requested: str, messages: Iterable[Any]) -> Selection:
        """Choose for one call; returns within the classifier's time.

        Args:
            requested: "auto", a tier's name, or any model's.
            messages: OpenAI messages.
        """
        if requested != AUTO:
            return named(requested)
        known = _listed(messages)
        if self._is_quick(known):
            return self._at_once(known)
        try:
            done = self._workers.submit(lambda: self._predictor.decide(known))
        except StuckError as error:
            return self._despite(error)
        wait((done,), self._workers.seconds)
        return self._settled(done, known)

    async def select_soon(
        self, requested: str, messages: Iterable[Any], *, explained: bool = False
    ) -> Selection:
        """Choose for one call without holding the event loop.

        Args:
            requested: "auto", a tier's name, or any model's.
            messages: OpenAI messages.
            explained: whether the reasons are sure to be read, in the event loop: what takes long is begun
                now then, and what is not ready by that time is left out.
        """
        if requested != AUTO:
            return named(requested)
        known = _listed(messages)
        if self._is_quick(known):
            return self._at_once(known)
        try:
            done = asyncio.wrap_future(self._workers.submit(lambda: self._predictor.decide(known)))
        except StuckError as error:
            return self._despite(error)
        try:
            await asyncio.wait((done,), timeout=self._workers.seconds)
        except asyncio.CancelledError:
            done.cancel()  # in the queue; of what has begun nobody wants to know
            raise
        return self._settled(done, known, explained=explained)

    def explain(self, messages: Sequence[Any], decision: Decision) -> Explanation:
        """Return why a decision was made; within the classifier's time.

        Raises:
            ClassifierError: it cannot read the messages.
            TimeoutError: it took too long.
        """
        if self._is_quick(messages):
            return self._explained(messages, decision)
        done = self._workers.submit(lambda: self._explained(messages, decision))
        if not wait((done,), self._workers.seconds).done:
            done.cancel()
            raise TimeoutError(f"it took more than {self._workers.seconds:g} s")
        return _result_of(done)

    def _is_quick(self, messages: Sequence[Any]) -> bool:
        return self._quick and is_short(messages)

    def _at_once(self, messages: Sequence[Any]) -> Selection:
        try:
            return self._chosen(messages, self._predictor.decide(messages))
        except _CLASSIFIER_FAILURES as error:
            return self._despite(error)

    def _settled(
        self,
        done: "Future[Decision] | asyncio.Future[Decision]",
        messages: Sequence[Any],
        *,
        explained: bool = False,
    ) -> Selection:
        """Return what comes of a decision that was waited for."""
        if not done.done():
            done.cancel()  # in the queue; what has begun goes on, and holds its thread
            words = f"it took more than {self._workers.seconds:g} s for {len(messages)} messages"
            return self._despite(TimeoutError(words))
        error = done.exception()
        if error is not None:
            return self._despite(error)
        return self._chosen(messages, done.result(), explained=explained)

    def _chosen(self, messages: Sequence[Any], decision: object, *, explained: bool = False) -> Selection:
        if not isinstance(decision, Decision):
            wrong = TypeError(f"decide() returned a {type(decision).__name__} and no Decision")
            return self._despite(wrong)
        self._alarms.clear(CLASSIFIER, quiet_seconds=_QUIET_SECONDS)
        copied = tuple(messages)  # callers append the answer to theirs
        if explained and not self._is_quick(messages):
            reasons = self._reasons_begun(copied, decision)
        else:
            reasons = _later_reasons(lambda: self.explain(copied, decision))
        return Selection(AUTO, decision.tier, decision, reasons)

    def _reasons_begun(self, messages: Sequence[Any], decision: Decision) -> Reasons:
        """Return the reasons of an explanation that is being made; until it is there, they say so."""
        try:
            done = self._workers.submit(lambda: self._explained(messages, decision))
        except StuckError as error:
            return Reasons.known(_not_explained(error))

        def reasons() -> tuple[str, ...]:
            if done.done():
                return _result_of(done).reasons()
            done.cancel()
            return ("the classifier's explanation was not ready in time",)

        return _guarded(reasons)

    def _explained(self, messages: Sequence[Any], decision: Decision) -> Explanation:
        if isinstance(self._predictor, PacedPredictor):  # at the price of that moment
            return self._predictor.explain_decision(messages, decision)
        return self._predictor.explain(messages)

    def _despite(self, error: BaseException) -> Selection:
        """Return balanced after a failure."""
        words = f"{type(error).__name__}: {error}"
        if not isinstance(error, PromptError) and type(self._predictor) is not NoModel:
            self._alarms.sound(CLASSIFIER, f"the classifier failed, so balanced answers: {words}")
        why = Reasons.known(f"the classifier failed, so balanced answers: {words}")
        return Selection(AUTO, Tier.BALANCED, None, why)


def is_short(messages: Sequence[Any]) -> bool:
    """Return whether the packaged predictor decides on messages in a thousandth of a second or two.

    Measured: 5 to 8 microseconds for each message, 3 for each part of one, and 1 for each 700 characters.
    """
    pieces, characters = len(messages), 0
    if pieces > _MOST_PIECES:
        return False
    for message in messages:
        content = _of(message, "content")
        if isinstance(content, list | tuple):
            pieces += len(content)
            if pieces > _MOST_PIECES:
                return False
            characters += sum(len(each) for part in content if isinstance(each := _of(part, "text"), str))
        elif isinstance(content, str):
            characters += len(content)
    return characters <= _MOST_CHARACTERS


def _of(holder: Any, name: str) -> Any:
    """Return a field of a mapping or of an object; a text stands for itself."""
    if isinstance(holder, str):
        return holder
    return holder.get(name) if isinstance(holder, Mapping) else getattr(holder, name, None)


def _listed(messages: Iterable[Any]) -> Sequence[Any]:
    return messages if isinstance(messages, Sequence) else tuple(messages)


def _result_of(done: "Future[T]") -> T:
    """Return the result of ended work; what is no ordinary failure comes as one.

    Raises:
        ClassifierError: the work raised something else than the failures that are known.
    """
    error = done.exception()
    if error is None:
        return done.result()
    if isinstance(error, _CLASSIFIER_FAILURES):
        raise error
    raise ClassifierError(f"{type(error).__name__}: {error}") from error


def _later_reasons(explain: Callable[[], Explanation]) -> Reasons:
    return _guarded(lambda: explain().reasons())


def _guarded(explain: Callable[[], tuple[str, ...]]) -> Reasons:
    def reasons() -> tuple[str, ...]:
        try:
            return explain()
        except _CLASSIFIER_FAILURES as error:
            return (_not_explained(error),)

    return Reasons(reasons)


def _not_explained(error: Exception) -> str:
    return f"the classifier could not explain itself: {type(error).__name__}: {error}"
