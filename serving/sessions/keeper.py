"""The sessions of a router: what it remembers, applied to what it decides."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from classifier.tier import TIERS, Tier
from serving.config import RouterConfig
from serving.routing import Reasons, Routing
from serving.selection import Selection
from serving.sessions.memory import Memory, Remembered
from serving.sessions.session_id import SessionId, identify
from serving.sessions.settings import ToolTurns
from serving.sessions.stickiness import Offer, Turn, settle
from serving.sessions.turns import fresh_tokens, kind_of

__all__ = ["Held", "Sessions"]


@dataclass(frozen=True, slots=True)
class Held:
    """A selection that the session has had its say in.

    Attributes:
        selection: what the call is to be answered by.
        session: which conversation it belongs to; None without sessions.
        moved: whether the tier is another one than was decided on.
        keeps: the tier that the conversation has afterwards, where it is another one than answers.
    """

    selection: Selection
    session: SessionId | None = None
    moved: bool = False
    keeps: Tier | None = None


class Sessions:
    """Holds the tiers of conversations; safe to share between threads.

    Attributes:
        memory: of the conversations that were answered.
    """

    def __init__(self, config: RouterConfig, memory: Memory | None = None) -> None:
        """Begin.

        Args:
            config: the settings, models and prices.
            memory: to go on with, of the sessions before a reload.
        """
        self._config = config
        self.settings = config.sessions
        self.memory = Memory(self.settings.most_remembered) if memory is None else memory
        self.memory.resize(self.settings.most_remembered)
        self._offers = _offers(config)

    def identify(
        self, messages: object, *, scope: str = "", given: object = None, user: object = None
    ) -> SessionId | None:
        """Return which conversation a request belongs to; None where sessions are off, or nothing is said.

        Args:
            messages: OpenAI messages.
            scope: within which names mean something: the caller's API key.
            given: the caller's own name of the conversation; what is no text, or empty, is none.
            user: the person, as the request tells it; likewise.
        """
        if not self.settings.enabled or not isinstance(messages, Sequence) or not messages:
            return None
        return identify(messages, scope=scope, given=_named(given), user=_named(user))

    def matters(self, selection: Selection) -> bool:
        """Return whether the conversation's past can change what was decided: nothing is above premium."""
        if selection.decision is None:
            return False
        return selection.tier is not Tier.PREMIUM or self.settings.tool_turns is ToolTurns.CHEAP

    def find(self, session: SessionId, now: float) -> Remembered | None:
        """Return how the conversation was last answered, as far as this process remembers it."""
        if session.previous is None:
            return None
        return self.memory.find(session.previous, now - self.settings.pause_seconds)

    def learn(self, session: SessionId, remembered: Remembered, now: float) -> None:
        """Take in how the conversation was last answered, as somebody else remembers it."""
        if session.previous is not None:
            self.memory.put(session.previous, remembered, now - self.settings.pause_seconds)

    def hold(
        self,
        selection: Selection,
        session: SessionId | None,
        messages: Sequence[Any],
        now: float,
        ceiling: Tier = Tier.PREMIUM,
    ) -> Held:
        """Return a selection with the tier that its conversation gets.

        A caller who names a tier or a model gets that, and where the classifier failed nothing is held.

        Args:
            selection: that was made for the request.
            session: which conversation it belongs to.
            messages: of the request.
            now: by the router's clock.
            ceiling: the highest tier that may be kept.
        """
        decision = selection.decision
        known = None if session is None else self.find(session, now)
        if session is None or known is None or decision is None:
            return Held(selection, session)
        turn = Turn(decision, kind_of(messages), fresh_tokens(messages[session.answered :]))
        known = replace(known, tier=min(known.tier, max(ceiling, decision.tier)))
        settled = settle(known, turn, self._offers, self.settings, now)
        if not settled.why:
            return Held(selection, session)
        reasons = Reasons(lambda: (settled.why, *selection.reasons()))
        moved = settled.tier is not selection.tier
        return Held(replace(selection, tier=settled.tier, reasons=reasons), session, moved, settled.keeps)

    def remember(self, session: SessionId | None, routing: Routing, now: float, keeps: Tier | None) -> None:
        """Take in a call that ended: what is remembered is what was really used.

        Args:
            session: which conversation it belongs to.
            routing: the record of the call.
            now: by the router's clock.
            keeps: the tier that the conversation has, where it is another one than answered.
        """
        if session is None or routing.model is None:
            return
        tokens = routing.cost.tokens
        remembered = self.remembered(
            routing.tier if keeps is None else keeps,
            routing.model,
            0 if tokens is None else tokens.input,
            None if tokens is None else tokens.output,
            now,
            is_kept=keeps is not None,
        )
        if remembered is not None:
            self.memory.put(session.place, remembered, now - self.settings.pause_seconds)

    def carry(self, held: Held, now: float) -> None:
        """Take in an answer that no call of this request gave: the conversation gets its tier all the same.

        What is known of an unnamed one at this very place stays; a named one has a single place.

        Args:
            held: what was selected.
            now: by the router's clock.
        """
        session, tier = held.session, held.selection.tier
        if session is None or tier is None:
            return
        since = now - self.settings.pause_seconds
        if session.place != session.previous and self.memory.find(session.place, since) is not None:
            return
        known = self.find(session, now) or Remembered(tier, "", 0, None, now)
        self.memory.put(session.place, replace(known, tier=tier if held.keeps is None else held.keeps), since)

    def remembered(
        self,
        tier: Tier | None,
        model: str,
        input_tokens: int,
        output_tokens: int | None,
        at: float,
        *,
        is_kept: bool = False,
    ) -> Remembered | None:
        """Return what to remember of an answer; None where its model is of no tier.

        A conversation that fell back to a cheaper model, or that a budget sent there, has that tier now; a
        fallback to a dearer one lifts nothing.

        Args:
            tier: that was settled on; None where the caller named the model.
            model: that answered.
            input_tokens: of the prompt.
            output_tokens: of the answer, or None.
            at: when it ended.
            is_kept: whether the tier is the conversation's whatever answered.
        """
        own = next((each for each in TIERS if self._offers[each].model == model), None)
        known = [each for each in (tier, None if is_kept else own) if each is not None]
        return Remembered(min(known), model, input_tokens, output_tokens, at) if known else None


def _named(name: object) -> str | None:
    return name if isinstance(name, str) and name else None


def _offers(config: RouterConfig) -> dict[Tier, Offer]:
    models = {tier: config.tier(tier).model for tier in TIERS}
    prices = {tier: config.price(model) for tier, model in models.items()}
    return {tier: Offer(models[tier], price) for tier, price in prices.items() if price is not None}
