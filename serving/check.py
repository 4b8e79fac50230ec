"""`python -m serving check`: whether keys, connections and the tiers' models are as they should be."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2

from classifier import ModelFileError, TierPredictor
from classifier.tier import TIERS, Tier
from serving.chain import plan_tier
from serving.config import RouterConfig
from serving.errors import KeyMissingError
from serving.keys import CHANNELS, Channel, Keys, Secret
from serving.wording import duration, one_line

__all__ = [
    "Check",
    "Connection",
    "ModelCheck",
    "StateCheck",
    "TierState",
    "check_model",
    "examine",
    "probe",
    "run_check",
]

_LARGEST_LIST = 16 * 1024 * 1024
_PRO_PREFIX = "ga_pro_"


@dataclass(frozen=True, slots=True)
class Connection:
    """What came of asking a channel for its list of models.

    Attributes:
        channel: whose key was used.
        url: what was asked.
        seconds: how long it took.
        models: the listed names; None when no list came.
        trouble: what is wrong and what to do, in words; empty when nothing is.
    """

    channel: Channel
    url: str
    seconds: float
    models: frozenset[str] | None
    trouble: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the outcome as JSON-able values; of the models, how many."""
        count = None if self.models is None else len(self.models)
        return {
            "channel": self.channel.value,
            "url": self.url,
            "seconds": self.seconds,
            "models": count,
            "trouble": self.trouble,
        }


@dataclass(frozen=True, slots=True)
class TierState:
    """Whether a tier's own model can answer.

    Attributes:
        tier: which.
        model: its own model.
        answered_by: the model that a request would really get, None when there is none.
        trouble: why its own model cannot answer and what to do; empty when it can.
    """

    tier: Tier
    model: str
    answered_by: str | None
    trouble: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the state as JSON-able values."""
        return {
            "tier": self.tier.label,
            "model": self.model,
            "answered_by": self.answered_by,
            "trouble": self.trouble,
        }


@dataclass(frozen=True, slots=True)
class StateCheck:
    """How the proxy's database is.

    Attributes:
        database: as messages call it.
        api_keys: how many are good; None when nobody can say.
        trouble: what is wrong and what to do; empty when nothing is.
        remark: what else to know of it.
    """

    database: str
    api_keys: int | None
    trouble: str = ""
    remark: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the findings as JSON-able values."""
        return {"database": self.database, "api_keys": self.api_keys, "trouble": self.trouble}

    def lines(self) -> list[str]:
        """Return the findings as a person reads them."""
        keys = "" if self.api_keys is None else f"{self.api_keys} good API keys"
        line = f"  {self.database}  {self.remark or keys or 'does not work'}"
        return ["state", line, *([f"    {self.trouble}"] if self.trouble else [])]


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """How the classifier's model file is.

    Attributes:
        file: as messages call it.
        version: of the model; None where it cannot be read.
        trouble: what is wrong and what to do; empty when nothing is.
    """

    file: str
    version: str | None
    trouble: str = ""

    def as_dict(self) -> dict[str, object]:
        """Return the findings as JSON-able values."""
        return {"file": self.file, "version": self.version, "trouble": self.trouble}

    def lines(self) -> list[str]:
        """Return the findings as a person reads them."""
        if self.version is not None:
            return ["classifier", f"  {self.file}  version {self.version}"]
        return [
            "classifier",
            f"  {self.file}  cannot be used; balanced answers instead",
            f"    {self.trouble}",
        ]


