"""The exact cache: real proxies before the sandbox, whose ledger tells how often it was asked."""

import asyncio
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from serving.cache.directives import Directives
from serving.cache.request_key import Place
from serving.cache.stored_answer import StoredAnswer
from serving.proxy.caching import Question, Recalled
from serving.proxy.desk import Desk
from serving.sandbox import Delay, Drip, ResetAfter, Sandbox, Says, Silence, Status
from tests.serving.conftest import ASK_CHEAP, BALANCED, CHEAP, ENVIRON
from tests.serving.proxy.conftest import PATIENCE, MakeProxy, Running, bearer, error_of
from tests.serving.proxy.test_disconnects import begin, wait_for_requests, wait_for_rows

SETTINGS = {"exact": "repeatable", "lookup_seconds": 5.0}
CACHED = {"cache": SETTINGS}


@pytest.fixture
def running(proxy: MakeProxy) -> Running:
    return proxy(serve=CACHED)


def post(running: Running, path: str = "/chat/completions", **given: Any) -> httpx2.Response:
    """Ask the cheap question at temperature 0; what is given as `cache_control` becomes the header."""
    headers = dict(given.pop("headers", {}))
    if "cache_control" in given:
        headers["cache-control"] = given.pop("cache_control")
    body = {"model": "auto", "messages": ASK_CHEAP, "temperature": 0, **given}
    return httpx2.post(f"{running.url}{path}", json=body, headers=headers, timeout=PATIENCE, trust_env=False)


def settle(running: Running) -> None:
    """Wait until all answers that were complete are stored, and nobody is in flight."""
    desk = desk_of(running)
    until = time.monotonic() + PATIENCE
    while desk.cache.waiting or len(desk.cache.flights) or desk.turnstile.inside:
        assert time.monotonic() < until
        time.sleep(0.005)


def twice(running: Running, **given: Any) -> tuple[httpx2.Response, httpx2.Response]:
    first = post(running, **given)
    settle(running)
    return first, post(running, **given)


def status_of(response: httpx2.Response) -> str:
    return str(response.headers.get("cache-status", ""))


def test_the_same_request_is_answered_from_the_cache(running: Running, upstream: Sandbox) -> None:
    first, second = twice(running)
    assert len(upstream.requests) == 1
    assert status_of(first) == "tierwise; fwd=miss"
    assert status_of(second).startswith("tierwise; hit; ttl=86")
    assert second.content == first.content
    assert second.headers["content-type"] == "application/json"
    assert second.headers["age"] == "0"
    assert second.headers["cache-control"] == "private, max-age=86400"
    same = ("x-tierwise-tier", "x-tierwise-model", "x-tierwise-chosen-by", "x-tierwise-risk")
    assert [second.headers[name] for name in same] == [first.headers[name] for name in same]
    assert second.headers["x-tierwise-attempts"] == "0"
    assert float(second.headers["x-tierwise-cost-usd"]) == 0.0


def test_the_ledger_tells_what_a_hit_saved(running: Running) -> None:
    twice(running)
    made, hit = running.rows()
    assert (made.cache, made.saved_usd) == (None, None)
    assert (hit.cache, hit.usd, hit.outcome, hit.attempt) == ("exact", 0.0, "answered", 0)
    assert hit.saved_usd == made.usd
    assert made.usd
    assert (hit.input_tokens, hit.output_tokens) == (made.input_tokens, made.output_tokens)
    assert (hit.model, hit.tier, hit.risk, hit.channel) == (made.model, made.tier, made.risk, made.channel)
    assert hit.request_id != made.request_id


def test_a_stream_is_replayed_as_a_stream(running: Running, upstream: Sandbox) -> None:
    first, second = twice(running, stream=True)
    assert len(upstream.requests) == 1
    assert second.content == first.content
    assert second.content.endswith(b"data: [DONE]\n\n")
    assert second.headers["content-type"].startswith("text/event-stream")
    assert status_of(second).startswith("tierwise; hit")
    made, hit = running.rows()
    assert (hit.cache, hit.saved_usd, hit.streamed) == ("exact", made.usd, True)


def test_a_stream_and_a_whole_answer_are_kept_apart(running: Running, upstream: Sandbox) -> None:
    streamed, _ = twice(running, stream=True)
    whole, again = twice(running)
    assert len(upstream.requests) == 2
    assert whole.content == again.content
    assert streamed.content.startswith(b"data: ")


