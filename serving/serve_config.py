"""The proxy's configuration: where it listens, what it takes in, where its state lives, what may be spent.

Every value has a default. It stands in the same TOML file as the router's (`serving.config`), in tables of
its own:

    [proxy]
    host = "127.0.0.1"
    port = 8080

    [state]
    url = "postgresql://tierwise@db.internal/tierwise"

    [budgets]
    premium_usd_per_day = 20
    time_zone = "Europe/Berlin"
    when_reached = "downgrade"

    [pacing]
    enabled = true

    [cache]
    exact = "repeatable"
    ttl_seconds = 86400

Budgets of an API key live with the key (`python -m serving keys create`).
"""

import enum
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, ValidationError

from serving.break_glass_settings import BreakGlassSettings
from serving.cache.settings import CacheSettings
from serving.config import PROXY_SECTIONS
from serving.errors import ConfigError
from serving.observability.settings import LogFormat, MetricsAccess, TelemetrySettings
from serving.settings_file import Section, first_problem, read_settings
from serving.spending.budget_terms import PREMIUM, Budget, Unit, micro_dollars
from serving.spending.traffic_profile import TrafficProfile

__all__ = [
    "BudgetSettings",
    "PacingSettings",
    "ProxySettings",
    "ServeConfig",
    "StateSettings",
    "WhenReached",
    "data_folder",
]

_MEBIBYTE = 2**20
_A_DAY = 86_400

Seconds = Annotated[float, Field(gt=0, le=_A_DAY, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=1, le=10**9, strict=True)]
Usd = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(
            f"budgets.time_zone: {name!r} is no time zone: write it like 'Europe/Berlin' or 'UTC'"
        ) from error
    return name


def _sound_profile(weights: tuple[float, ...]) -> tuple[float, ...]:
    TrafficProfile(weights)  # which says in one line what is wrong
    return weights


class WhenReached(enum.StrEnum):
    """What becomes of a request whose tier's budget is used up."""

    DOWNGRADE = "downgrade"
    REFUSE = "refuse"


class ProxySettings(Section):
    """What the proxy listens on and takes in.

    Attributes:
        host: address to listen on; anything but loopback needs API keys.
        port: 0 for any free one.
        max_body_bytes: of a request; more gets 413.
        max_header_bytes: of a request, its first line included; more gets 431.
        request_seconds: for the head of a request to arrive, and again for its body; then 408.
        max_concurrent: requests at work at once; more get 503 with Retry-After.
        default_max_tokens: put into requests that give none, where a budget governs them.
        store_prompts: whether the ledger keeps the messages of each request.
        key_seconds: for which an API key is remembered: a revocation takes effect within that time.
        reload_seconds: between looks at the configuration and the model file; 0 for SIGHUP alone.
        grace_seconds: for requests in flight to end when the proxy is told to stop.
        metrics: who may read `/metrics`: `keys`, whoever has an API key, where there are any; `open`, anybody
            who reaches the proxy; `off`, nobody.
        metrics_by_key: whether they tell API keys apart, by their public ids; as it was at the start.
        log: whether each request leaves a line on standard error: `off`, `text` or `json`; with the last,
            warnings are told as JSON too; as it was at the start.
    """

    host: Annotated[str, Field(min_length=1, pattern=r"^\S+$")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535, strict=True)] = 8080
    max_body_bytes: Count = 32 * _MEBIBYTE
    max_header_bytes: Count = 64 * 1024
    request_seconds: Seconds = 30.0
    max_concurrent: Count = 512
    default_max_tokens: Count = 4096
    store_prompts: bool = False
    key_seconds: Annotated[float, Field(ge=0, le=60)] = 3.0
    reload_seconds: Annotated[float, Field(ge=0, le=_A_DAY)] = 2.0
    grace_seconds: Seconds = 30.0
    metrics: MetricsAccess = MetricsAccess.KEYS
    metrics_by_key: bool = False
    log: LogFormat = LogFormat.OFF


class StateSettings(Section):
    """Where keys, ledger and budgets live.

    Attributes:
        url: `sqlite:///path` or `postgresql://...`; None for a SQLite file in the user's data folder.
        journal: folder of what waits for the database; None for one in the user's data folder.
        journal_bytes: the most that waits there.
    """

    url: Annotated[str, Field(min_length=1)] | None = None
    journal: Path | None = None
    journal_bytes: Count = 64 * _MEBIBYTE


