"""What the proxy's endpoints share, and how each of them takes a request in and sends errors out."""

import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from starlette.types import Receive, Scope, Send

from serving.errors import ChainFailedError, KeyMissingError, StateError
from serving.observability.metrics import RequestMetrics
from serving.observability.recent import RecentDecisions
from serving.observability.request_record import RequestRecord
from serving.proxy.books import StateBooks
from serving.proxy.budget_board import BudgetBoard
from serving.proxy.budget_gate import BudgetGate, Rules
from serving.proxy.caching import AnswerCache
from serving.proxy.connection import ClientLeftError, Connection
from serving.proxy.errors import ProxyError
from serving.proxy.failures import refusal_of
from serving.proxy.generation import Generation
from serving.proxy.guard import Guard, Turnstile
from serving.proxy.session_lookup import SessionLookup
from serving.proxy.wire import WireClient
from serving.spending.ledger_row import ChosenBy
from serving.state.api_key import ApiKey
from serving.upstream import APIError

__all__ = ["Asked", "Desk", "Endpoint", "Handle"]


@dataclass(slots=True)
class Desk:
    """What the endpoints share.

    Attributes:
        generation: the current one; a reload replaces it.
        client: to the upstream.
        books: the state.
        guard: of the API keys.
        turnstile: of the requests at work.
        now: seconds since the epoch.
        lookup: of conversations in the ledger.
        cache: of answers.
        requests: what they came to.
        board: how the budgets stand.
        recent: what was decided last.
    """

    generation: Generation
    client: WireClient
    books: StateBooks
    guard: Guard
    turnstile: Turnstile = field(default_factory=Turnstile)
    now: Callable[[], float] = time.time
    lookup: SessionLookup = field(init=False)
    cache: AnswerCache = field(init=False)
    requests: RequestMetrics = field(init=False)
    board: BudgetBoard = field(init=False)
    recent: RecentDecisions = field(init=False)

    def __post_init__(self) -> None:
        self.lookup = SessionLookup(self.books)
        self.cache = AnswerCache(self.books, lambda: self.now())
        self.requests = RequestMetrics(by_key=self.generation.serve.proxy.metrics_by_key)
        self.requests.know(self.generation.models())
        self.books.observers.add(self.requests)
        self.board = BudgetBoard(self.books, lambda: self.now())
        self.recent = RecentDecisions()
        self.books.observers.add(self.recent)

    def rules(self, generation: Generation) -> Rules:
        """Return what the budgets of a generation say."""
        serve, core = generation.serve, generation.core
        return Rules(
            core.config,
            serve.budgets,
            generation.premium,
            generation.zone,
            serve.proxy.default_max_tokens,
            self.now,
        )


@dataclass(slots=True)
class Asked:
    """A request that was let in, its body read.

    Attributes:
        desk: what all share.
        generation: that answers it, whatever is reloaded meanwhile.
        connection: the way back.
        key: of the caller, or None.
        body: raw.
        request_id: ours.
        at: when it arrived, seconds since the epoch.
        started_at: the same by the router's clock.
        record: what is told of it in the end.
        gate: that its attempts pass, once there is one.
    """

    desk: Desk
    generation: Generation
    connection: Connection
    key: ApiKey | None
    body: bytes
    request_id: str
    at: float
    started_at: float
    record: RequestRecord
    gate: BudgetGate | None = None


Handle = Callable[[Asked], Awaitable[None]]


class Endpoint:
    """An ASGI application: lets a request in, has it handled, and words what goes wrong."""

    def __init__(self, desk: Desk, handle: Handle, *, takes_json: bool = True) -> None:
        """Serve.

        Args:
            desk: what the endpoints share.
            handle: answers a request that was let in.
            takes_json: whether it comes with a body.
        """
        self._desk = desk
        self._handle = handle
        self._takes_json = takes_json

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        desk, generation = self._desk, self._desk.generation
        connection, at = Connection(scope, receive, send), desk.now()
        record = RequestRecord(
            uuid.uuid4().hex, scope["method"], scope["path"], at, headers=connection.headers
        )
        asked = Asked(
            desk,
            generation,
            connection,
            None,
            b"",
            record.request_id,
            at,
            generation.core.now(),
            record,
        )
        desk.books.observers.began(record)
        try:
            with desk.turnstile.passed(generation.serve.proxy.max_concurrent):
                await self._answer(asked)
        except ClientLeftError:
            record.client_left = True
        except ProxyError as error:
            await self._refuse(asked, error)
        finally:
            _end(asked)

    async def _answer(self, asked: Asked) -> None:
        connection, settings = asked.connection, asked.generation.serve.proxy
        asked.key = await asked.desk.guard.admit(connection.headers, settings.key_seconds)
        if self._takes_json:
            _check_type(connection.headers.get("content-type", ""))
        asked.body = await connection.read(settings.max_body_bytes, settings.request_seconds)
        async with connection:
            try:
                await self._handle(asked)
            except (APIError, ChainFailedError, KeyMissingError, StateError) as error:
                raise self._worded(asked, error) from error

    def _worded(self, asked: Asked, error: Exception) -> ProxyError:
        gate = asked.gate
        nobody_asked = isinstance(error, ChainFailedError) and not error.routing.attempts
        comes_back = isinstance(error, ChainFailedError) and error.retry_after is not None
        if gate is not None and gate.refused and nobody_asked and not comes_back:
            return gate.used_up()
        return refusal_of(error, asked.generation.core.keys)

    async def _refuse(self, asked: Asked, error: ProxyError) -> None:
        if asked.connection.started:  # the answer is under way: cutting it off is all that is left
            raise error
        await asked.connection.refuse(error, [("x-tierwise-request-id", asked.request_id)])


def _end(asked: Asked) -> None:
    record = asked.record
    record.key_id = None if asked.key is None else asked.key.key_id
    record.status = asked.connection.status
    record.client_left = (record.client_left or asked.connection.client_left) and not asked.connection.ended
    record.seconds = asked.generation.core.now() - asked.started_at
    if asked.gate is not None and asked.gate.downgraded:
        record.chosen_by = ChosenBy.BUDGET
    asked.desk.books.observers.ended(record)


def _check_type(content_type: str) -> None:
    kind = content_type.partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise ProxyError(
            415,
            "unsupported_media_type",
            "send the body as JSON, with the header content-type: application/json",
        )
