"""`python -m serving demo`: route some prompts over real HTTP and show what was decided, and why."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from classifier import TIERS
from serving.config import RouterConfig
from serving.demo_prompts import DemoPrompt
from serving.routing import Routing, routing_of
from serving.summary import Summary
from serving.summary_text import cost_lines
from serving.upstream import APIError
from serving.wording import duration, fit, one_line, share, usd, wrapped

__all__ = ["Routed", "outcome_lines", "route", "total_lines"]

_COLUMNS = 100
_INDENT = "   "


class Asks(Protocol):
    """Sends OpenAI messages to a router."""

    def __call__(self, messages: list[object]) -> object:
        """Return the router's answer."""


@dataclass(frozen=True, slots=True)
class Routed:
    """What became of one prompt.

    Attributes:
        number: its place, from 1.
        prompt: what was asked.
        routing: the record of the call.
        failure: why there is no answer; empty when there is one.
    """

    number: int
    prompt: DemoPrompt
    routing: Routing
    failure: str = ""

    def as_dict(self, *, simulated: bool) -> dict[str, object]:
        """Return the outcome as JSON-able values."""
        return {
            "number": self.number,
            "kind": self.prompt.kind,
            "ask": one_line(self.prompt.ask),
            "simulated": simulated,
            "failure": self.failure,
            "routing": self.routing.as_dict(),
        }


def route(ask: Asks, prompts: Iterable[DemoPrompt], mask: Callable[[str], str]) -> Iterator[Routed]:
    """Ask one prompt after the other; a failure is told in the outcome and does not end the row.

    Args:
        ask: sends messages to a router.
        prompts: what to ask.
        mask: hides keys that an upstream repeats in an error.
    """
    for number, prompt in enumerate(prompts, start=1):
        try:
            answer = ask(prompt.messages)
        except APIError as error:
            yield Routed(number, prompt, routing_of(error), one_line(mask(f"{error}")))
        else:
            yield Routed(number, prompt, routing_of(answer))


def outcome_lines(routed: Routed, *, simulated: bool) -> list[str]:
    """Return three lines of at most 100 columns: what was asked, what was decided and why, who answered."""
    kind = f"  ({routed.prompt.kind})" if routed.prompt.kind else ""
    asked = fit(one_line(routed.prompt.ask), _COLUMNS - len(_INDENT) - len(kind))
    return [
        f"{routed.number:>2} {asked}{kind}",
        fit(_INDENT + _decided(routed.routing), _COLUMNS),
        *(wrapped(f"no answer: {routed.failure}", _COLUMNS, _INDENT) if routed.failure else ()),
        *(() if routed.failure else (fit(_INDENT + _answered(routed.routing, simulated), _COLUMNS),)),
    ]


def total_lines(summary: Summary, config: RouterConfig, *, simulated: bool) -> list[str]:
    """Return the totals: prompts by tier, and the cost against always asking one tier's model."""
    counts = ", ".join(f"{summary.by_tier.get(tier.label, 0)} {tier}" for tier in TIERS)
    fallbacks = f"; {summary.fallbacks} answered by a fallback" if summary.fallbacks else ""
    failures = f"; {summary.failures} without an answer" if summary.failures else ""
    marked = "  (simulated answers: no model was called and nothing was paid)" if simulated else ""
    head = f"{summary.requests} prompts: {counts}{fallbacks}{failures}"
    return [head + marked, *(line for line in cost_lines(summary, config))]


def _decided(routing: Routing) -> str:
    tier, chances = f"{routing.tier!s:<9}", routing.probabilities
    if chances is None:
        return f"{tier} {'; '.join(routing.reasons)}"
    shares = "  ".join(f"{each} {share(chances[each])}" for each in TIERS)
    why = ", ".join(routing.reasons[:2])
    return f"{tier} {shares}   {f'because of {why}' if why else 'no feature speaks for it'}"


def _answered(routing: Routing, simulated: bool) -> str:
    who = f"{'simulated answer' if simulated else 'answer'} of {routing.model}"
    cost = usd(routing.cost.usd) + (" (estimated)" if routing.cost.estimated else "")
    instead = f"   instead of {routing.planned}" if routing.fell_back else ""
    return f"{who:<50} {cost:>10} {duration(routing.latency.total):>8}{instead}"
