"""What the sync and the async router share: everything but the waiting."""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from classifier import Decision, Explanation, ModelFileError, Tier, TierPredictor
from serving.alarms import Alarms
from serving.call import Call, Order, Shared
from serving.chain import Plan, plan_alone, plan_tiers
from serving.config import RouterConfig
from serving.deadline import Limits
from serving.errors import ConfigError, KeyMissingError
from serving.health import Health, HealthTerms
from serving.keys import CHANNELS, Channel, Keys
from serving.routing import Routing
from serving.selection import AUTO, Predictor, Selection
from serving.selector import MODEL_FILE, NoModel, Selector
from serving.sessions.keeper import Held, Sessions
from serving.sessions.memory import Memory
from serving.sessions.session_id import SESSION_HEADER
from serving.summary import Collector, Summary
from serving.upstream import Timeout

__all__ = ["RouterCore"]

_log = logging.getLogger("serving")


class RouterCore:
    """A router's configuration, keys, predictor and figures; threads and copies of a router share it.

    Attributes:
        config: models, prices, chains, times.
        keys: of the channels.
        alarms: that stand.
        health: of the models.
        sessions: that keep the tiers of conversations.
        sleep: waits so many seconds.
        sleep_soon: the same, without holding the event loop.
    """

    def __init__(
        self,
        config: RouterConfig,
        keys: Keys,
        predictor: Predictor,
        clock: Callable[[], float] = time.perf_counter,
        alarms: Alarms | None = None,
        *,
        health: Health | None = None,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        sleep_soon: Callable[[float], Awaitable[None]] = asyncio.sleep,
        memory: Memory | None = None,
    ) -> None:
        """Work out each tier's plan.

        Args:
            config: models, prices, chains, times.
            keys: of the channels.
            predictor: who decides on "auto".
            clock: seconds, from any start, never going back.
            alarms: to go on with, of the core before this one.
            health: to go on with, of the core before this one.
            wall: seconds since the epoch.
            sleep: waits so many seconds.
            sleep_soon: the same, without holding the event loop.
            memory: of conversations, to go on with, of the core before this one.
        """
        self.config = config
        self.keys = keys
        self.alarms = alarms or Alarms()
        self._selector = Selector(predictor, self.alarms, config.classifier_seconds)
        self._collector = Collector(config)
        self.health = Health(_health_terms(config), clock, wall, old=health)
        self.sessions = Sessions(config, memory)
        self.sleep = sleep
        self.sleep_soon = sleep_soon
        self._shared = Shared(config, keys, clock, self._collector.add, self.health)
        self._plans = plan_tiers(config, has_pro_key=keys.pro is not None)
        self._unwarned = threading.Lock()

    @classmethod
    def compose(
        cls,
        config: RouterConfig | None,
        environ: Mapping[str, str],
        predictor: Predictor | None,
        given: Mapping[str, Any],
    ) -> "RouterCore":
        """Return the core of a router from what its constructor was given.

        Raises:
            ConfigError: one of the SDK's options was given that the configuration or the environment decides.
            KeyMissingError: there is no key in the environment.
        """
        for name, instead in _DECIDED_ELSEWHERE.items():
            if name in given:
                raise ConfigError(f"{name} is no argument of a router: {instead}")
        keys = Keys.from_environ(environ)
        alarms = Alarms()
        return cls(config or RouterConfig(), keys, predictor or _packaged(alarms), alarms=alarms)

    def client_options(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the SDK's client is made with; what was given comes before what is configured."""
        config = self.config
        defaults = {
            "api_key": self.keys.standard.reveal(),
            "base_url": config.base_url,
            "timeout": config.deadline_seconds,
            "max_retries": 0,
        }
        return {**defaults, **given}

    def begin(
        self, body: Any, options: Mapping[str, Any], *, streams: bool, timeout: float | Timeout | None
    ) -> Call:
        """Decide on a chat completion and return it as a call whose time is running.

        Args:
            body: as the SDK made it from the caller's parameters.
            options: as the SDK made them.
            streams: whether a stream is wanted.
            timeout: the client's, for calls without one of their own.

        Raises:
            KeyMissingError: the caller named a model of the Pro channel, and there is no key for it.
        """
        started_at = self.now()
        selection = self.select(body.get("model", AUTO), body.get("messages", ()))
        return self._begin(body, options, selection, started_at, streams=streams, timeout=timeout)

    async def begin_soon(
        self, body: Any, options: Mapping[str, Any], *, streams: bool, timeout: float | Timeout | None
    ) -> Call:
        """As `begin`, without holding the event loop; arguments and errors are the same."""
        started_at = self.now()
        selection = await self.select_soon(body.get("model", AUTO), body.get("messages", ()))
        return self._begin(body, options, selection, started_at, streams=streams, timeout=timeout)

    def _begin(
        self,
        body: Any,
        options: Mapping[str, Any],
        selection: Selection,
        started_at: float,
        *,
        streams: bool,
        timeout: float | Timeout | None,
    ) -> Call:
        held = self._held(selection, body, options, started_at)
        selection = held.selection
        plan = self.plan(selection)
        if timeout == self.config.deadline_seconds:  # the client's own, which is nobody's wish
            timeout = self.config.deadline(selection.tier)
        limits = self.limits(selection.tier, options.get("timeout", timeout))
        return self.call(Order(body, options, streams, limits), selection, plan, started_at, held)

    def _held(
        self, selection: Selection, body: Mapping[str, Any], options: Mapping[str, Any], now: float
    ) -> Held:
        messages, headers = body.get("messages"), options.get("headers") or {}
        given = next((value for name, value in headers.items() if name.lower() == SESSION_HEADER), None)
        session = self.sessions.identify(messages, given=given, user=body.get("user"))
        return self.sessions.hold(selection, session, messages or (), now)

    def limits(self, tier: Tier | None, timeout: float | Timeout | None) -> Limits:
        """Return the times of a call of a tier, or of a model that the caller named.

        Args:
            tier: of the call, or None.
            timeout: the caller's.
        """
        return Limits.of(timeout, self.config.first_byte(tier), self.config.deadline(tier))

    def now(self) -> float:
        """Return the clock's time, which calls are begun with."""
        return self._shared.clock()

    def select(self, requested: str, messages: Iterable[Any]) -> Selection:
        """Choose a tier, or the model that the caller named; within the classifier's time."""
        return self._selector.select(requested, messages)

    async def select_soon(
        self, requested: str, messages: Iterable[Any], *, explained: bool = False
    ) -> Selection:
        """As `select`, without holding the event loop.

        Args:
            requested: "auto", a tier's name, or any model's.
            messages: OpenAI messages.
            explained: whether the reasons are sure to be read, in the event loop.
        """
        return await self._selector.select_soon(requested, messages, explained=explained)

    def explain(self, messages: Sequence[Any], decision: Decision) -> Explanation:
        """Return why a decision was made; within the classifier's time.

        Raises:
            ClassifierError: it cannot read the messages.
            TimeoutError: it took too long.
        """
        return self._selector.explain(messages, decision)

    def plan(self, selection: Selection) -> Plan:
        """Return the models that a selection may ask.

        Raises:
            KeyMissingError: the caller named a model of the Pro channel, and there is no key for it.
        """
        if selection.tier is None:
            return self._plan_alone(selection.requested)
        plan = self._plans[selection.tier]
        if plan.lacks_key and self._unwarned.acquire(blocking=False):  # taken once, by the first to warn
            _log.warning("%s is not set: models of the Pro channel are skipped", Channel.PRO.variable)
        return plan

    def call(
        self, order: Order, selection: Selection, plan: Plan, started_at: float, held: Held | None = None
    ) -> Call:
        """Return a call whose time has been running since `started_at`; its session remembers its end."""
        shared = self._shared
        if held is not None and held.session is not None:
            shared = replace(shared, finished=lambda routing: self._ended(held, routing))
        return Call(shared, order, selection, plan, started_at)

    def _ended(self, held: Held, routing: Routing) -> None:
        self._collector.add(routing)
        self.sessions.remember(held.session, routing, self.now(), held.keeps)

    def summary(self) -> Summary:
        """Return what the finished calls came to."""
        return self._collector.summary()

    def _plan_alone(self, model: str) -> Plan:
        channel = Channel.of(model)
        if self.keys.of(channel) is None:
            raise KeyMissingError(f"{channel.variable} is not set, and {model} needs the {channel} channel")
        return plan_alone(model)


def _health_terms(config: RouterConfig) -> HealthTerms:
    tiers = {tier: config.tier(tier) for tier in Tier}
    return HealthTerms(
        breaker=config.breaker,
        limits=config.limits,
        models={tier: own.model for tier, own in tiers.items()},
        others=tuple(model for tier in tiers for model in config.chain(tier)),
        objectives={
            tier: own.objective_seconds for tier, own in tiers.items() if own.objective_seconds is not None
        },
        upstreams={channel: config.base(channel) for channel in CHANNELS},
    )


_DECIDED_ELSEWHERE = {
    "api_key": f"set {Channel.STANDARD.variable} in the environment",
    "base_url": "set base_url in the configuration",
}


def _packaged(alarms: Alarms) -> Predictor:
    """Return the packaged classifier; where its file is broken, calls are worth more than its judgement."""
    try:
        return TierPredictor.default()
    except ModelFileError as error:
        alarms.sound(MODEL_FILE, f"balanced answers until it is mended: {error}")
        return NoModel()
