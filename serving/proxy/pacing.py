"""Pacing in the proxy: a generation's pacer, what was spent as last seen, and what keeps both up to date."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice

from classifier import TierPredictor
from serving.errors import StateError
from serving.proxy.books import StateBooks
from serving.selection import Predictor
from serving.serve_config import ServeConfig
from serving.spending.budget_terms import Unit, day_of
from serving.spending.demand_history import DemandHistory
from serving.spending.ledger_row import LedgerRow
from serving.spending.paced_predictor import PacedPredictor
from serving.spending.pacing import Pacer, spent_of
from serving.state import State

__all__ = ["Pacing", "learn_forever", "refresh_forever"]

_log = logging.getLogger("serving")

_REFRESH_SECONDS = 2.0
_LEARNT_SECONDS = 7 * 86_400.0
_ROWS_IN_A_ROW = 20  # some tenths of a millisecond, in which no request is answered
_PAUSE_SECONDS = 0.001


class Pacing:
    """What paces one generation's premium budgets.

    Attributes:
        paced: decides in the predictor's place.
    """

    def __init__(
        self, predictor: TierPredictor, pacer: Pacer, serve: ServeConfig, now: Callable[[], float]
    ) -> None:
        """Begin with nothing spent, as far as is known; `refresh` tells.

        Args:
            predictor: unpaced.
            pacer: of the budgets.
            serve: the settings.
            now: seconds since the epoch.
        """
        self._now = now
        self._zone = serve.budgets.zone
        self._spent: Mapping[Unit, int] = {}
        self._learnt_on = ""
        self.paced = PacedPredictor(
            predictor, pacer, clock=now, spent=lambda: self.spent, by_size=serve.pacing.by_size
        )

    @classmethod
    def of(
        cls,
        serve: ServeConfig,
        predictor: Predictor,
        old: "Pacing | None" = None,
        now: Callable[[], float] = time.time,
    ) -> "Pacing | None":
        """Return the pacing of a generation, or None where nothing is to be paced.

        Args:
            serve: its settings.
            predictor: its own; another kind than the classifier's cannot be paced.
            old: of the generation before: where budgets, zone and profile are the same, its pacer is kept
                with all that it has seen today.
            now: seconds since the epoch.
        """
        budgets, settings = serve.budgets, serve.pacing
        if not (settings.enabled and budgets.premium and isinstance(predictor, TierPredictor)):
            return None
        terms = budgets.premium, budgets.zone, settings.traffic
        if old is None or not old.paced.pacer.paces(*terms):
            return cls(predictor, Pacer(*terms), serve, now)
        made = cls(predictor, old.paced.pacer, serve, now)
        made._spent = old.spent
        same_policy = predictor.policy == old.paced.predictor.policy
        made._learnt_on = old._learnt_on if same_policy else ""
        return made

    def refresh(self, state: State) -> None:
        """Read what was spent today.

        Raises:
            StateUnavailableError: the database does not answer; what was known stands.
        """
        self._spent = spent_of(state.budgets.standing(day_of(self._now(), self._zone)))

    @property
    def spent(self) -> Mapping[Unit, int]:
        """What was spent today on premium, by unit, as last read."""
        return self._spent

    @property
    def is_to_learn(self) -> bool:
        """Whether the days before today have not been learnt from."""
        return self._learnt_on != day_of(self._now(), self._zone)

    def learn(self, state: State, stopped: threading.Event) -> None:
        """Learn from the last week's ledger, with many pauses for the thread that answers requests.

        Args:
            state: whose ledger is read.
            stopped: set from outside when it is to be left.

        Raises:
            StateUnavailableError: the database does not answer; nothing was learnt.
        """
        now = self._now()
        today = day_of(now, self._zone)
        rows = _gently(state.ledger.rows(now - _LEARNT_SECONDS, now), stopped)
        history = DemandHistory.of(rows, self.paced.predictor.policy, self._zone, today)
        if not stopped.is_set():
            self.paced.pacer.learn(history)
            self._learnt_on = today


async def refresh_forever(current: Callable[[], Pacing | None], books: StateBooks) -> None:
    """Read every few seconds what was spent, for the current generation."""
    while True:
        await asyncio.sleep(_REFRESH_SECONDS)
        pacing = current()
        if pacing is not None:
            try:
                await books.run(lambda pacing=pacing: pacing.refresh(books.state))  # type: ignore[misc]
            except StateError as error:
                _log.debug("what was spent on premium is not known anew: %s", error)


async def learn_forever(current: Callable[[], Pacing | None], books: StateBooks) -> None:
    """Learn from the ledger at the start, after each midnight and after a change of budgets or policy."""
    stopped = threading.Event()
    try:
        while True:
            pacing = current()
            if pacing is not None and pacing.is_to_learn:
                try:
                    await asyncio.to_thread(pacing.learn, books.state, stopped)
                except StateError as error:
                    _log.debug("nothing is learnt of previous days now: %s", error)
            await asyncio.sleep(_REFRESH_SECONDS)
    finally:
        stopped.set()


def _gently(rows: Iterable[LedgerRow], stopped: threading.Event) -> Iterator[LedgerRow]:
    """Yield rows until it is stopped; the pauses let other threads run, which wait for the interpreter."""
    each = iter(rows)
    while some := list(islice(each, _ROWS_IN_A_ROW)):
        yield from some
        if stopped.wait(_PAUSE_SECONDS):
            return
