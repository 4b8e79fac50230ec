"""What a request is answered by: configuration, keys, model; one generation of it after another."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from classifier import TierPredictor
from serving.config import RouterConfig
from serving.core import RouterCore
from serving.keys import Keys
from serving.selection import Predictor
from serving.serve_config import ServeConfig
from serving.spending.budget_terms import Budget

__all__ = ["Generation", "Sources"]


@dataclass(frozen=True, slots=True)
class Generation:
    """All that a reload replaces; a request keeps the one that it began with.

    Attributes:
        serve: the proxy's settings.
        core: the router: models, prices, chains, keys, classifier.
        premium: the budgets of the premium tier.
        zone: whose midnight begins the budgets' day.
    """

    serve: ServeConfig
    core: RouterCore
    premium: tuple[Budget, ...]
    zone: ZoneInfo

    @classmethod
    def of(cls, serve: ServeConfig, router: RouterConfig, keys: Keys, predictor: Predictor) -> "Generation":
        """Compose one."""
        return cls(serve, RouterCore(router, keys, predictor), serve.budgets.premium, serve.budgets.zone)


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a generation comes from.

    Attributes:
        config: the settings file, or None for what is built in.
        model: the model file, or None for the packaged one.
        environ: where the upstream's keys are.
        overrides: settings of the table [proxy] that the command line gives.
        base_url: of a simulated upstream, or None for the configured one.
    """

    config: Path | None
    model: Path | None
    environ: Mapping[str, str]
    overrides: Mapping[str, object]
    base_url: str | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that a change of calls for a reload."""
        return tuple(path.absolute() for path in (self.config, self.model) if path is not None)

    def settings(self) -> tuple[ServeConfig, RouterConfig]:
        """Read the settings.

        Raises:
            ConfigError: the file is wrong; in one line.
        """
        serve = ServeConfig() if self.config is None else ServeConfig.load(self.config)
        router = RouterConfig() if self.config is None else RouterConfig.load(self.config)
        if self.overrides:
            serve = serve.with_proxy(self.overrides)
        if self.base_url is not None:
            router = router.model_copy(update={"base_url": self.base_url, "pro_base_url": None})
        return serve, router

    def load(self) -> Generation:
        """Read everything anew.

        Raises:
            ConfigError: the settings are wrong; in one line.
            KeyMissingError: there is no key for the upstream.
            ModelFileError: the model file cannot be read.
        """
        serve, router = self.settings()
        keys = Keys.from_environ(self.environ)
        predictor = TierPredictor.default() if self.model is None else TierPredictor.load(self.model)
        return Generation.of(serve, router, keys, predictor)
