"""What decides how prompts are labelled, and what of it a journal holds fast."""

from dataclasses import asdict, dataclass

from classifier import TIERS, Tier
from serving.config import RouterConfig
from serving.cost import Price
from serving.errors import ConfigError
from serving.keys import Channel
from serving.labelling.rubric import RUBRIC_VERSION
from serving.selection import AUTO

__all__ = ["LabelSettings"]

_MAY_CHANGE = ("judge_twice",)  # each prompt's draw is its own: a larger share only adds to what is there


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """How prompts are labelled.

    Attributes:
        models: of the three tiers, in Tier order.
        judge: the model that scores the answers.
        upstream: the base URLs that the prompts go to, or that they are simulated.
        max_tokens: the longest answer that is asked for.
        judge_max_tokens: the longest judgement that is asked for.
        judge_twice: the share of prompts that is judged a second time in swapped order, fraction in [0, 1].
        redaction: which redactor reads every text before it is sent; empty for none.
        seed: of the order in which answers are shown, and of which prompts are judged twice.
    """

    models: tuple[str, str, str]
    judge: str
    upstream: str
    max_tokens: int = 1000
    judge_max_tokens: int = 600
    judge_twice: float = 0.1
    redaction: str = ""
    seed: int = 0

    @classmethod
    def of(
        cls, config: RouterConfig, *, judge: str | None, simulated: bool, **rest: object
    ) -> "LabelSettings":
        """Take models and addresses from a router's configuration.

        Args:
            config: of the router.
            judge: a model, or a tier's name for its model; None for the premium tier's.
            simulated: whether the upstream is.
            rest: the other attributes.

        Raises:
            ConfigError: two tiers have one model, a name is a tier's, or the judge has no price.
        """
        cheap, balanced, premium = (config.tier(tier).model for tier in TIERS)
        by_tier = {tier.label: config.tier(tier).model for tier in TIERS}
        named = premium if judge is None else by_tier.get(judge, judge)
        _check_models((cheap, balanced, premium), named, config)
        urls = dict.fromkeys([config.base_url, config.pro_base_url or config.base_url])
        upstream = "simulated" if simulated else " and ".join(urls)
        return cls((cheap, balanced, premium), named, upstream, **rest)  # type: ignore[arg-type]

    @property
    def simulated(self) -> bool:
        """Whether no model is called."""
        return self.upstream == "simulated"

    @property
    def judge_is_candidate(self) -> bool:
        """Whether the judge scores answers of its own."""
        return self.judge in self.models

    @property
    def readers(self) -> tuple[str, ...]:
        """The models that read prompts, each once."""
        return tuple(dict.fromkeys([*self.models, self.judge]))

    @property
    def channels(self) -> dict[Channel, str]:
        """The channels that are needed, each with a model that needs it."""
        return {Channel.of(model): model for model in self.readers}

    def identity(self) -> dict[str, object]:
        """Return what the entries of one journal have in common, as JSON-able values."""
        values = {name: value for name, value in asdict(self).items() if name not in _MAY_CHANGE}
        return {**values, "models": list(self.models), "rubric": RUBRIC_VERSION}

    def price_of(self, config: RouterConfig, model: str) -> Price:
        """Return a model's price.

        Raises:
            ConfigError: none is configured.
        """
        price = config.price(model)
        if price is None:
            raise _no_price(model)
        return price


def _check_models(models: tuple[str, str, str], judge: str, config: RouterConfig) -> None:
    if len(set(models)) < len(models):
        raise ConfigError(f"two tiers have the same model ({', '.join(models)}): their answers tell nothing")
    for model in (*models, judge):
        if model == AUTO or model in {tier.label for tier in Tier}:
            raise ConfigError(f"{model!r} is no model's name: give each tier, and the judge, a model")
        if config.price(model) is None:
            raise _no_price(model)


def _no_price(model: str) -> ConfigError:
    return ConfigError(
        f'prices."{model}": missing, so its calls fit no budget: '
        "add its US dollars per million tokens to the file that --config names"
    )
