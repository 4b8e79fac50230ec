"""Turns, offers and memories to decide on."""

from typing import Any

from classifier import Decision, Tier
from classifier.policies import risk
from serving.cost import Price
from serving.sessions.memory import Remembered
from serving.sessions.stickiness import Offer, Turn
from serving.sessions.turns import Kind

PRICES = {Tier.CHEAP: 0.25, Tier.BALANCED: 0.28, Tier.PREMIUM: 2.5}
MODELS = {Tier.CHEAP: "vendor/cheap", Tier.BALANCED: "vendor/balanced", Tier.PREMIUM: "vendor/premium"}


def decision(tier: Tier, probabilities: tuple[float, float, float] = (1.0, 0.0, 0.0)) -> Decision:
    return Decision(tier, probabilities, risk(probabilities, tier), 1.0, "a test's", "none")


def offers(cached_share: float | None = None) -> dict[Tier, Offer]:
    """The mission's prices, with cached tokens billed at a share of them, or no cached price known."""
    return {
        tier: Offer(MODELS[tier], Price(usd, usd, None if cached_share is None else usd * cached_share))
        for tier, usd in PRICES.items()
    }


def remembered(tier: Tier, **changes: Any) -> Remembered:
    usual: dict[str, Any] = {"model": MODELS[tier], "input_tokens": 8000, "output_tokens": 200, "at": 1000.0}
    return Remembered(tier, **usual | changes)


def turn(tier: Tier, kind: Kind = Kind.ASK, fresh: int = 300, **changes: Any) -> Turn:
    return Turn(decision(tier, **changes), kind, fresh)