@dataclass(frozen=True, slots=True)
class Check:
    """Everything that was found.

    Attributes:
        keys: a line about each key, keys masked.
        key_troubles: what is wrong with the keys.
        connections: the channels that were tried.
        tiers: all three.
        state: how the proxy's database is; None where nobody looked.
        classifier: how its model file is; None where nobody looked.
    """

    keys: Mapping[Channel, str]
    key_troubles: tuple[str, ...]
    connections: tuple[Connection, ...]
    tiers: tuple[TierState, ...]
    state: StateCheck | None = None
    classifier: ModelCheck | None = None

    @property
    def ok(self) -> bool:
        """Whether every tier would be answered by its own model, and model file and database can be used."""
        return self._routes and not any(each.trouble for each in (self.state, self.classifier) if each)

    @property
    def _routes(self) -> bool:
        return not self.key_troubles and all(not tier.trouble for tier in self.tiers)

    def as_dict(self) -> dict[str, object]:
        """Return the findings as JSON-able values."""
        return {
            "ok": self.ok,
            "keys": {channel.variable: state for channel, state in self.keys.items()},
            "key_troubles": list(self.key_troubles),
            "connections": [connection.as_dict() for connection in self.connections],
            "tiers": [tier.as_dict() for tier in self.tiers],
            **({} if self.state is None else {"state": self.state.as_dict()}),
            **({} if self.classifier is None else {"classifier": self.classifier.as_dict()}),
        }

    def lines(self) -> list[str]:
        """Return the findings as a person reads them."""
        listed = ["keys", *(f"  {channel.variable:<20}{state}" for channel, state in self.keys.items())]
        listed += [f"    {trouble}" for trouble in self.key_troubles]
        listed += ["connections"] if self.connections else ["connections  none tried"]
        for connection in self.connections:
            listed += _connection_lines(connection)
        listed += ["tiers"]
        for tier in self.tiers:
            listed += _tier_lines(tier)
        verdict = (
            "every tier is answered by its own model"
            if self._routes
            else "not every tier is answered by its own model"
        )
        for each in (self.classifier, self.state):
            listed += each.lines() if each else []
        return [*listed, verdict]


def run_check(
    config: RouterConfig, environ: Mapping[str, str], clock: Callable[[], float] = time.monotonic
) -> Check:
    """Read the keys, ask each channel that has one for its models, and judge the tiers.

    Args:
        config: models, chains and addresses.
        environ: where the keys are.
        clock: seconds, from any start, never going back.
    """
    try:
        keys = Keys.from_environ(environ)
    except KeyMissingError as error:
        return examine(config, None, (), trouble=f"{error}")
    with httpx2.Client(timeout=config.first_byte_seconds, follow_redirects=False) as client:
        connections = tuple(probe(client, config, keys, channel, clock) for channel in _needed(config, keys))
    return examine(config, keys, connections)


def check_model(path: Path | None) -> ModelCheck:
    """Return how a model file is; the packaged one where none is given."""
    file = "the packaged model" if path is None else f"{path}"
    try:
        predictor = TierPredictor.default() if path is None else TierPredictor.load(path)
    except ModelFileError as error:
        return ModelCheck(file, None, one_line(f"{error}"))
    return ModelCheck(file, predictor.version)


def examine(
    config: RouterConfig, keys: Keys | None, connections: Iterable[Connection], trouble: str = ""
) -> Check:
    """Judge the tiers by what is known of the keys and the connections.

    Args:
        config: models and chains.
        keys: None when there are none to work with.
        connections: one for each channel that was tried.
        trouble: why there are no keys.
    """
    tried = tuple(connections)
    by_channel = {connection.channel: connection for connection in tried}
    states = {channel: _key_state(None if keys is None else keys.of(channel)) for channel in CHANNELS}
    tiers = tuple(_tier_state(config, tier, keys, by_channel) for tier in TIERS)
    return Check(states, (trouble,) if trouble else _key_troubles(keys), tried, tiers)


def probe(
    client: httpx2.Client, config: RouterConfig, keys: Keys, channel: Channel, clock: Callable[[], float]
) -> Connection:
    """Ask a channel for its list of models."""
    url = f"{config.base(channel)}/models"
    key = keys.of(channel)
    headers = {"Authorization": f"Bearer {key.reveal()}"} if key else {}
    before = clock()
    try:
        models, trouble = _listed(client, url, headers, channel)
    except httpx2.HTTPError as error:
        models, trouble = None, _unreachable(url, error, config.first_byte_seconds)
    return Connection(channel, url, clock() - before, models, keys.mask(one_line(trouble)))


