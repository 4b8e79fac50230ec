"""How everything stands that a proxy's requests depend on, as metrics: read when they are scraped."""

from collections.abc import Iterable, Iterator
from importlib.metadata import version

from serving.health import State
from serving.observability.exposition import Metric, counter, gauge
from serving.observability.metrics import OTHER
from serving.proxy.desk import Desk
from serving.proxy.semantic import SemanticCache
from serving.spending.budget_terms import Budget, Standing, Unit, dollars

__all__ = ["StateMetrics"]

_MOST_KEYS = 1000
_MOST_ALARMS = 50


class StateMetrics:
    """Reads a proxy's state for a scrape; nothing here waits."""

    def __init__(self, desk: Desk) -> None:
        """Tell of a desk."""
        self._desk = desk
        self._requests = desk.requests
        self._budgets = desk.board

    def __iter__(self) -> Iterator[Metric]:
        yield from self._process()
        yield from self._health()
        yield from self._cache()
        yield from self._semantic()
        yield from self._standings()

    def _process(self) -> Iterator[Metric]:
        desk, generation = self._desk, self._desk.generation
        books, most = desk.books, generation.serve.proxy.max_concurrent
        versions = (version("tierwise"), generation.model_version or "")
        yield gauge("tierwise_build_info", "Versions.", ("version", "model_version"), [(versions, 1)])
        yield _one("tierwise_requests_at_work", "Requests at work now.", desk.turnstile.inside)
        yield _one("tierwise_requests_at_work_max", "How many may be at work at once.", most)
        waiting = "Bytes of ledger rows and settlements that are not in the database yet."
        yield _one("tierwise_ledger_waiting_bytes", waiting, books.waiting_bytes)
        yield _one("tierwise_ledger_behind", "1 while the database does not take rows.", books.behind)
        yield counter(
            "tierwise_ledger_dropped", "Rows and settlements that were lost.", (), [((), books.dropped)]
        )
        reloaded = generation.history.last
        refused = reloaded is not None and not reloaded.used
        yield _one("tierwise_reload_refused", "1 where what was last read anew is not used.", refused)
        alarms = generation.core.alarms.standing()
        names = dict.fromkeys(alarm.name if n < _MOST_ALARMS else OTHER for n, alarm in enumerate(alarms))
        yield _one("tierwise_alarms", "How many alarms stand.", len(alarms))
        yield gauge("tierwise_alarm", "1 for each alarm that stands.", ("name",), [((n,), 1) for n in names])

    def _health(self) -> Iterator[Metric]:
        health = self._desk.generation.core.health
        known = [each for each in health.snapshot() if self._requests.named(each.model) != OTHER]
        place = {each: (each.model, each.channel.value) for each in known}
        names = ("model", "channel")
        states = [((*place[each], state.value), each.state is state) for each in known for state in State]
        yield gauge("tierwise_breaker", "1 for the state that the circuit is in.", (*names, "state"), states)
        waits = [(place[each], each.retry_in) for each in known]
        yield gauge("tierwise_model_retry_in_seconds", "Until the model may be asked again.", names, waits)
        errors = [(place[each], each.error_rate) for each in known if each.error_rate is not None]
        words = "Share of the calls in the breaker's window that failed, in [0, 1]."
        yield gauge("tierwise_model_error_ratio", words, names, errors)
        slow = [(place[each], each.p95_seconds) for each in known if each.p95_seconds is not None]
        words = "95 % of the calls in the breaker's window had their first token within this."
        yield gauge("tierwise_model_first_token_p95_seconds", words, names, slow)
        tiers = health.tiers()
        p95 = [((each.tier.label,), each.p95_seconds) for each in tiers if each.p95_seconds is not None]
        words = "95 % of the tier's calls in the window had their first token within this, waits included."
        yield gauge("tierwise_tier_first_token_p95_seconds", words, ("tier",), p95)
        objectives = [
            ((each.tier.label,), each.objective_seconds)
            for each in tiers
            if each.objective_seconds is not None
        ]
        words = "What the 95 % are to be at most, where the tier has an objective."
        yield gauge("tierwise_tier_objective_seconds", words, ("tier",), objectives)

    def _cache(self) -> Iterator[Metric]:
        stats = self._desk.cache.stats()
        results = {
            "hit": stats.hits,
            "semantic_hit": stats.semantic_hits,
            "collapsed": stats.collapsed,
            "miss": stats.misses,
            "bypass": stats.bypasses,
        }
        words = "Requests by what the cache did for them; collapsed: they shared the call of another one."
        asked = [((name,), number) for name, number in results.items()]
        yield counter("tierwise_cache_requests", words, ("result",), asked)
        stored = [(("stored",), stats.stored), (("not_stored",), stats.not_stored)]
        words = "Whole answers that were stored, and that were not for want of room or of the database."
        yield counter("tierwise_cache_stores", words, ("result",), stored)
        failures = "Times that the database did not answer the cache."
        yield counter("tierwise_cache_failures", failures, (), [((), stats.failures)])
        yield _one(
            "tierwise_cache_entries", "Stored answers of all replicas, as last counted.", stats.entries
        )
        yield _one("tierwise_cache_bytes", "Their size in the database.", stats.bytes)

    def _semantic(self) -> Iterator[Metric]:
        second = self._desk.cache.second
        stats = second.stats() if isinstance(second, SemanticCache) else None
        if stats is None:
            return
        words = "Neighbours that the guard of differences did not let answer, by the kind of difference."
        refused = [((kind,), number) for kind, number in stats.refused.items()]
        yield counter("tierwise_semantic_refusals", words, ("difference",), refused)
        words = "US dollars that embeddings for the semantic cache cost, where a price is known."
        yield counter("tierwise_embeddings_cost_usd", words, (), [((), stats.embedding_usd)])
        words = "Calls and searches for the semantic cache that failed or took too long."
        yield counter("tierwise_semantic_failures", words, (), [((), stats.failures)])

    def _standings(self) -> Iterator[Metric]:
        if self._budgets.read_at is not None:
            words = "When the budgets were last read, seconds since the epoch."
            yield _one("tierwise_budgets_read_timestamp_seconds", words, self._budgets.read_at)
        found = {(each.scope, each.unit): each for each in self._budgets.standing}
        budgets = list(self._configured())
        for unit, name in ((Unit.USD, "usd"), (Unit.TOKENS, "tokens")):
            rows = [
                _amounts(budget, found.get((budget.scope, unit))) for budget in budgets if budget.unit is unit
            ]
            for part, words in _PARTS.items():
                values = [((scope,), _in(unit, amounts[part])) for scope, amounts in rows]
                yield gauge(f"tierwise_budget_{part}_{name}", words, ("scope",), values)

    def _configured(self) -> Iterable[Budget]:
        """The configured budgets, and those of keys that were used today where keys are told apart."""
        generation = self._desk.generation
        yield from generation.premium
        for candidate in generation.glass.candidates.values():
            if candidate.direct is not None:
                yield from (each for each in candidate.direct.budgets if each not in generation.premium)
        if self._requests.by_key:
            own = [each for each in self._budgets.standing if each.scope.startswith("key:")]
            yield from (Budget(each.scope, each.unit, each.cap) for each in own[:_MOST_KEYS])


_PARTS = {
    "cap": "What may be spent today.",
    "spent": "What was spent today, by all replicas.",
    "reserved": "What calls that are under way hold of today's budget.",
    "left": "What is left today.",
}


def _amounts(budget: Budget, stands: Standing | None) -> tuple[str, dict[str, int]]:
    spent, reserved = (0, 0) if stands is None else (stands.spent, stands.reserved)
    left = max(0, budget.cap - spent - reserved)
    return budget.scope, {"cap": budget.cap, "spent": spent, "reserved": reserved, "left": left}


def _in(unit: Unit, amount: int) -> float:
    return dollars(amount) if unit is Unit.USD else amount


def _one(name: str, words: str, value: float) -> Metric:
    return gauge(name, words, (), [((), value)])
