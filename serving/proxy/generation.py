"""What a request is answered by: configuration, keys, model; one generation of it after another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from classifier import Decision, ModelFileError, Tier, TierPredictor
from classifier.model_file import Model
from serving.config import RouterConfig
from serving.core import RouterCore
from serving.keys import Keys
from serving.proxy.break_glass import BreakGlass
from serving.proxy.pacing import Pacing
from serving.selection import Predictor
from serving.selector import MODEL_FILE, NoModel
from serving.serve_config import ServeConfig
from serving.spending.budget_terms import Budget

__all__ = ["Generation", "History", "Reloaded", "Sources"]


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What came of the last reload.

    Attributes:
        at: when, seconds since the epoch.
        used: whether what was read is used; otherwise the old generation stayed.
        words: as it was told.
    """

    at: float
    used: bool
    words: str

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON-able values."""
        return {"at": self.at, "used": self.used, "words": self.words}


@dataclass(slots=True)
class History:
    """What generations hand on.

    Attributes:
        last: what came of the last reload; None before the first.
    """

    last: Reloaded | None = None


@dataclass(frozen=True, slots=True)
class Generation:
    """All that a reload replaces; a request keeps the one that it began with.

    Attributes:
        serve: the proxy's settings.
        core: the router: models, prices, chains, keys, classifier.
        premium: the budgets of the premium tier.
        zone: whose midnight begins the budgets' day.
        pacing: of the premium budgets, or None where they are plain caps.
        model_version: of the classifier's model file; None of another classifier, and where none is good.
        glass: the direct providers, for when the aggregator cannot be reached.
        history: shared with the generations before and after.
        lacks_model: whether no model file was good, so that balanced answers in the classifier's place.
        model: of the classifier; None of another classifier, and where no model file is good.
    """

    serve: ServeConfig
    core: RouterCore
    premium: tuple[Budget, ...]
    zone: ZoneInfo
    pacing: Pacing | None
    glass: BreakGlass
    model_version: str | None = None
    history: History = field(default_factory=History)
    lacks_model: bool = False
    model: Model | None = None

    @classmethod
    def of(
        cls,
        serve: ServeConfig,
        router: RouterConfig,
        keys: Keys,
        predictor: Predictor,
        old: "Generation | None" = None,
    ) -> "Generation":
        """Compose one; of an old one it takes over what pacing has seen today, alarms and health."""
        pacing = Pacing.of(serve, predictor, None if old is None else old.pacing)
        alarms = None if old is None else old.core.alarms
        health = None if old is None else old.core.health
        core = RouterCore(
            router,
            keys,
            predictor if pacing is None else pacing.paced,
            alarms=alarms,
            health=health,
            memory=None if old is None else old.core.sessions.memory,
        )
        version = predictor.version if isinstance(predictor, TierPredictor) else None
        history = History() if old is None else old.history
        glass = BreakGlass.of(serve, core, None if old is None else old.glass)
        model = predictor.model if isinstance(predictor, TierPredictor) else None
        budgets = serve.budgets
        return cls(serve, core, budgets.premium, budgets.zone, pacing, glass, version, history, model=model)

    def models(self) -> frozenset[str]:
        """Return the models that the configuration names: no client adds to them."""
        config = self.core.config
        chains = (model for tier in Tier for model in config.chain(tier))
        direct = (each.model for each in self.glass.candidates.values())
        return frozenset((*chains, *direct, *config.prices))

    def rations(self, messages: Sequence[Any]) -> bool:
        """Return whether pacing withholds premium at this moment from some prompts of this size."""
        return self.pacing is not None and self.pacing.paced.rations(messages)

    def rationed(self, decision: Decision | None) -> bool:
        """Return whether pacing lowered the tier of a decision."""
        return self.pacing is not None and decision is not None and self.pacing.paced.rationed(decision)


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
            serve = serve.simulated()
        return serve, router

    def has_model(self) -> bool:
        """Return whether the model file can be read now."""
        try:
            self._predictor()
        except ModelFileError:
            return False
        return True

    def load(self, old: Generation | None = None) -> Generation:
        """Read everything anew; the first time a model file that is broken stops nothing.

        Then, and for as long as there was no good one, balanced answers, and an alarm stands.

        Args:
            old: the generation before, of which pacing takes over what it has seen today.

        Raises:
            ConfigError: the settings are wrong; in one line.
            KeyMissingError: there is no key for the upstream.
            ModelFileError: the model file cannot be read, while the old generation has a good one.
        """
        serve, router = self.settings()
        keys = Keys.from_environ(self.environ, serve.break_glass.variables)
        try:
            return Generation.of(serve, router, keys, self._predictor(), old)
        except ModelFileError as error:
            if old is not None and not old.lacks_model:
                raise
            made = replace(Generation.of(serve, router, keys, NoModel(), old), lacks_model=True)
            made.core.alarms.sound(MODEL_FILE, f"balanced answers until it is mended: {error}")
            return made

    def _predictor(self) -> TierPredictor:
        return TierPredictor.default() if self.model is None else TierPredictor.load(self.model)
