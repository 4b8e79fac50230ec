"""Which tier a turn of a conversation gets: one pure function.

1. A harder ask moves up at once.
2. After a pause nothing is kept: the providers' caches are gone, and the classifier has read everything anew.
3. A go-ahead and a turn that only carries a tool's result keep the tier; so does another short follow-up, as
   long as the classifier does not find it clearly easier than what came before.
4. Otherwise an easier ask moves down, where that is cheaper: the prompt cache that is lost is counted.
5. Where it is wanted, turns that only carry a tool's result go to the cheap tier if that is cheaper; the
   conversation keeps its tier for what the human says next.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from classifier.decision import Decision
from classifier.tier import TIERS, Tier
from serving.cost import Price
from serving.sessions.cache_cost import TurnSize, usd_of_turns
from serving.sessions.memory import Remembered
from serving.sessions.settings import SessionSettings, ToolTurns
from serving.sessions.turns import Kind

__all__ = ["Offer", "Settled", "Turn", "settle"]

_USUAL_ANSWER = 300  # tokens, where the last answer's are not known


@dataclass(frozen=True, slots=True)
class Offer:
    """What answers the prompts of a tier.

    Attributes:
        model: asked first.
        price: of it.
    """

    model: str
    price: Price


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be decided on.

    Attributes:
        decision: the classifier's, on the whole conversation.
        kind: of the turn.
        fresh_tokens: that came since the last request: its answer, and the new turn.
    """

    decision: Decision
    kind: Kind
    fresh_tokens: int


@dataclass(frozen=True, slots=True)
class Settled:
    """The tier of a turn.

    Attributes:
        tier: that answers it.
        keeps: that the conversation has afterwards, where it is another one.
        why: what the session had to say, in words; empty where it had nothing to say.
    """

    tier: Tier
    keeps: Tier | None = None
    why: str = ""


def settle(
    known: Remembered, turn: Turn, offers: Mapping[Tier, Offer], settings: SessionSettings, now: float
) -> Settled:
    """Return the tier of a turn.

    Never a lower tier than the decision's, and never a lower one for a higher decision, all else being equal;
    but for turns that only carry a tool's result, where they are wanted cheap.

    Args:
        known: how the conversation was last answered.
        turn: what is to be decided on.
        offers: the model and the price of each tier.
        settings: the rules.
        now: seconds, by the clock of `known`.
    """
    own, held = turn.decision.tier, known.tier
    if now - known.at > settings.pause_seconds:
        return Settled(own)
    if turn.kind is Kind.TOOL and settings.tool_turns is ToolTurns.CHEAP:
        return _tool_turn(known, turn, offers, settings)
    if own >= held:
        return Settled(own, why=f"the ask got harder: up from {held}" if own > held else "")
    reason = _keeps(held, turn, settings)
    if reason:
        return Settled(held, why=f"the conversation keeps {held}: {reason}")
    return _cheapest(known, turn, offers, settings)


def _keeps(held: Tier, turn: Turn, settings: SessionSettings) -> str:
    """Why a turn keeps the conversation's tier whatever that costs; empty where it does not."""
    if turn.kind in (Kind.ASSENT, Kind.TOOL):
        return f"this is {turn.kind.value}"
    needed = sum(turn.decision.probabilities[held:])
    if turn.kind is Kind.FOLLOW_UP and needed >= settings.keep_above:
        return f"this is {turn.kind.value}, and it may need {_or_more(held)} (P = {needed:.2f})"
    return ""


def _cheapest(
    known: Remembered, turn: Turn, offers: Mapping[Tier, Offer], settings: SessionSettings
) -> Settled:
    """Move down to the tier that costs least, of those that will do."""
    costs = _costs(known, turn, offers, settings, turn.decision.tier)
    held, best = known.tier, min(reversed(costs), key=costs.__getitem__)  # the highest of equals: it is kept
    own = turn.decision.tier
    if best is held:
        more = costs[own] - costs[held]
        lost = f"moving to {own} costs ${more:.6f} more, with the prompt cache that would be lost"
        return Settled(held, why=f"the conversation keeps {held}: {lost}")
    saved = f"it saves ${costs[held] - costs[best]:.6f}, the lost prompt cache counted"
    return Settled(best, why=f"the conversation moves from {held} to {best}: {saved}")


def _tool_turn(
    known: Remembered, turn: Turn, offers: Mapping[Tier, Offer], settings: SessionSettings
) -> Settled:
    kept = max(known.tier, turn.decision.tier)
    costs = _costs(known, turn, offers, settings, Tier.CHEAP, kept)
    if costs[Tier.CHEAP] < costs[kept]:
        return Settled(Tier.CHEAP, kept, f"this is {Kind.TOOL.value}: it saves ${_gain(costs, kept):.6f}")
    return Settled(kept, why=f"the conversation keeps {kept}: moving to {Tier.CHEAP} would save nothing")


def _gain(costs: Mapping[Tier, float], kept: Tier) -> float:
    return costs[kept] - costs[Tier.CHEAP]


def _costs(
    known: Remembered,
    turn: Turn,
    offers: Mapping[Tier, Offer],
    settings: SessionSettings,
    lowest: Tier,
    highest: Tier | None = None,
) -> dict[Tier, float]:
    """Return the dollars of this turn and the ones ahead with each tier of a span, ascending."""
    answer = _USUAL_ANSWER if known.output_tokens is None else known.output_tokens
    size = TurnSize(known.input_tokens, turn.fresh_tokens, answer)
    ahead = settings.turns_ahead
    span = TIERS[lowest : (known.tier if highest is None else highest) + 1]
    return {
        tier: usd_of_turns(
            offers[tier].price, size, turns_ahead=ahead, is_cached=offers[tier].model == known.model
        )
        for tier in span
    }


def _or_more(tier: Tier) -> str:
    return f"{tier}" if tier is Tier.PREMIUM else f"{tier} or more"
