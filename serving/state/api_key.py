"""An API key of the proxy's own, as a value: what it may do. Its secret is not part of it."""

from dataclasses import dataclass

from classifier.tier import Tier
from serving.spending.budget_terms import Budget, Unit, key_scope, micro_dollars

__all__ = ["ApiKey"]


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that callers of the proxy hold.

    Attributes:
        key_id: short and public; it stands in the secret, in the ledger and in logs.
        name: whose it is, for people.
        created_at: seconds since the epoch (UTC).
        revoked_at: seconds since the epoch, or None while the key is good.
        allowed_tiers: labels, in Tier order, at least one.
        floor: label of the tier below which this key's requests never go, or None.
        requests_per_minute: at most so many, or None for no limit.
        daily_usd: US dollars a day at most, or None for no budget.
    """

    key_id: str
    name: str
    created_at: float
    revoked_at: float | None = None
    allowed_tiers: tuple[str, ...] = tuple(tier.label for tier in Tier)
    floor: str | None = None
    requests_per_minute: int | None = None
    daily_usd: float | None = None

    @property
    def budget(self) -> Budget | None:
        """The key's own budget, or None when it has none."""
        if self.daily_usd is None:
            return None
        return Budget(key_scope(self.key_id), Unit.USD, micro_dollars(self.daily_usd))
