"""The gate that the attempts of a request pass: budgets before, ledger and settlement after."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Any, Protocol

from serving.chain import Failure
from serving.config import RouterConfig
from serving.cost import Cost, Price
from serving.errors import StateError
from serving.proxy.errors import ProxyError
from serving.proxy.ledger_rows import AttemptFacts, RequestFacts, cost_of, row_of
from serving.proxy.permissions import counts_as_premium
from serving.serve_config import BudgetSettings, WhenReached
from serving.spending.bounds import Bound, amount_of, bound_of
from serving.spending.budget_terms import (
    PREMIUM,
    Budget,
    Claim,
    Refused,
    Reserved,
    Unit,
    day_of,
    dollars,
    next_day_at,
)
from serving.spending.ledger_row import LedgerRow, Outcome
from serving.state.api_key import ApiKey
from serving.trial import Trial

__all__ = ["Books", "BudgetGate", "Claims", "Rules", "budgets_of"]

_log = logging.getLogger("serving")

_DIED = Failure("the proxy died during this call")

Amounts = Mapping[tuple[str, Unit], int]


class Books(Protocol):
    """Where reservations are made and rows are written."""

    async def reserve(self, reservation_id: str, claims: Sequence[Claim]) -> Reserved | Refused:
        """Reserve every claim or none; raises StateError when the database does not answer."""

    def settle(self, reservation_id: str, actual: Amounts) -> None:
        """Settle a reservation, soon; never waits."""

    def charge_later(self, reservation_id: str, claims: Sequence[Claim]) -> None:
        """Charge what was spent without a reservation, when the database answers again; never waits."""

    def begin(self, row: LedgerRow) -> None:
        """Note what is to be the row of an attempt if the process is killed in it; never waits."""

    def put(self, row: LedgerRow) -> None:
        """Write a row, soon; never waits."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What budgets say, as configured when the request arrived.

    Attributes:
        config: models and prices.
        settings: of the budgets.
        premium: the budgets of the premium tier.
        zone: whose midnight begins the day.
        default_max_tokens: of a request that gives no limit.
        now: seconds since the epoch.
    """

    config: RouterConfig
    settings: BudgetSettings
    premium: tuple[Budget, ...]
    zone: tzinfo
    default_max_tokens: int
    now: Callable[[], float]

    def seconds_to_next_day(self) -> int:
        """Return after how many seconds the budgets' next day begins, at least 1."""
        now = self.now()
        return max(1, int(next_day_at(now, self.zone) - now) + 1)


def budgets_of(model: str, key: ApiKey | None, rules: Rules) -> tuple[Budget, ...]:
    """Return the budgets that govern a request of a key to a model."""
    premium = rules.premium if rules.premium and counts_as_premium(model, rules.config) else ()
    own = None if key is None else key.budget
    return premium if own is None else (*premium, own)


@dataclass(frozen=True, slots=True)
class Claims:
    """What one attempt holds.

    Attributes:
        attempt_id: of the attempt and of its reservation.
        price: of the model that is asked, or None.
        claims: that it made; empty where no budget governs it.
        reserved: whether they were granted; False when the gate failed open.
    """

    attempt_id: str
    price: Price | None = None
    claims: tuple[Claim, ...] = ()
    reserved: bool = False


