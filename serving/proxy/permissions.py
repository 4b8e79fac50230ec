"""What an API key may ask for: its tiers and its floor, applied to a selection and to a chain."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from classifier import Tier
from serving.chain import Plan
from serving.config import RouterConfig
from serving.proxy.errors import ProxyError
from serving.routing import Reasons
from serving.selection import AUTO, Selection
from serving.spending.ledger_row import ChosenBy
from serving.state.api_key import ApiKey

__all__ = ["Chosen", "allowed", "chosen_for", "counts_as_premium", "may_use_premium", "why_not"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A selection that a key may have.

    Attributes:
        selection: what the call is to be answered by.
        chosen_by: who or what settled it.
    """

    selection: Selection
    chosen_by: ChosenBy


def chosen_for(
    key: ApiKey | None,
    selection: Selection,
    config: RouterConfig,
    *,
    rationed: bool = False,
    by_session: bool = False,
) -> Chosen:
    """Hold a selection within the bounds of a key.

    What the classifier chose is raised to the key's floor and kept to its tiers: the cheapest of them that is
    no cheaper than the choice, or else the dearest. A tier below the floor is raised too, when a caller asks
    for it; another one that the key may not use is refused, and so is a model that only such a tier has.
    What was rationed is not raised to premium again, but by a floor.

    Args:
        key: the caller's, or None.
        selection: to hold within its bounds.
        config: that says which model is whose.
        rationed: whether pacing lowered the selection from premium.
        by_session: whether its conversation gave the selection another tier than was decided on.

    Raises:
        ProxyError: the caller asked for what the key may not use.
    """
    chosen_by = ChosenBy.BUDGET if rationed else ChosenBy.SESSION if by_session else _chosen_by(selection)
    if key is None:
        return Chosen(selection, chosen_by)
    if selection.tier is None:
        _refuse_model(key, selection.requested, config)
        return Chosen(selection, chosen_by)
    tiers = _tiers(key)
    asked_for = selection.requested != AUTO
    if asked_for and selection.tier not in tiers and selection.tier > min(tiers):
        raise _forbidden(f"this API key may not use the tier {selection.tier}: {_may(key)}")
    by_budget = rationed and Tier.PREMIUM in tiers
    usable = tiers[:-1] or tiers if by_budget else tiers
    tier = next((tier for tier in usable if tier >= selection.tier), usable[-1])
    if tier == selection.tier and by_budget == rationed:
        return Chosen(selection, chosen_by)
    lowered_on = by_budget and tier < selection.tier
    bound = "floor" if tier > selection.tier else "next tier below premium" if lowered_on else "highest tier"
    reasons = Reasons(lambda: (f"this API key's {bound} is {tier}", *selection.reasons()))
    settled_by = ChosenBy.BUDGET if lowered_on else ChosenBy.FLOOR
    return Chosen(replace(selection, tier=tier, reasons=reasons), settled_by)


def may_use_premium(key: ApiKey | None) -> bool:
    """Whether a key's requests may go to the premium tier."""
    return key is None or Tier.PREMIUM in _tiers(key)


def why_not(key: ApiKey | None, config: RouterConfig) -> Callable[[str], str]:
    """Return what tells why a key's requests may not go to a model of a chain; nothing when they may."""
    if key is None:
        return lambda _: ""
    own, others = _models(key, config)
    premium = may_use_premium(key)

    def reason(model: str) -> str:
        if model in own:
            return ""
        if model in others or (not premium and counts_as_premium(model, config)):
            return "it is outside this API key's tiers"
        return ""

    return reason


def allowed(plan: Plan, key: ApiKey | None, config: RouterConfig) -> Plan:
    """Return a plan without the models of a chain that a key's requests may not go to.

    Args:
        plan: of the key's request; a model that the caller named has been allowed before.
        key: the caller's, or None.
        config: that says which model is whose.
    """
    return plan if plan.alone else plan.without(why_not(key, config))


def counts_as_premium(model: str, config: RouterConfig) -> bool:
    """Whether a model is the premium tier's, or no cheaper, or of unknown price."""
    own = config.tier(Tier.PREMIUM).model
    price, premium = config.price(model), config.price(own)
    if model == own or price is None or premium is None:
        return True
    return price.input >= premium.input or price.output >= premium.output


def _chosen_by(selection: Selection) -> ChosenBy:
    if selection.requested != AUTO:
        return ChosenBy.CALLER
    return ChosenBy.CLASSIFIER_FAILED if selection.decision is None else ChosenBy.POLICY


def _tiers(key: ApiKey) -> list[Tier]:
    """The tiers that a key's requests may go to, ascending, never none."""
    allowed = sorted(Tier.parse(label) for label in key.allowed_tiers)
    floor = allowed[0] if key.floor is None else Tier.parse(key.floor)
    return [tier for tier in allowed if tier >= floor] or allowed[-1:]


def _models(key: ApiKey, config: RouterConfig) -> tuple[set[str], set[str]]:
    allowed = {config.tier(tier).model for tier in _tiers(key)}
    return allowed, {config.tier(tier).model for tier in Tier} - allowed


def _refuse_model(key: ApiKey, model: str, config: RouterConfig) -> None:
    """A key with every tier may name any model; another one only the models of its tiers."""
    if len(key.allowed_tiers) == len(Tier):
        return
    if model not in {config.tier(Tier.parse(label)).model for label in key.allowed_tiers}:
        raise _forbidden(f"this API key may not use the model {model!r}: {_may(key)}")


def _may(key: ApiKey) -> str:
    return f"it may use {', '.join(key.allowed_tiers)} and auto"


def _forbidden(message: str) -> ProxyError:
    return ProxyError(403, "not_allowed", message, param="model")