def test_embeddings_are_kept(running: Running, upstream: Sandbox) -> None:
    body = {"model": "text-embedding-3-small", "input": ["a", "b"], "messages": None}
    first = post(running, "/embeddings", **body)
    settle(running)
    second = post(running, "/embeddings", **body)
    assert second.json() == first.json()
    assert len(upstream.requests) == 1


def test_the_sdk_asks_with_a_header(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(serve={"cache": {"lookup_seconds": 5.0}})  # as it is by default: who asks gets
    with openai.OpenAI(base_url=running.url, api_key="none", max_retries=0, timeout=PATIENCE) as client:
        for number in range(3):
            raw = client.chat.completions.with_raw_response.create(
                model="auto", messages=ASK_CHEAP, extra_headers={"cache-control": "max-age=60"}
            )
            settle(running)
            assert raw.parse().choices[0].message.content
            assert raw.headers["cache-status"].startswith("tierwise; hit") is (number > 0)
        pieces = [
            list(
                client.chat.completions.create(
                    model="auto",
                    messages=ASK_CHEAP,
                    stream=True,
                    extra_headers={"cache-control": "max-age=60"},
                )
            )
            for _ in range(2)
        ]
    assert pieces[0] == pieces[1]
    assert [row.cache for row in running.rows()].count("exact") >= 2
    assert len(upstream.requests) <= 3


@pytest.mark.parametrize(
    ("given", "calls"),
    [
        ({}, 1),
        ({"temperature": 0.7}, 2),
        ({"temperature": None}, 2),
        ({"n": 2}, 2),
        ({"cache_control": "no-store"}, 2),
        ({"cache_control": "no-cache"}, 2),
        ({"cache_control": "max-age=0"}, 2),
        ({"cache_control": "max-age=soon"}, 2),
        ({"cache_control": "max-age=60"}, 1),
        ({"temperature": 0.7, "cache_control": "max-age=60"}, 1),
        ({"temperature": 0.7, "cache_control": "max-stale"}, 1),
        ({"cache_control": "min-fresh=100000"}, 2),
        ({"cache_control": "min-fresh=10"}, 1),
    ],
    ids=json.dumps,
)
def test_what_is_asked_and_what_the_caller_says_decide(
    running: Running, upstream: Sandbox, given: dict[str, Any], calls: int
) -> None:
    twice(running, **given)
    assert len(upstream.requests) == calls


@pytest.mark.parametrize(
    ("exact", "given", "calls"),
    [
        ("off", {"cache_control": "max-age=60"}, 2),
        ("asked", {"cache_control": "max-age=60"}, 1),
        ("asked", {}, 2),
        ("asked", {"cache_control": "no-cache"}, 2),
    ],
    ids=json.dumps,
)
def test_the_operator_decides_who_takes_part(
    proxy: MakeProxy, upstream: Sandbox, exact: str, given: dict[str, Any], calls: int
) -> None:
    running = proxy(serve={"cache": {**SETTINGS, "exact": exact}})
    _, second = twice(running, **given)
    assert len(upstream.requests) == calls
    assert second.status_code == 200


def test_no_store_neither_reads_nor_writes(running: Running, upstream: Sandbox) -> None:
    first, _ = twice(running, cache_control="no-store")
    assert status_of(first) == "tierwise; fwd=bypass"
    settle(running)
    assert status_of(post(running)) == "tierwise; fwd=miss"
    settle(running)
    assert status_of(post(running, cache_control="no-store, max-age=60")) == "tierwise; fwd=bypass"
    assert len(upstream.requests) == 4


def test_two_lines_of_a_header_are_both_heard(running: Running, upstream: Sandbox) -> None:
    body = {"model": "auto", "messages": ASK_CHEAP, "temperature": 0}
    for _ in range(2):
        lines = [("cache-control", "no-store"), ("cache-control", "max-age=60")]
        httpx2.post(f"{running.url}/chat/completions", json=body, headers=lines, trust_env=False)
        settle(running)
    assert len(upstream.requests) == 2


def test_no_cache_does_not_read_but_its_answer_is_stored(running: Running, upstream: Sandbox) -> None:
    upstream.script(CHEAP, Says("an old answer"), Says("a new answer"))
    twice(running)
    fresh = post(running, cache_control="no-cache")
    assert status_of(fresh) == "tierwise; fwd=request"
    settle(running)
    assert post(running).content == fresh.content
    assert b"a new answer" in fresh.content
    assert len(upstream.requests) == 2


def test_only_if_cached_never_asks_the_upstream(running: Running, upstream: Sandbox) -> None:
    refused = post(running, cache_control="only-if-cached")
    assert (refused.status_code, error_of(refused)["code"]) == (504, "not_cached")
    assert status_of(refused) == "tierwise; fwd=miss"
    assert not upstream.requests
    post(running)
    settle(running)
    assert post(running, cache_control="only-if-cached").status_code == 200
    assert post(running, cache_control="only-if-cached, no-store").status_code == 504
    assert len(upstream.requests) == 1


def test_the_sdk_does_not_ask_again_where_nothing_is_stored(running: Running) -> None:
    with (
        openai.OpenAI(base_url=running.url, api_key="none", max_retries=3, timeout=PATIENCE) as client,
        pytest.raises(openai.InternalServerError, match="only-if-cached"),
    ):
        client.chat.completions.create(
            model="auto", messages=ASK_CHEAP, extra_headers={"cache-control": "only-if-cached"}
        )
    assert desk_of(running).cache.stats().misses == 1


def test_an_answer_ages_and_expires(running: Running, upstream: Sandbox) -> None:
    desk = desk_of(running)
    later = [0.0]
    desk.now = lambda: time.time() + later[0]
    post(running)
    settle(running)
    later[0] = 100.0
    old = post(running)
    assert old.headers["age"] in ("100", "101")
    assert status_of(post(running, cache_control="max-age=50")) == "tierwise; fwd=request"
    settle(running)
    assert len(upstream.requests) == 2
    later[0] = 100_000.0
    assert post(running, cache_control="max-stale=50000").headers["age"] in ("99900", "99901")
    assert status_of(post(running)) == "tierwise; fwd=stale"
    assert len(upstream.requests) == 3


def test_every_key_has_answers_of_its_own(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(serve=CACHED)
    ada, bob = running.create_key("ada"), running.create_key("bob")
    time.sleep(0.3)
    for key in (ada, bob, ada, bob):
        assert post(running, headers=bearer(key)).status_code == 200
        settle(running)
    assert len(upstream.requests) == 2
    assert [row.cache for row in running.rows()] == [None, None, "exact", "exact"]


def test_keys_share_answers_where_the_operator_says_so(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(serve={"cache": {**SETTINGS, "shared": True}})
    ada, bob = running.create_key("ada"), running.create_key("bob", daily_usd=0.0)
    time.sleep(0.3)
    post(running, headers=bearer(ada), max_tokens=50)
    settle(running)
    hit = post(running, headers=bearer(bob), max_tokens=50)  # who may spend nothing
    assert hit.status_code == 200
    assert len(upstream.requests) == 1
    assert running.rows()[-1].key_id == bob.key.key_id


@pytest.mark.parametrize(
    "fault",
    [Says("cut by a filter", finish="content_filter"), Says(""), Status(503)],
    ids=["content filter", "nothing said", "error"],
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_only_whole_good_answers_of_the_planned_model_are_stored(
    running: Running, upstream: Sandbox, fault: Any, stream: bool
) -> None:
    upstream.script(CHEAP, fault)
    twice(running, stream=stream)
    assert [row.cache for row in running.rows() if row.outcome == "answered"] == [None, None]


def test_an_answer_that_a_limit_cut_is_kept_with_its_limit(running: Running, upstream: Sandbox) -> None:
    first, second = twice(running, max_tokens=1)
    assert first.json()["choices"][0]["finish_reason"] == "length"
    assert second.content == first.content
    post(running, max_tokens=2)
    assert len(upstream.requests) == 2


def test_a_fallback_s_answer_is_not_kept_as_the_tier_s(running: Running, upstream: Sandbox) -> None:
    upstream.script(CHEAP, Status(500))
    first, second = twice(running)
    assert (first.headers["x-tierwise-model"], second.headers["x-tierwise-model"]) == (BALANCED, CHEAP)
    assert running.rows()[-1].cache is None


def test_a_stream_that_breaks_is_not_kept(running: Running, upstream: Sandbox) -> None:
    upstream.script(CHEAP, ResetAfter(3))
    broken = post(running, stream=True)
    assert b"stream_broken" in broken.content
    settle(running)
    whole = post(running, stream=True)
    assert whole.content.endswith(b"data: [DONE]\n\n")
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_is_too_large_is_passed_on_and_not_kept(
    proxy: MakeProxy, upstream: Sandbox, stream: bool
) -> None:
    running = proxy(serve={"cache": {**SETTINGS, "largest_bytes": 200}})
    first, second = twice(running, stream=stream)
    assert len(first.content) > 200
    assert second.status_code == 200
    assert len(upstream.requests) == 2


def test_a_model_by_name_and_its_tier_are_kept_apart(running: Running, upstream: Sandbox) -> None:
    twice(running, model="cheap")
    twice(running, model=CHEAP)
    assert len(upstream.requests) == 2
    assert [row.cache for row in running.rows()] == [None, "exact", None, "exact"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_a_direct_provider_said_is_not_kept_even_under_the_same_name(
    proxy: MakeProxy, upstream: Sandbox, stream: bool
) -> None:
    terms = {"price": {"input": 1.0, "output": 3.0}, "usd_per_day": 1.0, "key_variable": "DIRECT_KEY"}
    table = {"base_url": upstream.url, "model": CHEAP, **terms}
    with socket.socket() as taken:  # nobody listens at the aggregator's address
        taken.bind(("127.0.0.1", 0))
        running = proxy(
            serve={**CACHED, "break_glass": {"cheap": table}},
            environ={**ENVIRON, "DIRECT_KEY": "dk_0123456789"},
            base_url=f"http://127.0.0.1:{taken.getsockname()[1]}/v1",
        )
        answers = twice(running, stream=stream)
    assert [answer.headers["x-tierwise-break-glass"] for answer in answers] == ["1", "1"]
    assert len(upstream.requests) == 2
    assert {row.cache for row in running.rows()} == {None}


# Simultaneous requests


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_twenty_at_once_call_once(running: Running, upstream: Sandbox, stream: bool) -> None:
    upstream.script(CHEAP, Drip(pause=0.02, size=400))
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: post(running, stream=stream), range(20)))
    assert len(upstream.requests) == 1
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    settle(running)
    rows = running.rows()
    (made,) = [row for row in rows if row.cache is None]
    assert len(rows) == 20
    assert {row.saved_usd for row in rows if row.cache} == {made.usd}
    assert {row.outcome for row in rows} == {"answered"}
    kinds = [status_of(answer).partition("; ttl")[0] for answer in answers]
    assert set(kinds) <= {"tierwise; fwd=miss", "tierwise; fwd=miss; collapsed", "tierwise; hit"}
    assert kinds.count("tierwise; fwd=miss") == 1


def test_streams_that_join_see_what_comes_as_it_comes(running: Running, upstream: Sandbox) -> None:
    upstream.script(CHEAP, Drip(pause=0.1, size=300))
    first = begin(running, stream=True, temperature=0)
    assert first.recv(65536).startswith(b"HTTP/1.1 200")
    second = begin(running, stream=True, temperature=0)
    assert b"collapsed" in second.recv(65536)
    third = begin(running, stream=True, temperature=0)
    assert b"collapsed" in third.recv(65536)
    assert len(upstream.requests) == 1
    for connection in (first, second, third):
        connection.close()
    rows = wait_for_rows(running, 3)
    assert [row.outcome for row in rows] == ["cancelled"] * 3
    settle(running)


def test_who_comes_too_late_for_the_beginning_of_a_long_stream_makes_a_call_of_its_own(
    proxy: MakeProxy, upstream: Sandbox
) -> None:
    running = proxy(serve={"cache": {**SETTINGS, "largest_bytes": 1000}})
    upstream.script(CHEAP, Drip(pause=0.2, size=500))
    first = begin(running, stream=True, temperature=0)
    seen = b""
    while len(seen) < 4000:  # more than is kept for others
        seen += first.recv(65536)
    late = post(running, stream=True)
    assert late.content.startswith(b'data: {"id"')
    assert late.content.count(b'"role"') == 1
    assert late.content.endswith(b"data: [DONE]\n\n")
    assert status_of(late) == "tierwise; fwd=miss"
    assert len(upstream.requests) == 2
    first.close()
    settle(running)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_leader_that_leaves_takes_nothing_with_it(
    running: Running, upstream: Sandbox, stream: bool
) -> None:
    upstream.script(CHEAP, Delay(1.0, Drip(pause=0.05, size=400)))
    leader = begin(running, stream=stream, temperature=0)
    wait_for_requests(upstream)
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(post, running, stream=stream) for _ in range(4)]
        wait_until(lambda: inside(running) == 5)
        leader.close()
        answers = [each.result(PATIENCE) for each in waiting]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(upstream.requests) == 1
    settle(running)
    assert post(running, stream=stream).content == answers[0].content


def test_when_all_have_left_the_call_ends(running: Running, upstream: Sandbox) -> None:
    upstream.script(CHEAP, Silence(PATIENCE))
    connections = [begin(running, temperature=0) for _ in range(4)]
    wait_for_requests(upstream)
    wait_until(lambda: inside(running) == 4)
    for connection in connections:
        connection.close()
    settle(running)
    (row,) = wait_for_rows(running)
    assert row.outcome == "cancelled"
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_when_a_leader_s_call_fails_one_follower_makes_its_own(
    proxy: MakeProxy, upstream: Sandbox, stream: bool
) -> None:
    running = proxy(serve=CACHED, first_byte_seconds=1.0, deadline_seconds=15.0)
    upstream.script(CHEAP, Silence(PATIENCE))
    body: dict[str, Any] = {"model": CHEAP, "stream": stream}  # by name, so that no other model answers
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: post(running, **body), range(10)))
    assert sorted(answer.status_code for answer in answers) == [200] * 9 + [504]
    assert len(upstream.requests) == 2
    settle(running)


