"""Who is told of requests and attempts, at the few places where they begin and end."""

from collections.abc import Iterable
from typing import Protocol

from serving.observability.request_record import RequestRecord
from serving.spending.ledger_row import LedgerRow

__all__ = ["Headers", "Observer", "Observers"]

Headers = tuple[tuple[str, str], ...]


class Observer(Protocol):
    """Takes in what happens; quick, and never raises: requests wait for it."""

    def began(self, request: RequestRecord) -> None:
        """Take in that a request has arrived."""

    def attempting(self, row: LedgerRow, request: RequestRecord | None) -> None:
        """Take in that an attempt is about to be made: its row as it would be if the process died in it."""

    def attempted(self, row: LedgerRow, request: RequestRecord | None) -> None:
        """Take in the row of an attempt that ended, or of a stored answer; None where its request is over."""

    def ended(self, request: RequestRecord) -> None:
        """Take in that a request is over."""

    def headers(self, request_id: str) -> Headers:
        """Return what a request's attempt that is about to be made sends along."""


class Observers:
    """Tells several observers, and keeps the records of the requests at work; used in one event loop."""

    def __init__(self, observers: Iterable[Observer] = ()) -> None:
        """Begin with no requests.

        Args:
            observers: who is told, in this order.
        """
        self._observers = list(observers)
        self._at_work: dict[str, RequestRecord] = {}

    def add(self, observer: Observer) -> None:
        """Tell one more."""
        self._observers.append(observer)

    def began(self, request: RequestRecord) -> None:
        """Tell that a request has arrived."""
        self._at_work[request.request_id] = request
        for observer in self._observers:
            observer.began(request)

    def attempting(self, row: LedgerRow) -> None:
        """Tell that an attempt is about to be made."""
        request = self._at_work.get(row.request_id)
        for observer in self._observers:
            observer.attempting(row, request)

    def attempted(self, row: LedgerRow) -> None:
        """Tell of the row of an attempt, or of a stored answer."""
        request = self._at_work.get(row.request_id)
        if request is not None:
            request.rows.append(row)
        for observer in self._observers:
            observer.attempted(row, request)

    def ended(self, request: RequestRecord) -> None:
        """Tell that a request is over."""
        self._at_work.pop(request.request_id, None)
        for observer in self._observers:
            observer.ended(request)

    def headers(self, request_id: str) -> Headers:
        """Return what a request's attempt that is about to be made sends along."""
        return tuple(header for each in self._observers for header in each.headers(request_id))
