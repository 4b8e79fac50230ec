"""What requests and attempts come to, counted for Prometheus.

Labels are bounded: tiers, causes, outcomes, channels and paths are few by nature, models are those of the
configuration, and any other name that a client sends is told as `other`. API keys are told apart only where
that was configured, and no more than a thousand of them.
"""

from collections.abc import Iterable

from serving.observability.observers import Headers
from serving.observability.request_record import RequestRecord
from serving.observability.tallies import Histogram, Tally
from serving.spending.ledger_row import LedgerRow, Outcome

__all__ = ["MODEL", "NO_TIER", "OTHER", "STORED", "RequestMetrics"]

OTHER = "other"
NO_TIER = "none"
MODEL = "model"
STORED = "cache"

_MOST_KEYS = 1000
_ROUTING = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
_WAITING = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 15.0, 30.0)
_TOTAL = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0)
_RISK = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)


class RequestMetrics:
    """Counts and distributions since the process started; an observer, used in one event loop."""

    def __init__(self, *, by_key: bool = False) -> None:
        """Begin with none.

        Args:
            by_key: whether API keys are told apart.
        """
        self.by_key = by_key
        self._models: set[str] = set()
        self._keys: set[str] = set()
        self._requests = Tally(
            "tierwise_requests",
            "Requests that are over, by path, tier, who or what chose the tier, and outcome.",
            ("path", "tier", "chosen_by", "outcome"),
        )
        self._responses = Tally("tierwise_responses", "Answers by path and HTTP status.", ("path", "status"))
        self._decisions = Tally(
            "tierwise_decisions",
            "Requests for which a tier was settled on, by the tier and who or what chose it.",
            ("tier", "chosen_by"),
        )
        self._attempts = Tally(
            "tierwise_attempts",
            "Requests to models, by model, channel and outcome (unknown: nobody can say what it cost).",
            ("model", "channel", "outcome"),
        )
        self._fallbacks = Tally(
            "tierwise_fallbacks",
            "Answers of another model than the planned one, by tier and model.",
            ("tier", "model"),
        )
        self._tokens = Tally(
            "tierwise_tokens", "Tokens by model, tier and direction.", ("model", "tier", "direction")
        )
        self._cost = Tally("tierwise_cost_usd", "US dollars spent, by model and tier.", ("model", "tier"))
        self._unpriced = Tally(
            "tierwise_unpriced_attempts", "Attempts of which nobody can say what they cost.", ("model",)
        )
        self._stored = Tally(
            "tierwise_stored_answers",
            "Requests that a stored answer, or another request's call, has answered, by cache and tier.",
            ("cache", "tier"),
        )
        self._saved = Tally(
            "tierwise_saved_usd", "US dollars that stored answers have saved, by cache.", ("cache",)
        )
        self._key_requests = Tally(
            "tierwise_key_requests", "Requests by API key and outcome.", ("key_id", "outcome")
        )
        self._key_cost = Tally("tierwise_key_cost_usd", "US dollars spent, by API key.", ("key_id",))
        self._risk = Histogram(
            "tierwise_risk",
            "P(the needed tier is above the chosen one) of requests that the classifier judged, by tier.",
            ("tier",),
            _RISK,
        )
        self._routing = Histogram(
            "tierwise_routing_seconds", "From the arrival to the first request upstream.", ("tier",), _ROUTING
        )
        self._first_token = Histogram(
            "tierwise_first_token_seconds",
            "From the arrival to the first token, without a stream to the first byte; of answers.",
            ("tier", "source"),
            _WAITING,
        )
        self._total = Histogram(
            "tierwise_total_seconds",
            "From the arrival to the end of the answer; of answers.",
            ("tier", "source"),
            _TOTAL,
        )

    @property
    def tallies(self) -> tuple[Tally, ...]:
        """The counts."""
        own = (self._key_requests, self._key_cost) if self.by_key else ()
        return (
            self._requests,
            self._responses,
            self._decisions,
            self._attempts,
            self._fallbacks,
            self._tokens,
            self._cost,
            self._unpriced,
            self._stored,
            self._saved,
            *own,
        )

    @property
    def histograms(self) -> tuple[Histogram, ...]:
        """The distributions."""
        return self._risk, self._routing, self._first_token, self._total

    def know(self, models: Iterable[str]) -> None:
        """Tell models by their names from now on; those that were known stay so."""
        self._models.update(models)

    def named(self, model: str) -> str:
        """Return the label of a model."""
        return model if model in self._models else OTHER

    def began(self, request: RequestRecord) -> None:
        """Take in that a request has arrived: it counts when it is over."""

    def attempting(self, row: LedgerRow, request: RequestRecord | None) -> None:
        """Take in that an attempt is about to be made: it counts when it has ended."""

    def headers(self, request_id: str) -> Headers:
        """Return nothing: upstream, nobody needs to know of metrics."""
        del request_id
        return ()

    def attempted(self, row: LedgerRow, request: RequestRecord | None) -> None:
        """Take in the row of an attempt, or of a stored answer."""
        del request
        model, tier = self.named(row.model), row.tier or NO_TIER
        if row.cache is None:
            self._asked(row, model, tier)
        else:
            self._stored.add((row.cache, tier))
            self._saved.add((row.cache,), row.saved_usd or 0.0)
        if row.outcome is Outcome.ANSWERED:
            self._answered(row, model, tier)

    def ended(self, request: RequestRecord) -> None:
        """Take in that a request is over."""
        tier = request.tier or NO_TIER
        chosen_by = "" if request.chosen_by is None else request.chosen_by.value
        outcome = request.outcome.value
        self._requests.add((request.path, tier, chosen_by, outcome))
        if request.status is not None:
            self._responses.add((request.path, str(request.status)))
        if request.tier is not None:
            self._decisions.add((tier, chosen_by))
        if request.rows and request.rows[0].risk is not None:
            self._risk.observe((tier,), request.rows[0].risk)
        if self.by_key and request.key_id is not None:
            self._key_requests.add((self._key(request.key_id), outcome))

    def _asked(self, row: LedgerRow, model: str, tier: str) -> None:
        self._attempts.add((model, row.channel, row.outcome.value))
        if row.usd is None:
            self._unpriced.add((model,))
        elif row.usd:
            self._cost.add((model, tier), row.usd)
            if self.by_key and row.key_id is not None:
                self._key_cost.add((self._key(row.key_id),), row.usd)
        if row.input_tokens is not None:
            self._tokens.add((model, tier, "input"), row.input_tokens)
        if row.output_tokens is not None:
            self._tokens.add((model, tier, "output"), row.output_tokens)

    def _answered(self, row: LedgerRow, model: str, tier: str) -> None:
        place = tier, MODEL if row.cache is None else STORED
        if row.routing_seconds is not None:
            self._routing.observe((tier,), row.routing_seconds)
        if row.first_token_seconds is not None:
            self._first_token.observe(place, row.first_token_seconds)
        if row.total_seconds is not None:
            self._total.observe(place, row.total_seconds)
        if row.fell_back and row.cache is None:
            self._fallbacks.add((tier, model))

    def _key(self, key_id: str) -> str:
        if key_id not in self._keys:
            if len(self._keys) >= _MOST_KEYS:
                return OTHER
            self._keys.add(key_id)
        return key_id