def test_a_follower_waits_no_longer_than_its_own_deadline(proxy: MakeProxy, upstream: Sandbox) -> None:
    running = proxy(serve=CACHED, first_byte_seconds=2.0, deadline_seconds=2.0)
    upstream.always(CHEAP, Silence(PATIENCE))
    started = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: post(running, model=CHEAP), range(4)))
    assert {answer.status_code for answer in answers} == {504}
    assert time.monotonic() - started < PATIENCE / 2
    settle(running)


def test_no_store_never_joins(running: Running, upstream: Sandbox) -> None:
    upstream.always(CHEAP, Drip(pause=0.05, size=400))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: post(running, cache_control="no-store"), range(4)))
    assert len(upstream.requests) == 4


# When the database is down


def test_a_database_that_is_down_is_a_miss_and_never_slow(
    running: Running, upstream: Sandbox, tmp_path: Path
) -> None:
    twice(running)
    (database,) = tmp_path.rglob("state.db")
    kept = database.read_bytes()
    desk = desk_of(running)
    desk.books.state.database.close()
    for each in database.parent.glob("state.db*"):
        each.unlink()
    database.mkdir()
    started = time.monotonic()
    answers = [post(running) for _ in range(5)]
    assert time.monotonic() - started < PATIENCE / 2
    assert {answer.status_code for answer in answers} == {200}
    assert {status_of(answer) for answer in answers} == {"tierwise; fwd=miss"}
    assert len(upstream.requests) == 6
    settle(running)
    assert desk.cache.stats().failures >= 1
    database.rmdir()
    database.write_bytes(kept)


