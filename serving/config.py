"""The router's configuration: models, prices, chains, time-outs and base URL, with defaults built in.

Every value has a default; a TOML file names what differs:

    deadline_seconds = 60

    [tiers.premium]
    model = "Pro/deepseek-ai/DeepSeek-R1"
    fallback = ["balanced"]

    [prices]
    "Pro/deepseek-ai/DeepSeek-R1" = { input = 0.55, output = 2.19 }

Keys never stand here: they come from the environment (see `serving.keys`). The proxy's own settings may
stand in the same file (see `serving.serve_config`).
"""

from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError, model_validator

from classifier.tier import Tier
from serving.cost import Price
from serving.errors import ConfigError
from serving.health.settings import BreakerSettings, LimitSettings
from serving.keys import Channel
from serving.sessions.settings import SessionSettings
from serving.settings_file import Section, first_problem, read_settings

__all__ = ["PROXY_SECTIONS", "RouterConfig", "TierConfig", "Tiers"]

PROXY_SECTIONS = ("proxy", "state", "budgets", "pacing", "cache", "break_glass", "telemetry")
"""The tables of a shared file that `serving.serve_config` reads; they mean nothing to a router."""

_CHEAP = "deepseek-ai/DeepSeek-V4-Flash"
_BALANCED = "Qwen/Qwen3-32B"
_PREMIUM = "Pro/deepseek-ai/DeepSeek-V3.2"
_PRICES = {_CHEAP: 0.25, _BALANCED: 0.28, _PREMIUM: 2.50}

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Usd = Annotated[float, Field(ge=0, allow_inf_nan=False)]


def _reachable(url: str) -> str:
    """Refuse what would fail at the first call, or quietly lead to another port."""
    try:
        parts = urlsplit(url)
        port_is_right = parts.port is None or parts.port > 0  # a port above 65535 raises
        (parts.hostname or "").encode("idna")
    except ValueError as error:  # UnicodeError, of host names, is one
        raise ValueError(f"base_url: {url!r} is no base URL: {error}") from error
    if not (parts.hostname and port_is_right):
        raise ValueError(f"base_url: {url!r} is no base URL: it names no host, or port 0")
    return url


BaseUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+\S*$"), AfterValidator(_reachable)]
Name = Annotated[str, Field(min_length=1, pattern=r"^\S+$")]


class TierConfig(Section):
    """What answers the prompts of one tier.

    Attributes:
        model: the model asked first.
        fallback: who is asked when it fails, in this order: names of tiers, or of models.
        first_byte_seconds: in place of the general one, for the calls of this tier.
        deadline_seconds: in place of the general one, for the calls of this tier.
        objective_seconds: within which 95 % of the model's calls are to have their first token, without a
            stream their first byte; where they have not, others of the chain are asked first.
    """

    model: Name
    fallback: tuple[Name, ...] = ()
    first_byte_seconds: Seconds | None = None
    deadline_seconds: Seconds | None = None
    objective_seconds: Seconds | None = None


class Tiers(Section):
    """The three tiers."""

    cheap: TierConfig = TierConfig(model=_CHEAP, fallback=("balanced", "premium"))
    balanced: TierConfig = TierConfig(model=_BALANCED, fallback=("cheap", "premium"))
    premium: TierConfig = TierConfig(model=_PREMIUM, fallback=("balanced", "cheap"))


def _one_or_two_prices(value: object) -> object:
    return {"input": value, "output": value} if isinstance(value, int | float) else value


class _Price(Section):
    input: Usd
    output: Usd
    cached_input: Usd | None = None

    @model_validator(mode="after")
    def _caching_is_no_dearer(self) -> Self:
        if self.cached_input is not None and self.cached_input > self.input:
            raise ValueError(
                f"prices: cached_input is {self.cached_input:g}, more than the {self.input:g} of input"
            )
        return self


