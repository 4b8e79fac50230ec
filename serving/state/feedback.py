"""What callers thought of answers, and did about them: one row to a request."""

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import case, func

from serving.state.database import Database
from serving.state.ledger_values import storable_text
from serving.state.paging import paged
from serving.state.schema import feedback

__all__ = ["Feedback", "FeedbackLog", "Thumb"]


_SIGNS = ("thumb", "retried", "escalated_to")


class Thumb(enum.StrEnum):
    """Whether an answer was good enough."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What is known of one answer.

    Attributes:
        request_id: of the request whose answer is judged.
        thumb: up or down, or None where only something else was told.
        at: when the last of it was told, seconds since the epoch.
        key_id: of the API key that gave it, or None.
        comment: the caller's words, at most 1000 characters, or None.
        retried: whether the user asked again at the same tier; None where nobody said.
        escalated_to: the tier that the user turned to afterwards, or None.
    """

    request_id: str
    thumb: Thumb | None
    at: float
    key_id: str | None = None
    comment: str | None = None
    retried: bool | None = None
    escalated_to: str | None = None


class FeedbackLog:
    """The feedback of a database; every method raises `StateUnavailableError` when that does not answer."""

    def __init__(self, database: Database) -> None:
        """Keep it in a database."""
        self._database = database
        add = database.insert(feedback)
        new = add.excluded
        told = {name: func.coalesce(new[name], feedback.c[name]) for name in _SIGNS}
        # A comment belongs to its thumb: it is not left beside another one.
        comment = case(
            (new.thumb.is_not(None), new.comment), else_=func.coalesce(new.comment, feedback.c.comment)
        )
        latest = {**told, "at": new.at, "key_id": new.key_id, "comment": comment}
        self._add = add.on_conflict_do_update(index_elements=["request_id"], set_=latest)

    def add(
        self,
        request_id: str,
        thumb: Thumb | None,
        at: float,
        key_id: str | None = None,
        comment: str | None = None,
        *,
        retried: bool | None = None,
        escalated_to: str | None = None,
    ) -> None:
        """Take in what was told of an answer, whether the request is known or not.

        What is told later replaces what was told before of the same kind; what is None leaves it. A thumb
        takes the comment of the earlier one with it.
        """
        values = {
            "request_id": storable_text(request_id),
            "thumb": None if thumb is None else thumb.value,
            "at": at,
            "key_id": key_id,
            "comment": None if comment is None else storable_text(comment),
            "retried": retried,
            "escalated_to": escalated_to,
        }
        with self._database.writing() as connection:
            connection.execute(self._add, values)

    def rows(self, since: float, until: float) -> Iterator[Feedback]:
        """Yield the feedback of a span of time in order, page by page.

        Args:
            since: seconds since the epoch, inclusive.
            until: seconds since the epoch, exclusive.
        """
        span = feedback.c.at >= since, feedback.c.at < until
        for row in paged(self._database, feedback, feedback.c.request_id, *span):
            yield Feedback(**{**row, "thumb": None if row["thumb"] is None else Thumb(row["thumb"])})
