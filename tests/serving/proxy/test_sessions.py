"""Conversations through real proxies: what is kept, told and noted, and what another process knows."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import httpx2
import pytest

from classifier import Decision, Tier
from serving.errors import StateUnavailableError
from serving.proxy.session_lookup import SessionLookup
from serving.sandbox import Sandbox, Status
from serving.spending.ledger_row import LedgerRow
from tests.serving.conftest import BALANCED, PREMIUM
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running, bearer
from tests.serving.proxy.test_caching import settle
from tests.serving.proxy.test_pacing import HARD, MIDDLE, ask, pacing_of, settings

GO = "yes, do it"
PATIENT = {"lookup_seconds": 1.0}


class Talk:
    """One conversation with proxies."""

    def __init__(self, running: Running, headers: dict[str, str] | None = None, **body: Any) -> None:
        self.running = running
        self.headers = headers or {}
        self.body = body
        self.messages: list[dict[str, Any]] = []

    def say(self, text: str, path: str = "/chat/completions", **body: Any) -> httpx2.Response:
        self.messages.append({"role": "user", "content": text})
        whole = {"model": "auto", "messages": self.messages, "max_tokens": 30, **self.body, **body}
        answer = httpx2.post(
            f"{self.running.url}{path}", json=whole, headers=self.headers, timeout=PATIENCE, trust_env=False
        )
        self.messages.append({"role": "assistant", "content": "So be it."})
        return answer


def told(answer: httpx2.Response, *names: str) -> list[str | None]:
    return [answer.headers.get(f"x-tierwise-{name}") for name in names]


def test_a_conversation_keeps_its_tier_and_headers_and_ledger_tell(running: Running) -> None:
    talk = Talk(running)
    first, second, third = talk.say(HARD), talk.say(GO), talk.say("and in French?")
    assert told(first, "tier", "chosen-by") == ["premium", "policy"]
    assert told(second, "tier", "model", "chosen-by") == ["premium", PREMIUM, "session"]
    assert second.headers["x-tierwise-reasons"].startswith(
        "the conversation keeps premium: this is a go-ahead"
    )
    assert told(third, "tier", "chosen-by") == ["cheap", "policy"]  # by a model that does not read histories
    ids = [each.headers["x-tierwise-session"] for each in (first, second, third)]
    assert ids[1] == ids[2] != ids[0]
    rows = running.rows()
    assert [row.session for row in rows] == ids
    assert [row.chosen_by.value for row in rows] == ["policy", "session", "policy"]


def test_a_user_s_name_is_not_told(running: Running) -> None:
    answer = Talk(running, user="ada@example.com").say(HARD)
    assert "ada" not in str(answer.headers)
    assert "ada" not in f"{running.rows()[0].session}"


def test_a_stream_is_remembered_once_it_has_ended(running: Running) -> None:
    talk = Talk(running, stream=True)
    talk.say(HARD)
    kept = talk.say(GO)
    assert told(kept, "tier", "chosen-by") == ["premium", "session"]


def test_the_same_header_under_two_keys_is_two_conversations(proxy: MakeProxy) -> None:
    running = proxy()
    ada, bob = (bearer(running.create_key(name)) for name in ("ada", "bob"))
    time.sleep(0.3)  # for which the absence of keys is remembered
    named = {"x-tierwise-session": "ours"}
    Talk(running, {**ada, **named}).say(HARD)
    theirs, own = (Talk(running, {**key, **named}).say(GO) for key in (bob, ada))
    assert told(theirs, "tier", "session") == ["cheap", "ours"]
    assert told(own, "tier", "session") == ["premium", "ours"]


def test_the_same_words_under_two_keys_are_two_conversations(proxy: MakeProxy) -> None:
    running = proxy()
    ada, bob = (Talk(running, bearer(running.create_key(name))) for name in ("ada", "bob"))
    time.sleep(0.3)
    ada.say(HARD)
    bob.messages = list(ada.messages)
    assert told(bob.say(GO), "tier") == ["cheap"]
    assert told(ada.say(GO), "tier") == ["premium"]


def test_after_a_pause_nothing_is_kept(proxy: MakeProxy) -> None:
    talk = Talk(proxy(sessions={"pause_seconds": 0.2}))
    talk.say(HARD)
    time.sleep(0.3)
    assert told(talk.say(GO), "tier", "chosen-by") == ["cheap", "policy"]


@pytest.mark.parametrize("named", [{}, {"x-tierwise-session": "mine"}], ids=["by its words", "by its name"])
def test_a_restart_does_not_forget(proxy: MakeProxy, named: dict[str, str]) -> None:
    first = proxy()
    talk = Talk(first, named)
    talk.say(HARD)
    talk.say(GO)
    first.stop()
    talk.running = proxy(state_url=first.state_url, sessions=PATIENT)
    assert told(talk.say(GO), "tier", "chosen-by") == ["premium", "session"]


def test_another_replica_knows_what_was_answered_even_the_first_time(proxy: MakeProxy) -> None:
    one = proxy(sessions=PATIENT)
    other = proxy(state_url=one.state_url, sessions=PATIENT)
    talk = Talk(one)
    talk.say(HARD)
    assert one.rows()
    talk.running = other
    assert told(talk.say(GO), "tier", "chosen-by") == ["premium", "session"]


def test_without_lookups_another_replica_knows_nothing(proxy: MakeProxy) -> None:
    one = proxy()
    talk = Talk(one)
    talk.say(HARD)
    assert one.rows()
    talk.running = proxy(state_url=one.state_url, sessions={"lookup_seconds": 0})
    assert told(talk.say(GO), "tier") == ["cheap"]


def test_a_key_s_tiers_come_before_the_conversation(proxy: MakeProxy) -> None:
    running = proxy()
    issued = running.create_key(floor="balanced")
    time.sleep(0.3)
    talk = Talk(running, bearer(issued))
    assert told(talk.say("What is the capital of France?"), "tier", "chosen-by") == ["balanced", "floor"]
    assert told(talk.say(GO), "tier") == ["balanced"]


def test_a_fallback_is_where_the_conversation_is(running: Running, upstream: Sandbox) -> None:
    talk = Talk(running)
    upstream.script(PREMIUM, Status(503))
    assert told(talk.say(HARD), "model") == [BALANCED]
    assert told(talk.say(GO), "model", "chosen-by") == [BALANCED, "session"]


def test_route_tells_what_the_conversation_would_get_and_changes_nothing(running: Running) -> None:
    talk = Talk(running)
    talk.say(HARD)
    shown = talk.say(GO, path="/route").json()
    assert (shown["tier"], shown["chosen_by"]) == ("premium", "session")
    assert shown["reasons"][0].startswith("the conversation keeps premium")
    assert len(running.rows()) == 1


def test_switched_off_the_header_is_noted_and_nothing_kept(proxy: MakeProxy) -> None:
    running = proxy(sessions={"enabled": False})
    talk = Talk(running, {"x-tierwise-session": "mine"})
    talk.say(HARD)
    assert told(talk.say(GO), "tier", "session") == ["cheap", None]
    assert [row.session for row in running.rows()] == ["mine", "mine"]


def test_no_conversation_keeps_premium_while_pacing_rations_it(proxy: MakeProxy) -> None:
    running = proxy(serve=settings(20_000))
    talk = Talk(running)
    talk.say(HARD)
    assert told(talk.say(GO), "tier", "chosen-by") == ["premium", "session"]
    until = time.monotonic() + PATIENCE
    while not pacing_of(running).paced.rations(talk.messages):
        assert time.monotonic() < until
        for prompt in (HARD, MIDDLE) * 3:
            ask(running, prompt)
    talk.say(HARD)
    lowered = talk.say(GO)
    assert told(lowered, "tier", "model", "chosen-by") == ["balanced", BALANCED, "session"]


class TestALedgerThatIsSlow:
    class Books:
        """The state, whose answer is a wait."""

        def __init__(self, seconds: float, error: Exception | None = None) -> None:
            self.seconds = seconds
            self.error = error
            self.asked = 0

        async def run_aside(self, _work: Any) -> LedgerRow | None:
            self.asked += 1
            await asyncio.sleep(self.seconds)
            if self.error is not None:
                raise self.error
            return None

        state = None

    async def ask(self, lookup: SessionLookup, names: Sequence[str] = ("a",)) -> LedgerRow | None:
        return await lookup.last(names, None, 0.0, 0.02)

    async def test_is_waited_for_so_long_and_then_not_asked_for_a_while(self) -> None:
        now, books = [0.0], self.Books(5.0)
        lookup = SessionLookup(books, clock=lambda: now[0])  # type: ignore[arg-type]
        began = time.monotonic()
        assert await self.ask(lookup) is None
        assert time.monotonic() - began < 2.0
        assert await self.ask(lookup) is None
        assert books.asked == 1
        now[0] += 6.0
        await self.ask(lookup)
        assert books.asked == 2

    async def test_is_asked_by_a_few_at_once(self) -> None:
        books = self.Books(0.01)
        lookup = SessionLookup(books)  # type: ignore[arg-type]
        await asyncio.gather(*[self.ask(lookup) for _ in range(20)])
        assert books.asked == 4
        await self.ask(lookup)
        assert books.asked == 5

    async def test_or_down_is_nobody_s_failure(self) -> None:
        books = self.Books(0.0, StateUnavailableError("gone"))
        assert await self.ask(SessionLookup(books)) is None  # type: ignore[arg-type]

    async def test_is_not_asked_for_a_conversation_without_a_name(self) -> None:
        books = self.Books(0.0)
        assert await self.ask(SessionLookup(books), ()) is None  # type: ignore[arg-type]
        assert books.asked == 0


def test_a_reload_keeps_what_is_remembered(running: Running) -> None:
    desk = running.service.desk
    assert desk is not None
    talk = Talk(running)
    talk.say(HARD)
    old = desk.generation
    desk.generation = type(old).of(old.serve, old.core.config, old.core.keys, _Cheap(), old)
    assert told(talk.say(GO), "tier", "model") == ["premium", PREMIUM]


class _Cheap:
    """A classifier that finds everything cheap."""

    def decide(self, _: Any, /) -> Any:
        return Decision(Tier.CHEAP, (1.0, 0.0, 0.0), 0.0, 1.0, "a test's", "none")

    def explain(self, _: Any, /) -> Any:
        raise ValueError("not explained")


def test_a_stored_answer_does_not_end_a_conversation(proxy: MakeProxy) -> None:
    cached = {"cache": {"exact": "repeatable", "lookup_seconds": 5.0}}
    one = proxy(serve=cached)
    talk = Talk(one, temperature=0)
    talk.say(HARD)
    settle(one)
    other = proxy(serve=cached, state_url=one.state_url, sessions={"lookup_seconds": 0})
    talk = Talk(other, temperature=0)
    stored, asked = talk.say(HARD), talk.say(GO)
    assert "hit" in stored.headers["cache-status"]
    assert told(asked, "tier", "chosen-by") == ["premium", "session"]


def test_a_stored_answer_lifts_a_named_conversation_as_a_new_one_would(proxy: MakeProxy) -> None:
    running = proxy(serve={"cache": {"exact": "repeatable", "lookup_seconds": 5.0}})
    other, talk = (Talk(running, {"x-tierwise-session": name}, temperature=0) for name in ("other", "ours"))
    for each in (other, talk):
        each.say("thanks")
        last = each.say(HARD)
        settle(running)
    assert "hit" in last.headers["cache-status"]
    assert told(talk.say(GO), "tier", "chosen-by") == ["premium", "session"]


def test_an_answer_of_its_own_counts_as_it_was_made_though_it_is_to_be_kept(
    proxy: MakeProxy, upstream: Sandbox
) -> None:
    running = proxy(serve={"cache": {"exact": "repeatable", "lookup_seconds": 5.0}})
    talk = Talk(running, {"x-tierwise-session": "ours"}, temperature=0)
    upstream.script(PREMIUM, Status(500))
    fell_back = talk.say(HARD)
    settle(running)
    assert told(fell_back, "tier", "model") == ["premium", BALANCED]
    assert told(talk.say(GO), "tier") == ["balanced"]