class RouterConfig(Section):
    """Everything about a router but its keys. Frozen; two with the same values are equal.

    Attributes:
        base_url: of the upstream, up to and with the version (`.../v1`).
        pro_base_url: of the Pro channel, where it is not the same.
        first_byte_seconds: how long each attempt may take to its first byte, on streams to its first token.
        deadline_seconds: how long the whole call may take, all attempts and the last token included.
        classifier_seconds: how long the classifier may take; then the balanced tier answers.
        max_price_ratio: how many times as dear as the tier's own model a fallback may be, input and output.
        tiers: the model and the fallbacks of each tier.
        prices: US dollars per million tokens by model: one number, or `input` and `output`, and
            `cached_input` where the provider bills what it has cached at a price of its own.
        sessions: how conversations keep their tier.
        breaker: when a model that fails or is slow is left alone.
        limits: how many requests are sent a minute, and how those of the upstream are honoured.
    """

    base_url: BaseUrl = "https://global-apis.com/v1"
    pro_base_url: BaseUrl | None = None
    first_byte_seconds: Seconds = 10.0
    deadline_seconds: Seconds = 300.0
    classifier_seconds: Seconds = 1.0
    max_price_ratio: Annotated[float, Field(ge=1)] = 10.0
    tiers: Tiers = Tiers()
    prices: dict[Name, Annotated[_Price, BeforeValidator(_one_or_two_prices)]] = Field(default_factory=dict)
    sessions: SessionSettings = SessionSettings()
    breaker: BreakerSettings = BreakerSettings()
    limits: LimitSettings = LimitSettings()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read a TOML file; what it leaves out keeps its default, and the proxy's tables are left to it.

        Raises:
            ConfigError: the file cannot be read, is not TOML, or holds a wrong or unknown key; in one line.
        """
        return read_settings(path, lambda values: cls._read(_without_proxy(values), PROXY_SECTIONS))

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Read what a TOML file would hold.

        Raises:
            ConfigError: naming the first wrong key and what would be right.
        """
        return cls._read(values)

    @classmethod
    def _read(cls, values: dict[str, Any], also: tuple[str, ...] = ()) -> Self:
        """Read values, in a file where the tables `also` are known too."""
        try:
            return cls.model_validate(_with_tier_defaults(values))
        except ValidationError as error:
            raise ConfigError(first_problem(error, cls, also)) from error

    def tier(self, tier: Tier) -> TierConfig:
        """Return the settings of a tier."""
        return (self.tiers.cheap, self.tiers.balanced, self.tiers.premium)[tier]

    def base(self, channel: Channel) -> str:
        """Return the base URL of one of the aggregator's channels, without a slash at its end."""
        own = self.pro_base_url if channel is Channel.PRO else None
        return (own or self.base_url).rstrip("/")

    def first_byte(self, tier: Tier | None) -> float:
        """Return how long each attempt of a tier's call may take to its first byte, in seconds."""
        own = None if tier is None else self.tier(tier).first_byte_seconds
        return self.first_byte_seconds if own is None else own

    def deadline(self, tier: Tier | None) -> float:
        """Return how long a call of a tier may take, in seconds."""
        own = None if tier is None else self.tier(tier).deadline_seconds
        return self.deadline_seconds if own is None else own

    def price(self, model: str) -> Price | None:
        """Return a model's price, or None when none is configured."""
        configured = self.prices.get(model)
        if configured is not None:
            return Price(configured.input, configured.output, configured.cached_input)
        built_in = _PRICES.get(model)
        return None if built_in is None else Price(built_in, built_in)

    def chain(self, tier: Tier) -> tuple[str, ...]:
        """Return the models of a tier's chain in the order of asking, each once, whatever they cost."""
        own = self.tier(tier)
        by_tier = {each.label: self.tier(each).model for each in Tier}
        return tuple(dict.fromkeys([own.model, *(by_tier.get(name, name) for name in own.fallback)]))

    @model_validator(mode="after")
    def _objectives_can_be_missed(self) -> Self:
        for tier in Tier:
            objective, longest = self.tier(tier).objective_seconds, self.first_byte(tier)
            if objective is not None and objective >= longest:
                raise ValueError(
                    f"tiers.{tier}.objective_seconds: {objective:g} must be less than the {longest:g} s "
                    f"of first_byte_seconds, after which a call has failed"
                )
        return self

    @model_validator(mode="after")
    def _every_model_has_a_price(self) -> Self:
        for tier in Tier:
            for model in self.chain(tier):
                if self.price(model) is None:
                    raise ValueError(
                        f'prices."{model}": missing, but tiers.{tier} uses that model: '
                        f"add its US dollars per million tokens (the tiers are cheap, balanced, premium)"
                    )
        return self


def _without_proxy(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in PROXY_SECTIONS}


def _with_tier_defaults(values: dict[str, Any]) -> dict[str, Any]:
    """Let a file give only the model, or only the fallback, of a tier."""
    tiers = values.get("tiers")
    if not isinstance(tiers, dict):
        return values
    defaults = Tiers().model_dump()
    merged = {
        name: {**defaults[name], **given} if name in defaults and isinstance(given, dict) else given
        for name, given in tiers.items()
    }
    return {**values, "tiers": merged}