def test_a_row_that_was_damaged_is_a_miss(running: Running, upstream: Sandbox) -> None:
    twice(running)
    desk = desk_of(running)
    desk.books.state.answers.clear()
    assert status_of(post(running)) == "tierwise; fwd=miss"
    assert len(upstream.requests) == 2


def test_what_the_cache_did_is_counted(running: Running) -> None:
    twice(running)
    post(running, cache_control="no-store")
    settle(running)
    desk = desk_of(running)
    stats = desk.cache.stats()
    assert (stats.hits, stats.misses, stats.bypasses, stats.stored) == (1, 1, 1, 1)


def test_an_answer_outlives_the_process(proxy: MakeProxy, upstream: Sandbox) -> None:
    before = proxy(serve=CACHED)
    first = post(before)
    settle(before)
    before.stop()
    after = proxy(serve=CACHED, state_url=before.state_url)
    assert post(after).content == first.content
    assert len(upstream.requests) == 1


async def hang(desk: Desk, all_in: threading.Barrier, until: threading.Event) -> None:
    """Keep every thread that waits for the database waiting."""

    def work() -> None:
        all_in.wait(PATIENCE)
        until.wait(PATIENCE)

    await asyncio.gather(*(desk.books.run(work) for _ in range(8)))


def test_a_database_that_hangs_holds_a_request_up_for_a_moment_and_the_next_not_at_all(
    proxy: MakeProxy, upstream: Sandbox
) -> None:
    running = proxy(serve={"cache": {**SETTINGS, "lookup_seconds": 0.5}, "proxy": {"key_seconds": 60}})
    assert httpx2.get(f"{running.url}/models", trust_env=False).status_code == 200  # no keys, it remembers
    upstream.clear()
    desk, loop, until = desk_of(running), running.server.loop, threading.Event()
    assert loop is not None
    all_in = threading.Barrier(9)
    hanging = asyncio.run_coroutine_threadsafe(hang(desk, all_in, until), loop)
    all_in.wait(PATIENCE)
    answers = [post(running) for _ in range(4)]
    assert {status_of(answer) for answer in answers} == {"tierwise; fwd=miss"}
    assert len(upstream.requests) == 4
    assert desk.cache.stats().failures == 1  # the others did not even ask
    until.set()
    hanging.result(PATIENCE)
    settle(running)


