"""`python -m serving demo`: route some prompts over real HTTP and show what was decided, and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from classifier import TIERS
from serving.config import RouterConfig
from serving.demo_prompts import DemoPrompt
from serving.routing import Routing, routing_of
from serving.summary import Summary
from serving.summary_text import cost_lines
from serving.upstream import APIError
from serving.wording import duration, fit, one_line, share, usd, width, wrapped

__all__ = ["Routed", "outcome_lines", "policy_lines", "route", "total_lines"]

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


def route(ask: Asks, prompts: Iterable[DemoPrompt]) -> Iterator[Routed]:
    """Ask one prompt after the other; a failure is told in the outcome and does not end the row."""
    for number, prompt in enumerate(prompts, start=1):
        try:
            answer = ask(prompt.messages)
        except APIError as error:
            yield Routed(number, prompt, routing_of(error), f"{error}")
        else:
            yield Routed(number, prompt, routing_of(answer))


def outcome_lines(routed: Routed, *, simulated: bool) -> list[str]:
    """Return lines of at most 100 columns: what was asked, what was decided and why, who answered.

    Where a fallback answered, a fourth line tells why the planned model did not.
    """
    named = fit(one_line(routed.prompt.kind), _COLUMNS // 3)
    kind = f"  ({named})" if named else ""
    asked = fit(one_line(routed.prompt.ask), _COLUMNS - len(_INDENT) - width(kind))
    return [
        f"{routed.number:>2} {asked}{kind}",
        fit(_INDENT + _decided(routed.routing), _COLUMNS),
        *(_failed(routed.failure) if routed.failure else _answered(routed.routing, simulated=simulated)),
    ]


def total_lines(summary: Summary, config: RouterConfig, *, simulated: bool) -> list[str]:
    """Return the totals: prompts by tier, and the cost against always asking one tier's model."""
    counts = ", ".join(f"{summary.by_tier.get(tier.label, 0)} {tier}" for tier in TIERS)
    fallbacks = f"; {summary.fallbacks} answered by a fallback" if summary.fallbacks else ""
    failures = f"; {summary.failures} without an answer" if summary.failures else ""
    head = f"{summary.requests} prompts: {counts}{fallbacks}{failures}"
    about = ["  simulated answers: no model was called, and nothing was paid"] if simulated else []
    return [head, *cost_lines(summary, config), *about]


def policy_lines(outcomes: Iterable[Routed]) -> list[str]:
    """Return by what rule and which model the tiers were decided."""
    decisions = (each.routing.decision for each in outcomes)
    words = [f"  policy: {each.policy} (model {each.model_version})" for each in decisions if each]
    return list(dict.fromkeys(words))


def _decided(routing: Routing) -> str:
    tier, chances = f"{routing.tier!s:<9}", routing.probabilities
    if chances is None:
        return f"{tier} {one_line('; '.join(routing.reasons))}"
    shares = "  ".join(f"{each} {share(chances[each])}" for each in TIERS)
    why = one_line(", ".join(routing.reasons[:2]))
    return f"{tier} {shares}   {f'because of {why}' if why else 'no feature speaks for it'}"


def _failed(failure: str) -> list[str]:
    return wrapped(f"no answer: {one_line(failure)}", _COLUMNS, _INDENT)


def _answered(routing: Routing, *, simulated: bool) -> list[str]:
    who = f"{'simulated answer' if simulated else 'answer'} of {routing.model}"
    cost = usd(routing.cost.usd) + (" (estimated)" if routing.cost.estimated else "")
    line = f"{_INDENT}{who:<50} {cost:>10} {duration(routing.latency.total):>8}"
    return [fit(line, _COLUMNS), *(fit(_INDENT + each, _COLUMNS) for each in _unanswered(routing))]


def _unanswered(routing: Routing) -> list[str]:
    if not routing.fell_back:
        return []
    tried = {each.model: f"did not answer: {each.failure}" for each in routing.attempts}
    skipped = {each.model: f"was not asked: {each.reason}" for each in routing.skipped}
    what = (tried | skipped).get(routing.planned, "did not answer")
    return [one_line(f"a fallback, since {routing.planned} {what}")]
