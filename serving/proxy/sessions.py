"""Sessions in the proxy: the conversation of a request, and what the ledger knows of it.

Pacing comes before the session: while premium is rationed, no conversation keeps it for its past alone, and
whoever gets it then gets it for what is asked now. The conversation is taken to have balanced meanwhile.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from classifier import Tier
from classifier.header_text import header_safe
from serving.proxy.desk import Asked
from serving.selection import Selection
from serving.sessions.keeper import Held
from serving.sessions.memory import Remembered
from serving.sessions.session_id import SESSION_HEADER, SessionId

__all__ = ["given_name", "hold"]

_LONGEST = 200


def given_name(asked: Asked) -> str | None:
    """Return the conversation as the caller names it, or None."""
    given = asked.connection.headers.get(SESSION_HEADER)
    return None if given is None else header_safe(given)[:_LONGEST]


async def hold(
    asked: Asked, selection: Selection, body: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]
) -> Held:
    """Return a selection with the tier that its conversation gets.

    Args:
        asked: the request.
        selection: that was made for it.
        body: of it.
        messages: that it holds.
    """
    generation = asked.generation
    sessions, now = generation.core.sessions, generation.core.now()
    scope = "" if asked.key is None else asked.key.key_id
    session = sessions.identify(messages, scope=scope, given=given_name(asked), user=body.get("user"))
    if session is None:
        return Held(selection)
    known = sessions.find(session, now)
    if known is None and sessions.matters(selection):
        known = await _looked_up(asked, session, now)
    if known is None:
        return Held(selection, session)
    rationed = known.tier is Tier.PREMIUM and generation.rations(messages)
    return sessions.hold(
        selection, session, messages, now, ceiling=Tier.BALANCED if rationed else Tier.PREMIUM
    )


async def _looked_up(asked: Asked, session: SessionId, now: float) -> Remembered | None:
    """Ask the ledger: another replica may have answered, or the process before a restart."""
    core, wall = asked.generation.core, asked.desk.now()
    sessions, settings = core.sessions, core.sessions.settings
    since = wall - settings.pause_seconds - core.config.deadline_seconds
    key_id = None if asked.key is None else asked.key.key_id
    row = await asked.desk.lookup.last(session.known_as, key_id, since, settings.lookup_seconds)
    if row is None:
        return None
    age = max(0.0, wall - row.at - (row.total_seconds or 0.0))
    tier = None if row.tier is None else Tier.parse(row.tier)
    remembered = sessions.remembered(tier, row.model, row.input_tokens or 0, row.output_tokens, now - age)
    if remembered is not None:
        sessions.learn(session, remembered, now)
    return sessions.find(session, now)