def _listed(
    client: httpx2.Client, url: str, headers: Mapping[str, str], channel: Channel
) -> tuple[frozenset[str] | None, str]:
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code != 200:
            return None, _refused(response.status_code, channel)
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > _LARGEST_LIST:
                return None, f"sent more than {_LARGEST_LIST // 2**20} MB instead of a list of models"
    names = _names(bytes(body))
    if names is None:
        kind = response.headers.get("content-type", "something")
        return (
            None,
            f"answered with {kind} that is no list of models: is base_url right? It usually ends in /v1",
        )
    return names, ""


def _names(body: bytes) -> frozenset[str] | None:
    try:
        rows = json.loads(body)["data"]
        return frozenset(str(row["id"]) for row in rows)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _refused(status: int, channel: Channel) -> str:
    match status:
        case 401:
            return f"the key was refused (401): {channel.variable} is wrong, expired or of another account"
        case 403:
            return f"the key may not do this (403): {channel.variable} belongs to another channel or plan"
        case 404:
            return (
                "there is no list of models at this address (404): is base_url right? It usually ends in /v1"
            )
        case 429:
            return "too many requests for this key (429): wait a minute and check again"
        case _ if 300 <= status < 400:
            return f"answered with a redirect ({status}): put the address that it leads to into base_url"
    return f"answered with status {status}: the upstream has trouble of its own; check again later"


def _unreachable(url: str, error: Exception, patience: float) -> str:
    match error:
        case httpx2.TimeoutException():
            return f"no answer within {patience:g} s"
        case httpx2.ConnectError():
            return (
                f"cannot connect to {httpx2.URL(url).host}: {error}: is base_url right, and the network up?"
            )
    return f"the connection broke off: {error or type(error).__name__}"


def _needed(config: RouterConfig, keys: Keys) -> list[Channel]:
    used = {Channel.of(model) for tier in TIERS for model in config.chain(tier)}
    return [channel for channel in Channel if channel in used and keys.of(channel) is not None]


def _key_state(key: Secret | None) -> str:
    return "not set" if key is None else f"set ({key}, {len(key.reveal())} characters)"


def _key_troubles(keys: Keys | None) -> tuple[str, ...]:
    pro = keys.pro if keys else None
    if pro is None or pro.reveal().startswith(_PRO_PREFIX):
        return ()
    return (f"{Channel.PRO.variable} does not begin with {_PRO_PREFIX}: is it the key of the Pro channel?",)


def _tier_state(
    config: RouterConfig, tier: Tier, keys: Keys | None, connections: Mapping[Channel, Connection]
) -> TierState:
    plan = plan_tier(config, tier, has_pro_key=keys is not None and keys.pro is not None)
    troubles = {each.model: _model_trouble(each.model, connections) for each in plan.candidates}
    answered_by = next((model for model, trouble in troubles.items() if not trouble), None)
    skipped = {each.model: _skip_trouble(each.model, each.reason) for each in plan.skipped}
    return TierState(tier, plan.first, answered_by, (troubles | skipped)[plan.first])


def _model_trouble(model: str, connections: Mapping[Channel, Connection]) -> str:
    connection = connections.get(Channel.of(model))
    if connection is None:
        return f"no {Channel.of(model).variable} to reach it with"
    if connection.models is None:
        return f"the {connection.channel} connection does not work (see above)"
    if model not in connection.models:
        return "not among the models that the upstream lists: requests for it would get 404"
    return ""


def _skip_trouble(model: str, reason: str) -> str:
    if Channel.of(model) is Channel.PRO and Channel.PRO.variable in reason:
        return f"skipped: {Channel.PRO.variable} is not set. Set it, or give the tier a model outside Pro/"
    return f"skipped: {reason}"


def _connection_lines(connection: Connection) -> list[str]:
    found = "no list of models" if connection.models is None else f"{len(connection.models)} models"
    lines = [f"  {connection.channel:<9} {connection.url}  {found}, {duration(connection.seconds)}"]
    return [*lines, f"    {connection.trouble}"] if connection.trouble else lines


def _tier_lines(tier: TierState) -> list[str]:
    if not tier.trouble:
        return [f"  {tier.tier!s:<9} {tier.model}  ok"]
    instead = "; nobody answers" if tier.answered_by is None else f"; {tier.answered_by} answers instead"
    return [f"  {tier.tier!s:<9} {tier.model}  not reachable{instead}", f"    {tier.trouble}"]
