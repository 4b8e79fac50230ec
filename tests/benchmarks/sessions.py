"""Conversations replayed turn by turn, with and without sessions: flips of the tier, dollars, and the label.

Every request of a conversation is decided on by the packaged model: each human turn, and each return of tool
results. The labelled turn is the last. Token counts are estimates from the text; the last answer, which is
not in the data, is taken to be as long as the others on average. A model's provider is taken to have the
prompt of its last request of the conversation cached, since turns come a minute apart, and to bill it at a
share of the input's price: the mission tells no cached prices, so several are assumed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, stdev
from typing import Any, Final

from classifier import TIERS, RiskPolicy, Tier, TierPredictor
from serving import RouterConfig
from serving.cost import Tokens, estimate_prompt, estimate_tokens
from serving.routing import Reasons
from serving.selection import Selection
from serving.sessions.keeper import Sessions
from tests.benchmarks.material import Material, say
from tests.benchmarks.row import Peer, Row
from training.labelled import LabelledData

__all__ = ["Played", "Replay", "conversations_of", "replay", "session_rows"]

_SHARES: Final = (1.0, 0.5, 0.25, 0.1)
_SECONDS_BETWEEN: Final = 60.0
_PREFACE: Final = 8_000  # tokens: a few documents, or an agent's instructions and tools
_LESS_RISK: Final = 0.3  # with which as few are under-routed without sessions as with them
_RULES: Final[Mapping[str, dict[str, Any]]] = {
    "every short follow-up keeps its tier": {"keep_above": 0.0},
    "the cost model alone": {"keep_above": 1.0},
    "tool turns cheap": {"tool_turns": "cheap"},
}


@dataclass(frozen=True, slots=True)
class Request:
    """One request of a conversation.

    Attributes:
        messages: that it holds.
        selection: as the classifier decides.
        tokens: of its prompt and of the answer.
    """

    messages: Sequence[Any]
    selection: Selection
    tokens: Tokens


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a conversation.

    Attributes:
        tiers: of its requests, in order.
        usd: of all its answers.
        needed: the label of the last one.
    """

    tiers: tuple[Tier, ...]
    usd: float
    needed: Tier

    @property
    def flips(self) -> int:
        """How often the tier changed from one request to the next."""
        return sum(one is not other for one, other in zip(self.tiers, self.tiers[1:], strict=False))


@dataclass
class Replay:
    """Conversations of a part of the data, decided on once.

    Attributes:
        rows: labelled.
        predictor: who decides.
        sources: whose conversations are wanted; none for all.
        preface: tokens that every prompt has beside what is in the data, such as documents.
    """

    rows: LabelledData
    predictor: TierPredictor
    sources: tuple[str, ...] = ()
    preface: int = 0

    @cached_property
    def conversations(self) -> list[tuple[list[Request], Tier]]:
        """The requests of each conversation, and the tier that the last one needs."""
        return conversations_of(self.rows, self.predictor, self.sources, self.preface)

    def play(self, share: float, **settings: Any) -> list[Played]:
        """Return what comes of the conversations with sessions of these settings."""
        config = _config(share, settings)
        return [replay(requests, needed, config) for requests, needed in self.conversations]


def session_rows(material: Material) -> Iterator[Row]:
    """Yield rows for every assumed price of cached tokens, then for other rules."""
    split = material.split
    chosen, held_out = (
        Replay(rows, material.predictor) for rows in (split.train.with_rows_of(split.validation), split.test)
    )
    for name, part in (("training and validation", chosen), ("test", held_out)):
        say(f"replaying the conversations of {name}")
        for share in _SHARES:
            yield _row(f"{name}, cached tokens at {share:.0%}", part, share, {})
    long = Replay(chosen.rows, chosen.predictor, preface=_PREFACE)
    for share in _SHARES:
        yield _row(f"training and validation, {_PREFACE:,} tokens before each, {share:.0%}", long, share, {})
    everyday = Replay(chosen.rows, chosen.predictor, ("c4",))
    yield _row("the everyday ones of source c4, at 10%", everyday, 0.1, {})
    for rule, settings in _RULES.items():
        yield _row(f"training and validation at 10%, {rule}", chosen, 0.1, settings)
    instead = Replay(chosen.rows, material.predictor.with_policy(RiskPolicy(_LESS_RISK)))
    what = f"training and validation at 10%, no sessions but max_risk {_LESS_RISK:g}"
    yield _compared(what, chosen.play(0.1, enabled=False), instead.play(0.1, enabled=False))


