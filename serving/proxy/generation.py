"""What a request is answered by: configuration, keys, model; one generation of it after another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from classifier import Decision, Explanation, TierPredictor
from serving.config import RouterConfig
from serving.core import RouterCore
from serving.keys import Keys
from serving.proxy.pacing import Pacing
from serving.selection import Predictor, Selection, later_reasons
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
        pacing: of the premium budgets, or None where they are plain caps.
    """

    serve: ServeConfig
    core: RouterCore
    premium: tuple[Budget, ...]
    zone: ZoneInfo
    pacing: Pacing | None

    @classmethod
    def of(
        cls,
        serve: ServeConfig,
        router: RouterConfig,
        keys: Keys,
        predictor: Predictor,
        old: "Generation | None" = None,
    ) -> "Generation":
        """Compose one; of an old one it takes over what pacing has seen today."""
        pacing = Pacing.of(serve, predictor, None if old is None else old.pacing)
        core = RouterCore(router, keys, predictor if pacing is None else pacing.paced)
        return cls(serve, core, serve.budgets.premium, serve.budgets.zone, pacing)

    def select(self, requested: str, messages: Sequence[Mapping[str, Any]]) -> Selection:
        """Choose a tier, or the model that the caller named; the reasons are those of this moment."""
        selection = self.core.select(requested, messages)
        decision = selection.decision
        if self.pacing is None or decision is None:
            return selection
        return replace(selection, reasons=later_reasons(lambda: self.explain(messages, decision)))

    def explain(self, messages: Sequence[Mapping[str, Any]], decision: Decision) -> Explanation:
        """Return why a decision was made.

        Raises:
            ClassifierError: the classifier cannot read the messages.
        """
        if self.pacing is None:
            return self.core.explain(messages)
        return self.pacing.paced.explain_decision(messages, decision)

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
        return serve, router

    def load(self, old: Generation | None = None) -> Generation:
        """Read everything anew.

        Args:
            old: the generation before, of which pacing takes over what it has seen today.

        Raises:
            ConfigError: the settings are wrong; in one line.
            KeyMissingError: there is no key for the upstream.
            ModelFileError: the model file cannot be read.
        """
        serve, router = self.settings()
        keys = Keys.from_environ(self.environ)
        predictor = TierPredictor.default() if self.model is None else TierPredictor.load(self.model)
        return Generation.of(serve, router, keys, predictor, old)
