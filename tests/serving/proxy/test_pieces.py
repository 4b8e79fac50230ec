"""The small parts: events cut anywhere, headers that cannot be injected, bodies that arrive in one packet."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from classifier import Tier
from classifier.header_text import header_safe
from serving import RouterConfig
from serving.errors import StateUnavailableError
from serving.proxy.chunks import CHAT, RESPONSES
from serving.proxy.errors import ProxyError
from serving.proxy.events import EventCutter
from serving.proxy.guard import Guard, Turnstile, is_loopback
from serving.proxy.permissions import chosen_for, counts_as_premium
from serving.proxy.protocol import JoinedTransport
from serving.proxy.unread import Unread
from serving.routing import Reasons
from serving.selection import Selection
from serving.spending.ledger_row import ChosenBy
from serving.state import ApiKey
from tests.serving.conftest import BALANCED, PREMIUM

EVENTS = st.lists(
    st.sampled_from([b"data: {}\n\n", b": ping\r\n\r\n", b"event: a\ndata: b\ndata: c\n\n"]), max_size=8
)


@drawn(EVENTS, st.lists(st.integers(1, 9), max_size=60))
def test_events_are_the_same_wherever_the_network_cuts(events: list[bytes], sizes: list[int]) -> None:
    whole, cutter, found = b"".join(events), EventCutter(), []
    for size in [*sizes, len(whole)]:
        piece, whole = whole[:size], whole[size:]
        found += cutter.feed(piece)
    assert found == events
    assert cutter.rest() == b""


@drawn(st.text(max_size=300))
def test_no_text_leaves_its_header(text: str) -> None:
    safe = header_safe(text)
    assert safe.isascii()
    assert safe == "" or safe.isprintable()


@pytest.mark.parametrize(
    ("floor", "allowed", "chosen", "given"),
    [
        (None, ("cheap", "balanced", "premium"), Tier.CHEAP, Tier.CHEAP),
        ("balanced", ("cheap", "balanced", "premium"), Tier.CHEAP, Tier.BALANCED),
        ("balanced", ("cheap", "balanced", "premium"), Tier.PREMIUM, Tier.PREMIUM),
        (None, ("cheap", "balanced"), Tier.PREMIUM, Tier.BALANCED),
        (None, ("cheap", "premium"), Tier.BALANCED, Tier.PREMIUM),
        (None, ("premium",), Tier.CHEAP, Tier.PREMIUM),
    ],
    ids=str,
)
def test_a_decision_is_held_within_the_key(
    floor: str | None, allowed: tuple[str, ...], chosen: Tier, given: Tier
) -> None:
    key = ApiKey("k", "name", 0.0, None, allowed, floor)
    selection = Selection("auto", chosen, None, Reasons.known("why"))
    assert chosen_for(key, selection, RouterConfig()).selection.tier is given


@pytest.mark.parametrize(
    ("floor", "allowed", "given", "chosen_by"),
    [
        (None, ("cheap", "balanced", "premium"), Tier.BALANCED, ChosenBy.BUDGET),
        (None, ("cheap", "premium"), Tier.CHEAP, ChosenBy.BUDGET),
        (None, ("premium",), Tier.PREMIUM, ChosenBy.FLOOR),
        ("premium", ("cheap", "balanced", "premium"), Tier.PREMIUM, ChosenBy.FLOOR),
        (None, ("cheap", "balanced"), Tier.BALANCED, ChosenBy.FLOOR),
        (None, ("cheap",), Tier.CHEAP, ChosenBy.FLOOR),
    ],
    ids=str,
)
def test_what_was_rationed_goes_to_premium_by_a_floor_alone(
    floor: str | None, allowed: tuple[str, ...], given: Tier, chosen_by: ChosenBy
) -> None:
    key = ApiKey("k", "name", 0.0, None, allowed, floor)
    rationed = Selection("auto", Tier.BALANCED, None, Reasons.known("rationed"))
    chosen = chosen_for(key, rationed, RouterConfig(), rationed=True)
    assert (chosen.selection.tier, chosen.chosen_by) == (given, chosen_by)


def test_premium_is_what_is_no_cheaper_or_of_unknown_price() -> None:
    config = RouterConfig.from_dict({"prices": {"dear": {"input": 0.1, "output": 2.5}, "fair": 2.49}})
    judged = {
        model: counts_as_premium(model, config) for model in (PREMIUM, BALANCED, "dear", "fair", "unknown")
    }
    assert judged == {PREMIUM: True, BALANCED: False, "dear": True, "fair": False, "unknown": True}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST"])
def test_loopback_is_known(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "127.0.0.1.evil.example", "10.0.0.1"])  # noqa: S104
def test_what_others_reach_is_known(host: str) -> None:
    assert not is_loopback(host)


def test_a_turnstile_that_is_closed_lets_nobody_in() -> None:
    turnstile = Turnstile()
    with turnstile.passed(1), pytest.raises(ProxyError, match="1 requests are at work already"):
        turnstile.passed(1).__enter__()
    turnstile.closed = True
    with pytest.raises(ProxyError, match="being stopped"):
        turnstile.passed(1).__enter__()
    assert turnstile.inside == 0


class Store:
    """Keys of a database that can go away."""

    def __init__(self) -> None:
        self.down = False
        self.asked = 0

    async def find(self, secret: str) -> ApiKey | None:
        self.asked += 1
        await asyncio.sleep(0.01)
        if self.down:
            raise StateUnavailableError("down")
        return ApiKey("k", "name", 0.0) if secret == "tw_k_good" else None

    async def any_key(self) -> bool:
        if self.down:
            raise StateUnavailableError("down")
        return True


async def test_a_key_that_is_known_stays_good_while_the_database_is_down() -> None:
    store, times = Store(), iter(float(second) for second in range(1000))
    guard = Guard(store, required=True, clock=lambda: next(times))
    good = {"authorization": "Bearer tw_k_good"}
    assert await guard.admit(good, 0.5) is not None
    store.down = True
    assert await guard.admit(good, 0.5) is not None
    with pytest.raises(ProxyError, match="API keys cannot be looked up now"):
        await guard.admit({"authorization": "Bearer tw_k_other"}, 0.5)


async def test_the_store_is_asked_once_for_all_who_wait() -> None:
    store = Store()
    guard = Guard(store, required=True)
    await asyncio.gather(*(guard.admit({"authorization": "Bearer tw_k_good"}, 5.0) for _ in range(20)))
    assert store.asked == 1


async def test_the_head_of_a_response_leaves_with_its_body_and_never_stays() -> None:
    class Wire:
        def __init__(self) -> None:
            self.sent: list[bytes] = []

        def write(self, data: bytes) -> None:
            self.sent.append(data)

    wire: Any = Wire()
    transport = JoinedTransport(wire, asyncio.get_running_loop())
    transport.write(b"HTTP/1.1 200 OK\r\n\r\n")
    transport.write(b"body")
    transport.write(b"more")
    transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
    await asyncio.sleep(0)
    assert wire.sent == [b"HTTP/1.1 200 OK\r\n\r\nbody", b"more", b"HTTP/1.1 204 No Content\r\n\r\n"]


TEXT = {"index": 0, "delta": {"content": 'a "usage" and a {brace}'}, "finish_reason": None}


def chunk(**members: object) -> bytes:
    return json.dumps({"id": "1", "choices": [TEXT], **members}).encode()


@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["dense", "spaced"])
def test_events_of_mere_text_need_not_be_read_but_can_be(separators: tuple[str, str]) -> None:
    data = json.dumps({"choices": [TEXT], "usage": None}, separators=separators).encode()
    events = b"data: %b\n\n" % data * 3
    assert CHAT.is_plain(events, 3)
    unread = Unread(CHAT)
    for _ in range(1000):
        unread.keep(events)
    assert unread.text() == 'a "usage" and a {brace}' * 3000


@pytest.mark.parametrize(
    "data",
    [
        chunk(usage={"prompt_tokens": 1, "completion_tokens": 2}),
        chunk(choices=[{**TEXT, "finish_reason": "stop"}]),
        chunk(choices=[{**TEXT, "finish_reason": ""}]),
        chunk(error={"message": "no"}),
        chunk()[:-1],
        b"[DONE]",
        b"{}\ndata: {}",
    ],
    ids=["usage", "end", "empty end", "error", "torn", "done", "two lines"],
)
def test_events_that_say_more_are_read(data: bytes) -> None:
    assert not CHAT.is_plain(b"data: %b\n\n" % data, 1)
    assert not CHAT.is_plain(b"data: %b\n\ndata: %b\n\n" % (chunk(), data), 2)


def test_events_written_otherwise_are_read() -> None:
    for odd in (b": ping\n\n", b"data:%b\n\n", b"event: a\ndata: %b\n\n", b"data: %b\r\n\r\n"):
        assert not CHAT.is_plain(odd.replace(b"%b", chunk()), 1)
    assert not RESPONSES.is_plain(b"data: %b\n\n" % chunk(), 1)