class BudgetGate:
    """The gate of one request.

    Attributes:
        facts: of the request, for its rows.
        refused: the budgets that kept an attempt back.
        downgraded: whether a model was passed over for want of budget.
    """

    def __init__(
        self, books: Books, rules: Rules, facts: RequestFacts, key: ApiKey | None, body: Mapping[str, Any]
    ) -> None:
        """Begin before the first attempt.

        Args:
            books: the state.
            rules: the budgets.
            facts: of the request, for its rows.
            key: the caller's, or None.
            body: as it is forwarded.
        """
        self._books = books
        self._rules = rules
        self.facts = facts
        self._key = key
        self._body = body
        self._bound: Bound | None = None
        self._held = Claims("")
        self._number = 0
        self.refused: list[Refused] = []

    @property
    def downgraded(self) -> bool:
        """Whether a model was passed over for want of budget."""
        return bool(self.refused)

    async def hold(self, trial: Trial) -> str:
        """Return why an attempt may not be made; empty when it may, and then it is noted as begun.

        Raises:
            ProxyError: nothing else may be tried instead: the budget is used up and requests are refused
                then, or the state is down.
        """
        refusal = await self._refusal(trial)
        if not refusal:
            row = row_of(self.facts, trial.call.routing(), self._attempt(trial, Outcome.UNKNOWN, _DIED))
            self._books.begin(replace(row, total_seconds=None, prompt=None))
        return refusal

    async def _refusal(self, trial: Trial) -> str:
        attempt_id, price = uuid.uuid4().hex, trial.price
        budgets = self._budgets(trial)
        if not budgets:
            self._held = Claims(attempt_id, price)
            return ""
        claims = self._claims(price, budgets)
        if claims is None:
            return self._no_price(trial)
        try:
            answer = await self._reserve(attempt_id, claims)
        except StateError as error:
            return self._state_is_down(trial, Claims(attempt_id, price, claims), error)
        if isinstance(answer, Reserved):
            self._held = Claims(attempt_id, price, claims, reserved=True)
            return ""
        if trial.candidate.direct is not None:  # the client gets the error that there would have been anyhow
            return _spent(answer)
        self.refused.append(answer)
        if self._rules.settings.when_reached is WhenReached.REFUSE and self._is_planned(trial):
            raise self.used_up()
        return _spent(answer)

    def settle(self, trial: Trial, outcome: Outcome, failure: Failure | None) -> None:
        """Write the row of the attempt that was let through last, and settle what it held."""
        held, routing = self._held, trial.call.routing()
        attempt = self._attempt(trial, outcome, failure)
        self._number += 1
        self._books.put(row_of(self.facts, routing, attempt))
        if held.claims:
            self._settle(held, self._actual(held, outcome, cost_of(routing, attempt)))

    def used_up(self) -> ProxyError:
        """Return the refusal of a request that the budgets kept back."""
        seconds = self._rules.seconds_to_next_day()
        spent = "; ".join(dict.fromkeys(map(_spent, self.refused)))
        return ProxyError(
            429,
            "budget_reached",
            f"{spent}: a new day begins in {seconds} s",
            headers=[("retry-after", str(seconds))],
        )

    def _attempt(self, trial: Trial, outcome: Outcome, failure: Failure | None) -> AttemptFacts:
        return AttemptFacts(
            attempt_id=self._held.attempt_id,
            number=self._number,
            candidate=trial.candidate,
            outcome=outcome,
            failure=failure,
            ended_at=trial.call.shared.clock(),
            downgraded=self.downgraded,
        )

    def _budgets(self, trial: Trial) -> tuple[Budget, ...]:
        direct, own = trial.candidate.direct, None if self._key is None else self._key.budget
        if direct is None:
            return budgets_of(trial.candidate.model, self._key, self._rules)
        return direct.budgets if own is None else (*direct.budgets, own)

    def _claims(self, price: Price | None, budgets: Sequence[Budget]) -> tuple[Claim, ...] | None:
        if self._bound is None:
            rules = self._rules
            self._bound = bound_of(
                self._body,
                default_max_tokens=rules.default_max_tokens,
                tokens_per_part=rules.settings.tokens_per_part,
            )
        day = day_of(self._rules.now(), self._rules.zone)
        amounts = [(each, self._bound.amount(each.unit, price)) for each in budgets]
        claims = tuple(each.claim(day, amount) for each, amount in amounts if amount is not None)
        return claims if len(claims) == len(budgets) else None

    def _actual(self, held: Claims, outcome: Outcome, cost: Cost) -> Amounts:
        """What an attempt came to; a claim that is left out counts in full, because nobody can say."""
        if outcome is Outcome.FAILED:
            return {(claim.scope, claim.unit): 0 for claim in held.claims}
        if cost.tokens is None or (cost.estimated and outcome is not Outcome.ANSWERED):
            return {}
        tokens, price = cost.tokens, held.price
        amounts = {(each.scope, each.unit): amount_of(tokens, each.unit, price) for each in held.claims}
        return {place: amount for place, amount in amounts.items() if amount is not None}

    async def _reserve(self, attempt_id: str, claims: tuple[Claim, ...]) -> Reserved | Refused:
        """Reserve; when the caller leaves meanwhile, what may have been granted is given back."""
        reserving = asyncio.ensure_future(self._books.reserve(attempt_id, claims))
        try:
            return await asyncio.shield(reserving)
        except asyncio.CancelledError:
            reserving.add_done_callback(lambda done: self._give_back(done, attempt_id, claims))
            raise
        except StateError:
            self._release(attempt_id, claims)  # nobody knows whether it was granted
            raise

    def _give_back(
        self, done: "asyncio.Future[Reserved | Refused]", attempt_id: str, claims: tuple[Claim, ...]
    ) -> None:
        if not done.cancelled() and done.exception() is not None:
            _log.debug("a reservation of a request that was cancelled failed: %s", done.exception())
        self._release(attempt_id, claims)

    def _release(self, attempt_id: str, claims: Sequence[Claim]) -> None:
        self._books.settle(attempt_id, {(claim.scope, claim.unit): 0 for claim in claims})

    def _settle(self, held: Claims, actual: Amounts) -> None:
        if held.reserved:
            self._books.settle(held.attempt_id, actual)
            return
        claims = [
            Claim(each.scope, each.unit, each.day, each.cap, actual.get((each.scope, each.unit), each.amount))
            for each in held.claims
        ]
        self._books.charge_later(held.attempt_id, claims)

    def _is_planned(self, trial: Trial) -> bool:
        planned = trial.candidate.direct is None and trial.candidate.model == trial.routing.planned
        return self._number == 0 and planned

    def _no_price(self, trial: Trial) -> str:
        model = trial.candidate.model
        why = f"a budget in dollars governs {model}, whose price nobody has configured"
        if trial.call.alone:
            raise ProxyError(403, "price_unknown", f"{why}: add it to [prices] in the configuration")
        return why

    def _state_is_down(self, trial: Trial, held: Claims, error: StateError) -> str:
        if self._rules.settings.fail_open:
            self._held = held
            return ""
        _log.warning("a request that a budget governs is refused: %s", error)
        why = "the budgets cannot be read now"
        if self._is_planned(trial):
            raise ProxyError(503, "state_unavailable", f"{why}: try again", headers=[("retry-after", "5")])
        return why


def _spent(refused: Refused) -> str:
    claim = refused.claim
    whose = "the break-glass budget" if claim.scope.startswith("break_glass:") else "this API key's budget"
    whose = "the premium budget" if claim.scope == PREMIUM else whose
    return f"{whose} of {_worded(claim.cap, claim.unit)} a day has too little left for this call"


def _worded(amount: int, unit: Unit) -> str:
    return f"${dollars(amount):g}" if unit is Unit.USD else f"{amount} tokens"