def test_answers_that_are_slow_to_store_leave_threads_to_the_budgets(running: Running) -> None:
    desk, loop, until = desk_of(running), running.server.loop, threading.Event()
    assert loop is not None

    def made() -> None:
        until.wait(PATIENCE)

    async def nothing() -> None:
        pass

    async def keep() -> None:
        place = Place("/chat/completions", "open", (), "cheap", CHEAP, None, streamed=False)
        for number in range(20):
            desk.cache.keep(Question(f"{number}", place, {}, (), Directives(), True, 0.0), made, nothing)

    try:
        asyncio.run_coroutine_threadsafe(keep(), loop).result(PATIENCE)
        found = asyncio.run_coroutine_threadsafe(desk.books.run(lambda: "served"), loop)
        assert found.result(PATIENCE / 4) == "served"
    finally:
        until.set()
    settle(running)


def tend(running: Running) -> None:
    desk, loop = desk_of(running), running.server.loop
    assert loop is not None
    settings = desk.generation.serve.cache
    asyncio.run_coroutine_threadsafe(desk.cache.tend(settings), loop).result(PATIENCE)


def test_what_has_expired_and_what_is_too_much_leaves(proxy: MakeProxy) -> None:
    running = proxy(serve={"cache": {**SETTINGS, "most_entries": 2}})
    desk, later = desk_of(running), [0.0]
    desk.now = lambda: time.time() + later[0]
    for number in range(4):
        later[0] = float(number)
        post(running, max_tokens=number + 1)
        settle(running)
    later[0] = 10.0
    assert status_of(post(running, max_tokens=1)).startswith("tierwise; hit")
    tend(running)
    stats = desk.cache.stats()
    assert stats.entries == 2
    assert stats.bytes > 0
    kept = [status_of(post(running, max_tokens=n, cache_control="only-if-cached")) for n in (1, 2, 3, 4)]
    assert [each.startswith("tierwise; hit") for each in kept] == [True, False, False, True]
    later[0] = 100_000.0
    tend(running)
    assert desk.cache.stats().entries == 0


