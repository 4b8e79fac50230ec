"""The feedback log that training reads, from the ledger and the thumbs; the format is training's.

One object for each request that was answered and whose prompt is in the ledger (it is only where the proxy's
`store_prompts` is on). `tier` is that of the model that answered: after a fallback to another tier's model it
is that tier, not the one that was decided on. `thumb` is the caller's, by request id. So are `retried` and
`escalated_to` where the caller told them; an `escalated_to` that is not above the tier that answered is no
escalation and left out.

Where the caller told neither of those two, they are derived from later requests. Such are only looked for
within the same API key and the same session, so that two users who ask the same are not taken for one who
asks again; requests without a session have none, nor those whose session was told from their words alone.
The later request must have the very same messages, come after the earlier answer had ended (so that neither
samples drawn at once nor hedged requests count), and come within an hour of it:

- `escalated_to`: the caller named a tier above the one that had answered, and it answered. Of several the
  first. Its own thumb stands in its own row, not as `escalated_thumb`, where it would be counted twice.
- `retried`: otherwise, the next request was answered by the same tier.

A program that draws many answers to the same prompt in one session, one after the other, looks as if it
retried: leave the derived signs out there.

`chosen_by` is "policy" where the policy settled the tier, "caller" where the caller did, and absent where a
floor, a budget, a session or a failing classifier did. Nothing is invented: what the ledger does not know is
absent.
"""

import enum
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from classifier import PromptError, Tier, read
from serving.config import RouterConfig
from serving.sessions.session_id import is_anonymous
from serving.spending.ledger_row import ChosenBy, LedgerRow
from serving.spending.requests import LoggedRequest

__all__ = ["Export", "Left", "SignFinder", "Told", "messages_of", "tier_of_answer"]

_WITHIN = 3600.0  # seconds
_SURROGATE = re.compile("[\ud800-\udfff]")
_CHOSEN_BY = {ChosenBy.POLICY: "policy", ChosenBy.CALLER: "caller"}

Digest = bytes
Messages = Sequence[Mapping[str, Any]]


def messages_of(prompt: str | None) -> Messages | None:
    """Return the messages that a ledger row stores; None where there are none that a classifier can read.

    Lone surrogates, which no file in UTF-8 can hold, become U+FFFD.
    """
    try:
        messages = None if prompt is None else _without_surrogates(json.loads(prompt))
        if not isinstance(messages, list):
            return None
        reading = read(messages)
    except (ValueError, RecursionError, PromptError):
        return None
    said = any(turn.strip() for turn in reading.turns)
    return messages if said or reading.images or reading.audios or reading.files else None


def tier_of_answer(row: LedgerRow, config: RouterConfig) -> Tier | None:
    """Return the tier that gave an answer; None where its model is no tier's own.

    Args:
        row: of an attempt that answered.
        config: that says which model is whose.
    """
    decided = None if row.tier is None else Tier.parse(row.tier)
    if decided is not None and (not row.fell_back or config.tier(decided).model == row.model):
        return decided
    return next((tier for tier in Tier if config.tier(tier).model == row.model), None)


@dataclass(frozen=True, slots=True)
class Told:
    """What the caller told of an answer.

    Attributes:
        thumb: "up", "down" or None.
        retried: whether the user asked again at the same tier; None where nobody said.
        escalated_to: label of the tier that the user turned to, or None.
    """

    thumb: str | None = None
    retried: bool | None = None
    escalated_to: str | None = None

    def signs(self, tier: Tier) -> dict[str, Any]:
        """Return what of it the log tells of an answer of a tier."""
        told = {"thumb": self.thumb, "retried": self.retried, "escalated_to": self.escalated_to}
        if self.escalated_to is not None and Tier.parse(self.escalated_to) <= tier:
            del told["escalated_to"]
        return {name: value for name, value in told.items() if value is not None}


class Left(enum.StrEnum):
    """Why requests are not in the log, in words that follow their number."""

    UNANSWERED = "not answered"
    NO_PROMPT = "without a prompt in the ledger"
    UNREADABLE = "with a prompt that the classifier cannot read"
    NO_TIER = "answered by a model that is no tier's own"


@dataclass(frozen=True, slots=True)
class _Answered:
    """What is remembered of a request."""

    request_id: str
    at: float
    ended_at: float
    tier: Tier
    named: bool


@dataclass(slots=True)
class _Sign:
    """What later requests say of one."""

    retried: bool = False
    escalated_to: Tier | None = None