class BudgetSettings(Section):
    """What may be spent on the premium tier a day, whoever asks.

    Attributes:
        premium_usd_per_day: US dollars, or None for no cap in dollars.
        premium_tokens_per_day: tokens in and out, or None for no cap in tokens.
        time_zone: whose midnight begins the day, for API keys' budgets too.
        when_reached: go down a tier, or refuse with 429.
        fail_open: whether requests that a budget governs go on while the database is down.
        tokens_per_part: the most that an image or a sound counts as, in the bound of a call.
    """

    premium_usd_per_day: Usd | None = None
    premium_tokens_per_day: Annotated[int, Field(ge=0, le=10**15, strict=True)] | None = None
    time_zone: Annotated[str, AfterValidator(_known_zone)] = "UTC"
    when_reached: WhenReached = WhenReached.DOWNGRADE
    fail_open: bool = False
    tokens_per_part: Count = 4096

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.time_zone)

    @property
    def premium(self) -> tuple[Budget, ...]:
        """The budgets of the premium tier: none, one, or one in each unit."""
        budgets = []
        if self.premium_usd_per_day is not None:
            budgets.append(Budget(PREMIUM, Unit.USD, micro_dollars(self.premium_usd_per_day)))
        if self.premium_tokens_per_day is not None:
            budgets.append(Budget(PREMIUM, Unit.TOKENS, self.premium_tokens_per_day))
        return tuple(budgets)


class PacingSettings(Section):
    """How a premium budget is spread over its day; without such a budget nothing is paced.

    Attributes:
        enabled: whether premium is rationed before the cap is reached, to those prompts that need it most;
            False for the cap alone.
        profile: how demand is spread over the hours of the budgets' time zone: 24 weights; None to learn it
            from the ledger.
        by_size: whether a long prompt has to need premium more than a short one, because it costs more.
    """

    enabled: bool = True
    profile: Annotated[tuple[float, ...], AfterValidator(_sound_profile)] | None = None
    by_size: bool = True

    @property
    def traffic(self) -> TrafficProfile | None:
        """The declared profile, or None."""
        return None if self.profile is None else TrafficProfile(self.profile)


class ServeConfig(Section):
    """Everything about the proxy but the router that works in it. Frozen.

    Attributes:
        proxy: what it listens on and takes in.
        state: where keys, ledger and budgets live.
        budgets: what may be spent.
        pacing: how it is spread over the day.
        cache: which answers are kept.
        break_glass: direct providers, for when the aggregator cannot be reached.
        telemetry: whether and where traces are sent, as it was at the start.
    """

    proxy: ProxySettings = ProxySettings()
    state: StateSettings = StateSettings()
    budgets: BudgetSettings = BudgetSettings()
    pacing: PacingSettings = PacingSettings()
    cache: CacheSettings = CacheSettings()
    break_glass: BreakGlassSettings = BreakGlassSettings()
    telemetry: TelemetrySettings = TelemetrySettings()

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read the proxy's tables of a TOML file; what stands outside them is the router's.

        Raises:
            ConfigError: the file cannot be read, is not TOML, or holds a wrong or unknown key; in one line.
        """
        return read_settings(
            path,
            lambda values: cls.from_dict({name: values[name] for name in PROXY_SECTIONS if name in values}),
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what the tables would hold.

        Raises:
            ConfigError: naming the first wrong key and what would be right.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError(first_problem(error, cls)) from error

    def with_proxy(self, given: Mapping[str, Any]) -> Self:
        """Return the configuration with some settings of [proxy] replaced.

        Raises:
            ConfigError: one of them is wrong.
        """
        proxy = {**self.proxy.model_dump(), **given}
        return self.from_dict({**{name: getattr(self, name) for name in PROXY_SECTIONS}, "proxy": proxy})

    def simulated(self) -> Self:
        """Return the configuration for a simulated upstream: nobody else is asked, no other key is read."""
        semantic = self.cache.semantic.model_copy(update={"base_url": None, "key_variable": None})
        cache = self.cache.model_copy(update={"semantic": semantic})
        return self.model_copy(update={"break_glass": BreakGlassSettings(), "cache": cache})

    def state_url(self, environ: Mapping[str, str]) -> str:
        """Return the database's URL: the configured one, that of the environment, or the default.

        The environment's `TIERWISE_STATE_URL` is for URLs with a password, which no file should hold.
        """
        given = self.state.url or environ.get("TIERWISE_STATE_URL", "").strip()
        return given or f"sqlite:///{data_folder(environ) / 'state.db'}"

    def journal(self, environ: Mapping[str, str]) -> Path:
        """Return the folder of what waits for the database: each database has one of its own by default."""
        return self.state.journal or data_folder(environ) / f"journal-{_digest(self.state_url(environ))}"


def _digest(url: str) -> str:
    """Return what tells databases apart; the password, which changes, does not."""
    scheme, _, rest = url.partition("://")
    if scheme.startswith("sqlite"):
        rest = str(Path(rest.removeprefix("/")).absolute())
    return sha256(f"{scheme}://{rest.rpartition('@')[2]}".encode()).hexdigest()[:12]


def data_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder in which this account's programs keep their data, by the XDG convention.

    Not beside the configuration, which is often read-only (mounted, or below /etc), and the same whichever
    folder a command is run in, so that `keys create` and `serve` mean the same database.

    >>> data_folder({"HOME": "/home/ada"}).as_posix()
    '/home/ada/.local/share/tierwise'
    """
    home = environ.get("HOME") or str(Path.home())
    chosen = environ.get("XDG_DATA_HOME", "")
    base = Path(chosen) if Path(chosen).is_absolute() else Path(home, ".local", "share")
    return base / "tierwise"
