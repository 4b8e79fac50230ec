"""A provider that is reached directly, past the aggregator."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from serving.cost import Price
from serving.keys import Secret
from serving.spending.budget_terms import Budget

__all__ = ["Direct"]


@dataclass(frozen=True, slots=True)
class Direct:
    """How a model is asked without the aggregator.

    Attributes:
        base_url: of the provider, up to and with the version.
        key: that the provider takes.
        price: US dollars per million tokens.
        budgets: that govern what it is paid, but for the caller's own.
        more: what is put into a body that does not hold it.
    """

    base_url: str
    key: Secret
    price: Price
    budgets: tuple[Budget, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict, compare=False)
