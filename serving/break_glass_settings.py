"""The table [break_glass]: a direct provider for each tier, for when the aggregator cannot be reached.

    [break_glass.premium]
    base_url = "https://api.provider.example/v1"
    model = "deepseek-chat"
    key_variable = "PROVIDER_API_KEY"
    price = { input = 0.27, output = 1.10 }
    usd_per_day = 5

The key itself never stands there, but in the environment variable that is named.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, Field

from classifier.tier import Tier
from serving.config import BaseUrl, Name, Usd
from serving.cost import Price
from serving.settings_file import Section
from serving.spending.budget_terms import Budget, Unit, micro_dollars

__all__ = ["BreakGlassSettings", "DirectPrice", "DirectSettings", "break_glass_scope"]


def break_glass_scope(tier: Tier) -> str:
    """Return the scope of what a tier's direct provider is paid.

    >>> break_glass_scope(Tier.PREMIUM)
    'break_glass:premium'
    """
    return f"break_glass:{tier.label}"


def _one_or_two(value: object) -> object:
    return {"input": value, "output": value} if isinstance(value, int | float) else value


class DirectPrice(Section):
    """What a direct provider asks, in US dollars per million tokens.

    Attributes:
        input: of the prompt.
        output: of the answer.
    """

    input: Usd
    output: Usd


class DirectSettings(Section):
    """The direct provider of one tier.

    Attributes:
        base_url: of the provider, up to and with the version.
        model: as the provider calls it.
        key_variable: name of the environment variable with the provider's key.
        price: what it asks; one number where input and output cost the same.
        usd_per_day: what it may be paid a day at most, in US dollars.
    """

    base_url: BaseUrl
    model: Name
    key_variable: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
    price: Annotated[DirectPrice, BeforeValidator(_one_or_two)]
    usd_per_day: Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]

    @property
    def rates(self) -> Price:
        """The price as costs are reckoned by it."""
        return Price(self.price.input, self.price.output)

    def budget(self, tier: Tier) -> Budget:
        """Return what it may be paid a day, as the tier's provider."""
        return Budget(break_glass_scope(tier), Unit.USD, micro_dollars(self.usd_per_day))


class BreakGlassSettings(Section):
    """The direct providers, by tier; none by default.

    Attributes:
        cheap: of the cheap tier, or None.
        balanced: of the balanced tier, or None.
        premium: of the premium tier, or None.
    """

    cheap: DirectSettings | None = None
    balanced: DirectSettings | None = None
    premium: DirectSettings | None = None

    def by_tier(self) -> Mapping[Tier, DirectSettings]:
        """Return those that there are."""
        own = zip(Tier, (self.cheap, self.balanced, self.premium), strict=True)
        return {tier: each for tier, each in own if each is not None}

    @property
    def variables(self) -> tuple[str, ...]:
        """The environment variables with their keys, each once."""
        return tuple(dict.fromkeys(each.key_variable for each in self.by_tier().values()))