class Second:
    """A second cache that knows one answer, whatever is asked in a certain way."""

    def __init__(self) -> None:
        self.learnt: list[tuple[Question, StoredAnswer]] = []

    def wants(self, question: Question) -> bool:
        return bool(question.body.get("seed"))

    async def find(self, question: Question) -> Recalled | None:
        same = (Recalled(answer, 0.9) for known, answer in self.learnt if known.place == question.place)
        return next(same, None)

    async def learn(self, question: Question, answer: StoredAnswer) -> None:
        self.learnt.append((question, answer))


def test_a_second_cache_answers_behind_the_exact_one_and_learns_what_is_stored(
    running: Running, upstream: Sandbox
) -> None:
    second = Second()
    desk_of(running).cache.second = second
    first = post(running, temperature=0.7, seed=1)
    settle(running)
    other = post(running, temperature=0.7, seed=2)
    assert other.content == first.content
    assert "; detail=semantic" in status_of(other)
    assert [answer.body for _, answer in second.learnt] == [first.content]
    twice(running)  # which it does not want
    assert len(second.learnt) == 1
    assert len(upstream.requests) == 2
    assert [row.cache for row in running.rows()] == [None, "semantic", None, "exact"]
    assert desk_of(running).cache.stats().semantic_hits == 1


def desk_of(running: Running) -> Desk:
    desk = running.service.desk
    assert desk is not None
    return desk


def inside(running: Running) -> int:
    return desk_of(running).turnstile.inside


def wait_until(holds: Any) -> None:
    until = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)
