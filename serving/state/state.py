"""All that is kept, behind one door."""

from dataclasses import dataclass
from types import TracebackType
from typing import Self

from serving.state.answers import Answers
from serving.state.api_keys import ApiKeys
from serving.state.budgets import Budgets
from serving.state.database import Database
from serving.state.engines import Waits
from serving.state.feedback import FeedbackLog
from serving.state.instances import Instances
from serving.state.ledger import Ledger
from serving.state.totals import Totals

__all__ = ["State"]


@dataclass(frozen=True, slots=True)
class State:
    """What outlives the process; a context manager that closes the database.

    Attributes:
        database: that it is kept in.
        api_keys: of the proxy's own.
        ledger: of attempts.
        budgets: of spend.
        instances: heartbeats of the processes.
        feedback: thumbs.
        answers: that are kept.
        totals: the ledger, added up.
    """

    database: Database
    api_keys: ApiKeys
    ledger: Ledger
    budgets: Budgets
    instances: Instances
    feedback: FeedbackLog
    answers: Answers
    totals: Totals

    @classmethod
    def open(cls, url: str, *, waits: Waits | None = None) -> Self:
        """Open the state of a database whose schema is up to date.

        Raises:
            StateError: the URL is of no use.
            StateUnavailableError: the database cannot be reached.
            SchemaOutdatedError: it has no schema, or that of another version.
        """
        return cls.of(Database.open(url, waits=waits))

    @classmethod
    def of(cls, database: Database) -> Self:
        """Return the state of a database."""
        return cls(
            database,
            ApiKeys(database),
            Ledger(database),
            Budgets(database),
            Instances(database),
            FeedbackLog(database),
            Answers(database),
            Totals(database),
        )

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