class SignFinder:
    """Finds retries and escalations; give it every request once, in order of time.

    Remembers about 200 bytes of each prompt asked within a session in the last hour, and the signs.
    """

    def __init__(self, config: RouterConfig) -> None:
        """Know which model is which tier's."""
        self._config = config
        self._asked: dict[tuple[str | None, str, Digest], list[_Answered]] = {}
        self._signs: dict[str, _Sign] = {}
        self._swept_at = 0.0

    def add(self, request: LoggedRequest) -> None:
        """Take in a request."""
        row = request.answer
        prompt = None if row is None else _prompt(request)
        if row is None or row.session is None or is_anonymous(row.session) or prompt is None:
            return
        tier = tier_of_answer(row, self._config)
        if tier is None:
            return
        key = (row.key_id, row.session, _digest(prompt))
        ended_at = row.at + (row.total_seconds or 0.0)
        named = row.chosen_by is ChosenBy.CALLER
        latest = _Answered(row.request_id, row.at, ended_at, tier, named)
        earlier = [each for each in self._asked.get(key, []) if latest.at - each.ended_at <= _WITHIN]
        self._compare(earlier, latest)
        self._asked[key] = [*earlier, latest]
        self._sweep(latest.at)

    def of(self, request_id: str) -> Mapping[str, Any]:
        """Return the signs about a request, as the log tells them; empty where there are none."""
        sign = self._signs.get(request_id)
        if sign is None:
            return {}
        if sign.escalated_to is not None:
            return {"escalated_to": sign.escalated_to.label}
        return {"retried": True}

    def _compare(self, earlier: Sequence[_Answered], latest: _Answered) -> None:
        seen = [each for each in earlier if each.ended_at <= latest.at]
        for each in seen:
            if latest.named and latest.tier > each.tier:
                sign = self._signs.setdefault(each.request_id, _Sign())
                sign.escalated_to = sign.escalated_to or latest.tier
        if seen and seen[-1].tier is latest.tier:
            self._signs.setdefault(seen[-1].request_id, _Sign()).retried = True

    def _sweep(self, now: float) -> None:
        """Forget what is too long ago, once in a while."""
        if now - self._swept_at > _WITHIN:
            self._swept_at = now
            self._asked = {
                key: asked for key, asked in self._asked.items() if now - asked[-1].ended_at <= _WITHIN
            }


@dataclass(slots=True)
class Export:
    """Makes the rows of the log, and counts what was left out and why.

    Attributes:
        config: that says which model is which tier's.
        told_of: what callers told, by request id.
        signs: that were derived, or None to leave them out.
        rows: how many were made.
        left: requests that are not in the log, by why.
        told: rows by the signs they carry.
        used: the requests of which the log holds what was told.
    """

    config: RouterConfig
    told_of: Mapping[str, Told]
    signs: SignFinder | None
    rows: int = 0
    left: Counter[Left] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    used: set[str] = field(default_factory=set)

    def rows_of(self, requests: Iterable[LoggedRequest]) -> Iterator[dict[str, Any]]:
        """Yield an object for each request of which something can be learnt, ready for JSON."""
        for request in requests:
            row = self._row(request)
            if isinstance(row, Left):
                self.left[row] += 1
            else:
                self.rows += 1
                yield row

    def _row(self, request: LoggedRequest) -> dict[str, Any] | Left:
        """Return the object of a request, or why there is none."""
        answer, prompt = request.answer, _prompt(request)
        if answer is None:
            return Left.UNANSWERED
        if prompt is None:
            return Left.NO_PROMPT
        tier, messages = tier_of_answer(answer, self.config), messages_of(prompt)
        if tier is None:
            return Left.NO_TIER
        if messages is None:
            return Left.UNREADABLE
        return {"messages": messages, "tier": tier.label, **self._told(answer, tier), **_described(answer)}

    def _told(self, answer: LedgerRow, tier: Tier) -> dict[str, Any]:
        name, signs = answer.request_id, {}
        if name in self.told_of:
            signs = self.told_of[name].signs(tier)
            self.used.add(name)
        if self.signs is not None and not signs.keys() & {"retried", "escalated_to"}:
            signs |= self.signs.of(name)
        told = [sign for sign, value in signs.items() if value]
        self.told.update(told)
        self.told["silent"] += not told
        return signs


def _described(row: LedgerRow) -> dict[str, Any]:
    described = {
        "request_id": row.request_id,
        "time": datetime.fromtimestamp(row.at, UTC).isoformat(),
        "model": row.model,
        "model_version": row.model_version,
        "policy": row.policy,
        "probabilities": None if row.probabilities is None else list(row.probabilities),
        "chosen_by": _CHOSEN_BY.get(row.chosen_by),
    }
    return {name: value for name, value in described.items() if value is not None}


def _prompt(request: LoggedRequest) -> str | None:
    """Return the prompt as stored; all attempts of a request had the same."""
    return next((row.prompt for row in request.attempts if row.prompt is not None), None)


def _digest(prompt: str) -> Digest:
    """Return what tells the same messages by, however their JSON is spaced."""
    with suppress(ValueError, RecursionError):  # what is no JSON is compared as it stands
        prompt = json.dumps(json.loads(prompt), sort_keys=True)
    return hashlib.blake2b(prompt.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_without_surrogates(name): _without_surrogates(each) for name, each in value.items()}
    return [_without_surrogates(each) for each in value] if isinstance(value, list) else value