def conversations_of(
    rows: LabelledData, predictor: TierPredictor, sources: Sequence[str] = (), preface: int = 0
) -> list[tuple[list[Request], Tier]]:
    """Return the requests of each conversation, as the classifier decides them one by one.

    Args:
        rows: labelled; single prompts are left out.
        predictor: who decides.
        sources: whose conversations are wanted; none for all.
        preface: tokens that every prompt has beside what is in the data.
    """
    frame = rows.frame[rows.frame["is_conversation"]]
    if sources:
        frame = frame[frame["source"].isin(sources)]
    talks = list(zip(frame["prompt"], (TIERS[tier] for tier in frame["tier"]), strict=True))
    usual = round(fmean(answer for talk, _ in talks for answer in _answers(talk)))
    return [(list(_requests(talk, predictor, usual, preface)), needed) for talk, needed in talks]


def replay(requests: Sequence[Request], needed: Tier, config: RouterConfig) -> Played:
    """Return what comes of a conversation, its turns a minute apart."""
    sessions, tiers, usd = Sessions(config), [], 0.0
    cached: dict[Tier, int] = {}
    for number, request in enumerate(requests):
        now = number * _SECONDS_BETWEEN
        session = sessions.identify(request.messages)
        held = sessions.hold(request.selection, session, request.messages, now)
        tier = held.selection.tier
        assert tier is not None
        model, tokens = config.tier(tier).model, request.tokens
        price = config.price(model)
        assert price is not None
        had = min(cached.get(tier, 0), tokens.input)
        usd += price.of(Tokens(tokens.input, tokens.output, cached=had))
        cached[tier] = tokens.input
        tiers.append(tier)
        known = sessions.remembered(
            tier if held.keeps is None else held.keeps,
            model,
            tokens.input,
            tokens.output,
            now,
            is_kept=held.keeps is not None,
        )
        if session is not None and known is not None:
            sessions.memory.put(session.place, known, 0.0)
    return Played(tuple(tiers), usd, needed)


def _requests(
    messages: Sequence[Any], predictor: TierPredictor, usual_answer: int, preface: int
) -> Iterator[Request]:
    for end in range(1, len(messages) + 1):
        is_last = end == len(messages)
        if messages[end - 1]["role"] == "assistant" or not (is_last or messages[end]["role"] == "assistant"):
            continue
        asked = messages[:end]
        decision = predictor.decide(asked)
        answer = usual_answer if is_last else _tokens_of(messages[end])
        tokens = Tokens(preface + estimate_prompt({"messages": asked}), answer)
        yield Request(asked, Selection("auto", decision.tier, decision, Reasons.known()), tokens)


def _answers(messages: Sequence[Any]) -> Iterator[int]:
    return (_tokens_of(each) for each in messages if each["role"] == "assistant")


def _tokens_of(message: Mapping[str, Any]) -> int:
    return estimate_tokens(message.get("content") or "")


def _config(share: float, settings: Mapping[str, Any]) -> RouterConfig:
    usual = RouterConfig()
    models = [usual.tier(tier).model for tier in TIERS]
    prices = {model: usual.price(model) for model in models}
    told = {
        model: {"input": price.input, "output": price.output, "cached_input": price.input * share}
        for model, price in prices.items()
        if price is not None
    }
    return RouterConfig.from_dict({"prices": told, "sessions": dict(settings)})


def _row(what: str, part: Replay, share: float, settings: Mapping[str, Any]) -> Row:
    return _compared(what, part.play(share, enabled=False), part.play(share, **settings))


def _compared(what: str, without: Sequence[Played], played: Sequence[Played]) -> Row:
    fewer = [one.flips - other.flips for one, other in zip(played, without, strict=True)]
    half = 1.96 * stdev(fewer) / len(fewer) ** 0.5
    figures = {
        "under-routed at the label": [_share(each, -1) for each in (without, played)],
        "over-routed": [_share(each, 1) for each in (without, played)],
        "between cheap and premium": [_far(each) for each in (without, played)],
    }
    told = ", ".join(f"{name} {one:.3f} -> {other:.3f}" for name, (one, other) in figures.items())
    dollars = f"${_usd(without):.3f} -> ${_usd(played):.3f} for 1,000 conversations"
    more = _usd(played) / _usd(without) - 1
    note = f"{len(played)} conversations; {fmean(fewer):+.3f} +- {half:.3f}; {dollars} ({more:+.1%}); {told}"
    peer = Peer("without", fmean(each.flips for each in without))
    return Row(f"flips, {what}", fmean(each.flips for each in played), peer=peer, note=note)


def _usd(played: Sequence[Played]) -> float:
    return 1000 * fmean(each.usd for each in played)


def _share(played: Sequence[Played], sign: int) -> float:
    return fmean((each.tiers[-1] - each.needed) * sign > 0 for each in played)


def _far(played: Sequence[Played]) -> float:
    return fmean(abs(each.tiers[-1] - each.needed) == 2 for each in played)
