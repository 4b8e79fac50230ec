"""Which models a call may try, and whether a failure lets it try the next: decided without any I/O."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from textwrap import shorten

from classifier.tier import TIERS, Tier
from serving.config import RouterConfig
from serving.direct import Direct
from serving.keys import Channel
from serving.upstream import APIConnectionError, APIStatusError, APITimeoutError, BrokenAnswerError

__all__ = ["TIMED_OUT", "Candidate", "Failure", "Plan", "Skipped", "plan_alone", "plan_tier", "plan_tiers"]

TIMED_OUT = "timed out"
"""The cause of a failure that a deadline made."""

_FALL_BACK = frozenset({404, 408, 429})
_LONGEST = 300  # characters of an upstream's message that a record keeps
_NO_KEY = f"{Channel.PRO.variable} is not set"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may be asked, and the channel that reaches it.

    Attributes:
        model: its name.
        channel: that it is asked by.
        direct: how it is reached past the aggregator, on the channel of that; otherwise None.
    """

    model: str
    channel: Channel
    direct: Direct | None = None

    @classmethod
    def of(cls, model: str) -> "Candidate":
        """Return a model with its channel."""
        return cls(model, Channel.of(model))


@dataclass(frozen=True, slots=True)
class Skipped:
    """A model of the chain that is not asked, and why."""

    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The models of one call in the order of asking.

    Attributes:
        first: the model that the tier, or the caller, means to ask.
        candidates: who is asked, in turn, until one answers.
        skipped: who would have been, and why not.
        lacks_key: whether any of those is skipped for want of a key.
        alone: whether the caller named the model, so that its failure is the caller's to handle.
    """

    first: str
    candidates: tuple[Candidate, ...]
    skipped: tuple[Skipped, ...] = ()
    lacks_key: bool = False
    alone: bool = False

    def without(self, why_not: Callable[[str], str]) -> "Plan":
        """Return the plan less the models for which there is a reason not to ask them.

        Args:
            why_not: returns the reason, or nothing, for a model's name.
        """
        reasons = {each.model: why_not(each.model) for each in self.candidates}
        if not any(reasons.values()):
            return self
        left = tuple(each for each in self.candidates if not reasons[each.model])
        out = tuple(Skipped(model, reason) for model, reason in reasons.items() if reason)
        return replace(self, candidates=left, skipped=(*self.skipped, *out))


@dataclass(frozen=True, slots=True)
class Failure:
    """What became of a failed attempt.

    Attributes:
        cause: in a few words.
        status: of the response, where there was an error status.
        falls_back: whether the next model may be tried: not when the caller's request was refused.
    """

    cause: str
    status: int | None = None
    falls_back: bool = True

    @classmethod
    def of(cls, error: BaseException) -> "Failure":
        """Judge what the SDK raised."""
        match error:
            case APIStatusError():
                status = error.status_code
                return cls(_said(error), status, status in _FALL_BACK or status >= 500)
            case APITimeoutError() | TimeoutError():
                return cls(TIMED_OUT)
            case APIConnectionError():
                return cls(f"connection failed: {_words(error.__cause__ or error)}")
            case BrokenAnswerError():
                return cls(f"{error}")
            case json.JSONDecodeError() | UnicodeDecodeError():
                return cls(f"broken JSON: {error}")
        return cls(f"error in the stream: {error}")


def plan_tier(config: RouterConfig, tier: Tier, *, has_pro_key: bool) -> Plan:
    """Return the plan for a tier: its chain, less what has no key and what is too dear."""
    models = config.chain(tier)
    reasons = {model: _why_not(config, models[0], model, has_pro_key) for model in models}
    return Plan(
        first=models[0],
        candidates=tuple(Candidate.of(model) for model, reason in reasons.items() if not reason),
        skipped=tuple(Skipped(model, reason) for model, reason in reasons.items() if reason),
        lacks_key=_NO_KEY in reasons.values(),
    )


def plan_tiers(config: RouterConfig, *, has_pro_key: bool) -> Mapping[Tier, Plan]:
    """Return the plans of all tiers."""
    return {tier: plan_tier(config, tier, has_pro_key=has_pro_key) for tier in TIERS}


def plan_alone(model: str) -> Plan:
    """Return the plan for a model that the caller named."""
    return Plan(model, (Candidate.of(model),), alone=True)


def _why_not(config: RouterConfig, own: str, model: str, has_pro_key: bool) -> str:
    if Channel.of(model) is Channel.PRO and not has_pro_key:
        return _NO_KEY
    price, own_price = config.price(model), config.price(own)
    affordable = price and own_price and (model == own or price.at_most(own_price, config.max_price_ratio))
    return "" if affordable else f"more than {config.max_price_ratio:g} times as dear as {own}"


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _said(error: APIStatusError) -> str:
    """The status with the upstream's own words, where it sent some; a page of HTML is not repeated."""
    words = error.message.removeprefix(f"Error code: {error.status_code}").removeprefix(" - ")
    return f"status {error.status_code}{shorten(f': {words}', _LONGEST) if words else ''}"
