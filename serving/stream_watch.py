"""What a stream has shown so far, and what that means for the record of its call; whoever reads it."""

from collections.abc import Callable
from typing import NamedTuple

from serving.cost import Tokens
from serving.routing import Routing, attach
from serving.trial import Trial
from serving.upstream import BrokenAnswerError

__all__ = ["Piece", "StreamWatch"]

_SECOND = 1.0


class Piece(NamedTuple):
    """What one chunk of a stream comes to.

    Attributes:
        said: all that its choices say: text, reasoning, tool calls.
        has_token: whether it carries a part of the answer, or its end; the role alone is neither.
        has_choices: whether there are choices in it at all.
        finished: whether one of them gives its finish reason.
        has_usage: whether the upstream tells the usage in it.
        tokens: the usage, where it can be used.
    """

    said: str
    has_token: bool
    has_choices: bool
    finished: bool
    has_usage: bool
    tokens: Tokens | None


class StreamWatch:
    """Keeps the record of a stream's call.

    Attributes:
        trial: the attempt that the stream answers.
        begun: whether the first token has come.
        priming: whether the stream is being read ahead to its first token, so that another model can still
            answer.
        said_later: returns what was said besides, in chunks not taken in; asked where no usage came.
    """

    def __init__(self, trial: Trial) -> None:
        """Watch the answer to an attempt."""
        self.trial = trial
        self.begun = False
        self.priming = False
        self.said_later: Callable[[], str] = str
        self._reading = False
        self._clock = trial.call.shared.clock
        self._shown_at: float | None = None
        self._idle = 0.0
        self._tokens: Tokens | None = None
        self._said: list[str] = []
        self._finished = False

    @property
    def routing(self) -> Routing:
        """The record as it stands."""
        return self.trial.call.routing()

    def reading(self) -> None:
        """Note that a read is under way."""
        self._reading = True
        if self._shown_at is not None:
            self._idle += self._clock() - self._shown_at
            self._shown_at = None

    def saw(self, piece: Piece) -> bool:
        """Take in a chunk; return whether the caller is to see it: not the usage that only we asked for."""
        is_read, self._reading = self._reading, False
        self._said.append(piece.said)
        self._finished = self._finished or piece.finished
        if piece.has_token and not self.begun:
            self.begun = is_read = True
            self.trial.deadline.begun()
            self.trial.first_token()
        if is_read and self.begun:
            self._shown_at = self._clock()
        if not piece.has_usage:
            return True
        self._tokens = piece.tokens or self._tokens
        return piece.has_choices or self.trial.call.order.wants_usage

    def ended(self) -> None:
        """Note that the stream has ended by itself.

        Raises:
            BrokenAnswerError: it ended before its first token, and another model can still answer.
        """
        self._reading = False
        if self.priming:
            raise BrokenAnswerError("the stream ended before its first token")
        failure = "" if self._finished else "the stream ended without a finish reason"
        self._conclude(failure, failure)

    def broke(self, error: Exception) -> None:
        """Note that the stream broke."""
        self._reading = False
        if not self.priming:
            cause = self.trial.failure_of(error).cause
            if self._is_read_slowly():
                self.trial.left()
            self._conclude(cause, cause)
            attach(error, self.routing)

    def left(self) -> None:
        """Note that the caller went away while a read was under way, as when a client of theirs hangs up."""
        self._reading = False
        self.closed()

    def closed(self) -> None:
        """Note that the response was closed: by the caller, unless a read of ours is under way."""
        if not self._reading and not self.priming:
            if not self._finished:
                self.trial.left()
            self._conclude("", "the stream was closed before its usage came")

    def _is_read_slowly(self) -> bool:
        """Whether most of the time since the first token went by between reads, which is the caller's own."""
        first_at = self.trial.deadline.first_at
        return self._idle >= _SECOND and first_at is not None and self._idle > (self._clock() - first_at) / 2

    def _conclude(self, failure: str, why_no_usage: str) -> None:
        if self.trial.call.complete:
            return
        if self._tokens is not None:
            self.trial.answered(self._tokens, failure)
        else:
            self.trial.answered_text("".join(self._said) + self.said_later(), failure, why_no_usage)
